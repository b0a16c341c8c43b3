use tokio::sync::{mpsc, oneshot};
use vestibule::{Mail, MailTransport, SendAttempt, SendError};

use crate::on_both_stores;
use crate::world::*;

/// Reports immediately whom a mail was for.
struct Post(mpsc::UnboundedSender<String>);

impl MailTransport for Post {
    async fn send(&self, mail: &Mail, _: &SendAttempt) -> Result<(), SendError> {
        self.0.send(mail.to.to_string()).map_err(|error| SendError::Temporary(error.to_string()))
    }
}

on_both_stores! {
    // M8: one call, and mail is sent; it ends when told to, and nothing is lost.
    async fn mail_leaves_while_the_workers_run(world: &World) {
        let (post, mut arrived) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let accounts = world.accounts.clone();
        let run = async move { accounts.run_workers(Post(post), async { drop(stopped.await) }).await };
        let workers = tokio::spawn(run);
        for email in ["ada@example.org", "bob@example.org"] {
            world.accounts.sign_up(wish(email, PASSWORD), &client()).await.unwrap();
            assert_eq!(arrived.recv().await.as_deref(), Some(email));
        }
        stop.send(()).unwrap();
        workers.await.unwrap();
        assert_eq!(arrived.recv().await, None, "the transport is let go");
        world.accounts.sign_up(wish("eve@example.org", PASSWORD), &client()).await.unwrap();
        assert_eq!(world.accounts.health().await.unwrap().mails_waiting, 1);
        world.deliver().await;
        assert!(world.letter_to("eve@example.org").has_code());
    }
}
