use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};
use vestibule::{
    Logout, LogoutTransport, Mail, MailTransport, SendAttempt, SendError, Webhook, WebhookTransport, Workers,
};

use crate::applications::logouts::{ADA, desk, listening};
use crate::on_both_stores;
use crate::world::*;

/// Reports immediately whom a mail was for.
struct Post(mpsc::UnboundedSender<String>);

impl MailTransport for Post {
    async fn send(&self, mail: &Mail, _: &SendAttempt) -> Result<(), SendError> {
        self.0.send(mail.to.to_string()).map_err(|error| SendError::Temporary(error.to_string()))
    }
}

/// The shop never answers, the desk at once.
struct Ears {
    waiting: Arc<AtomicUsize>,
    told: mpsc::UnboundedSender<String>,
}

impl LogoutTransport for Ears {
    async fn post(&self, logout: &Logout) -> Result<(), SendError> {
        if logout.application.as_str() == "shop" {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        self.told
            .send(logout.application.to_string())
            .map_err(|error| SendError::Temporary(error.to_string()))
    }
}

/// No endpoint.
enum Nowhere {}

impl WebhookTransport for Nowhere {
    fn endpoint(&self) -> &str {
        match *self {}
    }

    async fn post(&self, _: &Webhook) -> Result<(), SendError> {
        match *self {}
    }
}

on_both_stores! {
    // One that does not answer is left alone while it is waited for, and the others are told.
    async fn an_application_that_hangs_keeps_no_other_waiting(world: &World) {
        world.has_account(ADA).await;
        let (shop, other) = (world.has_application(&listening()).await, world.has_application(&desk()).await);
        let who = world.session_of(ADA).await;
        for _ in 0..20 {
            world.shops(&shop, "openid", &who).await;
        }
        world.accounts.sign_out(&who, false, &client()).await.unwrap();
        let (told, mut heard) = mpsc::unbounded_channel();
        let waiting = Arc::<AtomicUsize>::default();
        let ears = Ears { waiting: Arc::clone(&waiting), told };
        let mail = Arc::new(Post(mpsc::unbounded_channel().0));
        let workers = Workers::start(&world.accounts, &mail, None::<Nowhere>).telling_applications(&world.accounts, ears);
        for _ in 0..3 {
            let who = world.session_of(ADA).await;
            world.shops(&other, "openid", &who).await;
            world.accounts.sign_out(&who, false, &client()).await.unwrap();
            assert_eq!(heard.recv().await.as_deref(), Some("desk"));
        }
        assert_eq!(waiting.load(Ordering::SeqCst), 4);
        workers.stop(std::time::Duration::ZERO).await;
    }

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
