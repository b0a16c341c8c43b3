//! Serving a router in another program.

use std::future::{Future, IntoFuture as _};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use vestibule::{Accounts, MailTransport};

use crate::personal::mark_answers;

/// How long open requests may take to end.
const DRAIN: Duration = Duration::from_secs(20);

/// Serves a router that contains ours, and runs the workers of the accounts, which send mail through `mail`.
///
/// The router learns the addresses of its clients, which the limits count, and no cache stores an answer whose handler
/// asked who is [signed in](crate::SignedIn). When `shutdown` completes, open requests have 20 seconds to end, then the
/// workers end and the database is closed.
///
/// There are no time limits on slow connections here: put a proxy in front, as with every `axum::serve`. If the policy
/// names webhook endpoints, or applications have a `logout_uri`, start [`vestibule::Workers`] with their transports instead
/// of calling this.
///
/// # Errors
/// That of the listener. The workers have ended as well.
pub async fn serve<M>(
    listener: TcpListener,
    router: Router,
    accounts: Accounts,
    mail: M,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    M: MailTransport + 'static,
{
    let (stop, mut stopping) = watch::channel(false);
    let (ended, over) = oneshot::channel::<()>();
    let begun = async move { drop(stopping.wait_for(|stopping| *stopping).await) };
    let app = router.layer(from_fn(mark_answers));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(begun);
    let requests = async {
        let served = tokio::select! {
            served = serving.into_future() => served,
            () = drained(shutdown, &stop) => Ok(()),
        };
        drop(ended);
        served
    };
    // What the last requests queued is sent before the workers end.
    let workers = accounts.run_workers(mail, async { drop(over.await) });
    let (served, ()) = tokio::join!(requests, workers);
    accounts.close().await;
    served
}

/// Completes when open requests have had their time.
#[expect(clippy::disallowed_methods, reason = "how long open requests have, which nothing announces")]
async fn drained(shutdown: impl Future<Output = ()>, stop: &watch::Sender<bool>) {
    shutdown.await;
    stop.send_replace(true);
    tokio::time::sleep(DRAIN).await;
    tracing::warn!("some requests did not end within {} s and are cut off", DRAIN.as_secs());
}
