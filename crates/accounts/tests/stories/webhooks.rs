use std::sync::Mutex;

use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Accounts, Actor, Delivered, MailContent, NewUser, SendError, SignedIn, Terms, UserId, UserRef,
    Webhook, WebhookEvent, WebhookSubscription, WebhookTransport,
};

/// An endpoint that accepts everything except what it refuses.
struct Receiver {
    name: &'static str,
    heard: Mutex<Vec<Webhook>>,
    refuses: Mutex<Option<(Option<UserId>, SendError)>>,
}

impl Receiver {
    fn new(name: &'static str) -> Self {
        Self { name, heard: Mutex::default(), refuses: Mutex::default() }
    }

    /// Refuses events of this user, or all events.
    fn refuses(&self, user: Option<UserId>, error: SendError) {
        *self.refuses.lock().unwrap() = Some((user, error));
    }

    /// Runs the worker until nothing is due; returns the events and users received.
    async fn hears(&self, accounts: &Accounts) -> Vec<(String, UserId)> {
        while accounts.deliver_webhooks(self).await.unwrap().sent > 0 {}
        let mut heard: Vec<Webhook> = self.heard.lock().unwrap().drain(..).collect();
        heard.sort_by_key(|webhook| webhook.id);
        heard.into_iter().map(|webhook| (webhook.event, webhook.user_id)).collect()
    }
}

impl WebhookTransport for Receiver {
    fn endpoint(&self) -> &str {
        self.name
    }

    async fn post(&self, webhook: &Webhook) -> Result<(), SendError> {
        match &*self.refuses.lock().unwrap() {
            Some((user, error)) if user.is_none_or(|user| user == webhook.user_id) => Err(error.clone()),
            _ => {
                self.heard.lock().unwrap().push(webhook.clone());
                Ok(())
            }
        }
    }
}

/// An instance that posts every event to these endpoints.
pub(crate) async fn telling(world: &World, endpoints: &[&str]) -> Accounts {
    let all = |name: &&str| WebhookSubscription {
        endpoint: (*name).to_owned(),
        events: WebhookEvent::ALL.to_vec(),
    };
    world.instance_with(|policy| policy.webhooks = endpoints.iter().map(all).collect()).await
}

fn new_user(email: &str, roles: &[&str]) -> NewUser {
    NewUser {
        display_name: None,
        email: address(email),
        password: password(PASSWORD),
        user_name: None,
        roles: roles.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) async fn creates(accounts: &Accounts, email: &str) -> Account {
    accounts.create_user(Actor::Operator, new_user(email, &[])).await.unwrap()
}

async fn signed_in(world: &World, email: &str) -> SignedIn {
    signed_in_with(world, email, PASSWORD).await
}

async fn signed_in_with(world: &World, email: &str, secret: &str) -> SignedIn {
    let tokens = world.signs_in(email, secret).await.unwrap();
    world.accounts.authenticate(tokens.access_token.expose()).await.unwrap()
}

/// Requests another address; returns the tokens of the change and of its undoing.
async fn wants(world: &World, who: &SignedIn, secret: &str, old: &str, new: &str) -> [String; 2] {
    world.accounts.change_email(who, &address(new), &password(secret), &client()).await.unwrap();
    world.deliver().await;
    [new, old].map(|email| {
        let mails = world.take_mails_to(email);
        let link = mails.iter().find_map(|mail| match &mail.content {
            MailContent::EmailChange { link, .. } | MailContent::EmailUndo { link, .. } => Some(link),
            _ => None,
        });
        link.unwrap().expose().split_once("?token=").unwrap().1.to_owned()
    })
}

fn event(event: &str, user: UserId) -> (String, UserId) {
    (event.to_owned(), user)
}

on_both_stores! {
    async fn a_user_is_created_by_code_by_link_and_by_an_operator(world: &World) {
        let (accounts, receiver) = (telling(world, &["app"]).await, Receiver::new("app"));
        let letter = world.signs_up("ada@example.org").await;
        // A sign-up is not a user yet.
        assert_eq!(receiver.hears(&accounts).await, []);
        let wrong = confirm(&accounts, "ada@example.org", PASSWORD, &letter.wrong_code()).await;
        assert!(refusal(wrong).starts_with("CodeInvalid"));
        assert_eq!(receiver.hears(&accounts).await, []);
        let ada = confirm(&accounts, "ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        let letter = world.signs_up("bob@example.org").await;
        let secret = password(PASSWORD);
        let bob = accounts.confirm_by_link(&letter.token(), Some(&secret), None, Terms::Unanswered, &client()).await.unwrap();
        let carol = creates(&accounts, "carol@example.org").await;
        let taken = accounts.create_user(Actor::Operator, new_user("ada@example.org", &[])).await;
        assert_eq!(refusal(taken), "EmailTaken");
        let born = [ada.id, bob.id, carol.id].map(|id| event("user.created", id));
        assert_eq!(receiver.hears(&accounts).await, born);
        world.deliver().await;
        assert_eq!([world.kinds_to("ada@example.org"), world.kinds_to("bob@example.org")], [["welcome"], ["welcome"]]);
    }

    async fn a_user_is_deleted_by_themselves_and_by_an_administrator(world: &World) {
        let (ada, bob) = (creates(&world.accounts, "ada@example.org").await, creates(&world.accounts, "bob@example.org").await);
        let root = world.accounts.create_user(Actor::Operator, new_user("root@example.org", &["admin"])).await.unwrap();
        let (accounts, receiver) = (telling(world, &["app"]).await, Receiver::new("app"));
        let who = signed_in(world, "ada@example.org").await;
        let wrong = accounts.delete_account(&who, &password(OTHER_PASSWORD), &client()).await;
        assert_eq!(refusal(wrong), "Refused");
        assert_eq!(refusal(accounts.delete_user(Actor::Operator, &UserRef::Id(root.id), &vestibule::Expected::Any, None).await), "LastAdmin");
        assert_eq!(receiver.hears(&accounts).await, []);
        accounts.delete_account(&who, &password(PASSWORD), &client()).await.unwrap();
        accounts.delete_user(Actor::Operator, &UserRef::Id(bob.id), &vestibule::Expected::Any, None).await.unwrap();
        let gone = [ada.id, bob.id].map(|id| event("user.deleted", id));
        assert_eq!(receiver.hears(&accounts).await, gone);
    }

    async fn of_parallel_deletions_and_disablings_one_is_told(world: &World) {
        let (accounts, receiver) = (telling(world, &["app"]).await, Receiver::new("app"));
        let ada = creates(&accounts, "ada@example.org").await;
        let other = telling(world, &["app"]).await;
        let user = UserRef::Id(ada.id);
        let both = |n: usize| if n.is_multiple_of(2) { &accounts } else { &other };
        let disabled = futures_util::future::join_all((0..8).map(|n| both(n).disable_user(Actor::Operator, &user, None))).await;
        assert!(disabled.iter().all(Result::is_ok), "a second time changes nothing: {disabled:?}");
        let deleted = futures_util::future::join_all((0..8).map(|n| both(n).delete_user(Actor::Operator, &user, &vestibule::Expected::Any, None))).await;
        assert!(deleted.iter().any(Result::is_ok), "{deleted:?}");
        let told = ["user.created", "user.disabled", "user.deleted"].map(|name| event(name, ada.id));
        assert_eq!(receiver.hears(&accounts).await, told);
    }

    async fn a_disabled_user_is_told_again_after_being_enabled(world: &World) {
        let ada = creates(&world.accounts, "ada@example.org").await;
        let (accounts, receiver) = (telling(world, &["app"]).await, Receiver::new("app"));
        let user = UserRef::Id(ada.id);
        accounts.disable_user(Actor::Operator, &user, None).await.unwrap();
        accounts.enable_user(Actor::Operator, &user, None).await.unwrap();
        accounts.disable_user(Actor::Operator, &user, None).await.unwrap();
        assert_eq!(receiver.hears(&accounts).await, [event("user.disabled", ada.id), event("user.disabled", ada.id)]);
    }

    async fn an_address_that_changes_and_changes_back_is_told_twice(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        let (accounts, receiver) = (telling(world, &["app"]).await, Receiver::new("app"));
        let who = signed_in(world, "ada@example.org").await;
        let [_, undo] = wants(world, &who, PASSWORD, "ada@example.org", "countess@example.net").await;
        // Nothing has changed yet, and an undo of nothing changes nothing.
        accounts.undo_email(&undo, &password(OTHER_PASSWORD), &client()).await.unwrap();
        assert_eq!(receiver.hears(&accounts).await, []);
        let who = signed_in_with(world, "ada@example.org", OTHER_PASSWORD).await;
        let [change, undo] = wants(world, &who, OTHER_PASSWORD, "ada@example.org", "countess@example.net").await;
        accounts.confirm_email(&change, vestibule::EmailProof::Session(&who), &client()).await.unwrap();
        assert_eq!(receiver.hears(&accounts).await, [event("user.email_changed", ada.id)]);
        accounts.undo_email(&undo, &password(PASSWORD), &client()).await.unwrap();
        let again = accounts.undo_email(&undo, &password(OTHER_PASSWORD), &client()).await;
        assert_eq!(refusal(again), "Link(Used)");
        assert_eq!(receiver.hears(&accounts).await, [event("user.email_changed", ada.id)]);
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
    }

    // M7: no user without the event, and no event without the user.
    async fn an_event_is_committed_with_its_cause_or_not_at_all(world: &World) {
        let (accounts, receiver) = (telling(world, &["app"]).await, Receiver::new("app"));
        world.sql("ALTER TABLE webhook_deliveries RENAME TO away");
        let refused = accounts.create_user(Actor::Operator, new_user("ada@example.org", &[])).await;
        assert!(refusal(refused).starts_with("Fault(Unavailable("));
        world.sql("ALTER TABLE away RENAME TO webhook_deliveries");
        let ada = UserRef::Email(address("ada@example.org"));
        assert_eq!(refusal(accounts.find_user(Actor::Operator, &ada).await), "NotFound");
        // An activation that fails at its last statement, the welcome mail.
        let letter = world.signs_up("bob@example.org").await;
        world.sql("ALTER TABLE outbox RENAME TO away");
        let refused = confirm(&accounts, "bob@example.org", PASSWORD, &letter.code()).await;
        assert!(refusal(refused).starts_with("Fault(Unavailable("));
        world.sql("ALTER TABLE away RENAME TO outbox");
        assert_eq!(receiver.hears(&accounts).await, []);
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries"), 0);
        confirm(&accounts, "bob@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(receiver.hears(&accounts).await.len(), 1);
        world.deliver().await;
        assert_eq!(world.kinds_to("bob@example.org"), ["welcome"]);
    }

    async fn without_endpoints_nothing_is_written(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        world.accounts.disable_user(Actor::Operator, &UserRef::Id(ada.id), None).await.unwrap();
        world.accounts.delete_user(Actor::Operator, &UserRef::Id(ada.id), &vestibule::Expected::Any, None).await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries"), 0);
        let step = world.accounts.deliver_webhooks(&Receiver::new("app")).await.unwrap();
        assert_eq!(step, Delivered::default());
    }

    async fn an_endpoint_hears_what_it_wants(world: &World) {
        let subscription = |endpoint: &str, events: &[WebhookEvent]| {
            WebhookSubscription { endpoint: endpoint.to_owned(), events: events.to_vec() }
        };
        let accounts = world.instance_with(|policy| policy.webhooks = vec![
            subscription("births", &[WebhookEvent::UserCreated]),
            subscription("all", &WebhookEvent::ALL),
        ]).await;
        let ada = creates(&accounts, "ada@example.org").await;
        accounts.delete_user(Actor::Operator, &UserRef::Id(ada.id), &vestibule::Expected::Any, None).await.unwrap();
        let (births, all) = (Receiver::new("births"), Receiver::new("all"));
        accounts.deliver_webhooks(&births).await.unwrap();
        accounts.deliver_webhooks(&all).await.unwrap();
        let id = |receiver: &Receiver| receiver.heard.lock().unwrap().iter().map(|it| it.id).min().unwrap();
        assert_eq!(id(&births), id(&all), "one event, whoever hears it");
        assert_eq!(births.hears(&accounts).await, [event("user.created", ada.id)]);
        assert_eq!(all.hears(&accounts).await, [event("user.created", ada.id), event("user.deleted", ada.id)]);
    }

    // M6, M7: failures are retried after 30 s, 60 s, 120 s …, and given up after three days; they delay neither the
    // other events of the endpoint nor other endpoints.
    async fn a_poisoned_event_blocks_nobody(world: &World) {
        let accounts = telling(world, &["app", "audit"]).await;
        let (app, audit) = (Receiver::new("app"), Receiver::new("audit"));
        let bad = creates(&accounts, "bad@example.org").await;
        for number in 0..20 {
            creates(&accounts, &format!("good-{number}@example.org")).await;
        }
        app.refuses(Some(bad.id), SendError::Temporary("500".into()));
        let first = accounts.deliver_webhooks(&app).await.unwrap();
        assert_eq!((first.sent, first.delayed), (15, 1));
        let mut step = accounts.deliver_webhooks(&app).await.unwrap();
        assert_eq!((step.sent, step.delayed), (5, 0));
        assert_eq!(audit.hears(&accounts).await.len(), 21);
        let (start, mut waits) = (world.clock.now(), Vec::new());
        while let Some(due) = step.next_due {
            waits.push(due.since(world.clock.now()).as_secs());
            world.advance(due.since(world.clock.now()));
            step = accounts.deliver_webhooks(&app).await.unwrap();
        }
        for (wait, base) in waits.iter().zip([30, 60, 120, 240, 480, 960, 1920, 3600, 3600]) {
            assert!((base..=base * 5 / 4).contains(wait), "{waits:?}");
        }
        assert_eq!((step.failed, step.delayed), (1, 0));
        let tried = world.clock.now().since(start);
        assert!(tried > hours(70) && tried < hours(72), "{tried:?}");
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries WHERE failed_at IS NOT NULL AND last_error = '500'"), 1);
        assert_eq!(app.hears(&accounts).await.len(), 20);
    }

    async fn an_endpoint_that_is_gone_is_not_asked_again(world: &World) {
        let (accounts, receiver) = (telling(world, &["app"]).await, Receiver::new("app"));
        creates(&accounts, "ada@example.org").await;
        receiver.refuses(None, SendError::Permanent("410".into()));
        let step = accounts.deliver_webhooks(&receiver).await.unwrap();
        assert_eq!((step.failed, step.next_due), (1, None));
    }

    // M7: if a worker dies after posting, the event is repeated: the same id, the same bytes, another signing time.
    async fn an_event_of_a_dead_worker_comes_back(world: &World) {
        let accounts = telling(world, &["app"]).await;
        creates(&accounts, "ada@example.org").await;
        let dying = Dying { receiver: Receiver::new("app"), handed_over: tokio::sync::Notify::new() };
        tokio::select! {
            step = accounts.deliver_webhooks(&dying) => panic!("the worker came back: {step:?}"),
            () = dying.handed_over.notified() => {} // dies before it can record it
        }
        let receiver = Receiver::new("app");
        world.advance(seconds(14));
        assert_eq!(receiver.hears(&accounts).await, [], "the lease still holds");
        world.advance(seconds(1));
        accounts.deliver_webhooks(&receiver).await.unwrap();
        let (first, second) = (dying.receiver.heard.lock().unwrap(), receiver.heard.lock().unwrap());
        let ([first], [second]) = (first.as_slice(), second.as_slice()) else { panic!("{first:?} {second:?}") };
        assert_eq!((first.id, first.payload()), (second.id, second.payload()));
        assert_eq!(second.attempted_at.since(first.attempted_at), seconds(15));
    }

    async fn workers_side_by_side_do_not_double_events(world: &World) {
        let (accounts, other) = (telling(world, &["app"]).await, telling(world, &["app"]).await);
        for number in 0..24 {
            creates(&accounts, &format!("p{number}@example.org")).await;
        }
        let receiver = Receiver::new("app");
        let steps = (0..8).map(|n| if n % 2 == 0 { &accounts } else { &other }.deliver_webhooks(&receiver));
        let sent: usize = futures_util::future::join_all(steps).await.into_iter().map(|step| step.unwrap().sent).sum();
        assert_eq!((sent, receiver.hears(&accounts).await.len()), (24, 24));
    }

    // X4: what endpoints received about a user is part of the data stored about them.
    async fn an_export_has_what_others_were_told(world: &World) {
        let (accounts, receiver) = (telling(world, &["app"]).await, Receiver::new("app"));
        let ada = creates(&accounts, "ada@example.org").await;
        creates(&accounts, "bob@example.org").await;
        let who = signed_in(world, "ada@example.org").await;
        let told = |sent_at| [("user.created".to_owned(), ada.created_at, sent_at)];
        assert_eq!(accounts.export_account(&who, &client()).await.unwrap().webhooks, told(None));
        receiver.hears(&accounts).await;
        assert_eq!(accounts.export_account(&who, &client()).await.unwrap().webhooks, told(Some(world.clock.now())));
    }

    // Also deliveries for an endpoint that no worker serves any longer.
    async fn old_deliveries_are_swept(world: &World) {
        let (accounts, receiver) = (telling(world, &["app", "gone"]).await, Receiver::new("app"));
        creates(&accounts, "ada@example.org").await;
        receiver.hears(&accounts).await;
        world.advance(hours(29 * 24));
        accounts.sweep().await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries"), 2);
        world.advance(hours(24));
        accounts.sweep().await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries"), 0);
    }
}

/// Receives the event and dies before recording it.
struct Dying {
    receiver: Receiver,
    handed_over: tokio::sync::Notify,
}

impl WebhookTransport for Dying {
    fn endpoint(&self) -> &str {
        self.receiver.endpoint()
    }

    async fn post(&self, webhook: &Webhook) -> Result<(), SendError> {
        self.receiver.post(webhook).await?;
        self.handed_over.notify_one();
        std::future::pending().await
    }
}
