//! What administrators and operators see of sign-ups and limits, and how they assist.

use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Actor, AuditActor, AuditEvent, AuditKind, Client, MailQuery, NewUser, OpenRegistration,
    RegistrationId, RegistrationQuery, Resent, SendError, SignedIn, StatsPeriod, Terms, UserRef,
};

/// A signed-in administrator.
pub(crate) async fn administrator(world: &World) -> (Account, SignedIn) {
    let admin = NewUser {
        display_name: None,
        email: address("root@example.org"),
        password: password(PASSWORD),
        user_name: None,
        roles: vec!["admin".into()],
    };
    let root = world.accounts.create_user(Actor::Operator, admin).await.unwrap();
    (root, signed_in(world, "root@example.org").await)
}

async fn signed_in(world: &World, email: &str) -> SignedIn {
    let tokens = world.signs_in(email, PASSWORD).await.unwrap();
    world.accounts.authenticate(tokens.access_token.expose()).await.unwrap()
}

async fn open(world: &World) -> Vec<OpenRegistration> {
    let query = RegistrationQuery::default();
    world.accounts.list_registrations(Actor::Operator, &query).await.unwrap().items
}

pub(crate) async fn newest_entry(world: &World) -> AuditEvent {
    world.accounts.audit_after(Actor::Operator, None, None).await.unwrap().pop().unwrap()
}

async fn tries(world: &World, number: u8) {
    for from in 0..number {
        let (login, from) =
            (vestibule::Login::Email(address("ada@example.org")), client_at(&format!("10.0.{from}.1")));
        let refused = world.accounts.sign_in(&login, &password(OTHER_PASSWORD), &from).await;
        assert_eq!(refusal(refused), "Refused");
    }
}

on_both_stores! {
    // O4: open sign-ups, newest first; activated and expired ones are left out. No hash, no code.
    async fn open_sign_ups_are_listed_by_pages(world: &World) {
        world.has_account("owner@example.org").await;
        for number in 0..5 {
            world.signs_up(&format!("p{number}@example.org")).await;
            world.advance(seconds(1));
        }
        world.signs_up_with("OWNER@example.org", OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("owner@example.org"), ["already_registered"]);
        let mut query = RegistrationQuery { limit: Some(2), cursor: None };
        let mut found: Vec<OpenRegistration> = Vec::new();
        loop {
            let page = world.accounts.list_registrations(Actor::Operator, &query).await.unwrap();
            found.extend(page.items);
            let Some(cursor) = page.next_cursor else { break };
            query.cursor = Some(cursor);
        }
        let shown: Vec<_> = found.iter().map(|one| (one.email.as_str(), one.decoy)).collect();
        assert_eq!(shown, [("OWNER@example.org", true), ("p4@example.org", false), ("p3@example.org", false),
            ("p2@example.org", false), ("p1@example.org", false), ("p0@example.org", false)]);
        assert!(found.iter().all(|one| one.mailed_at == Some(one.created_at)));
        let text = format!("{found:?}");
        assert!(!text.contains("argon2") && !text.contains(PASSWORD), "{text}");
        let other = MailQuery { cursor: query.cursor, ..MailQuery::default() };
        assert_eq!(refusal(world.accounts.list_mail(Actor::Operator, &other).await), "CursorInvalid");
        world.advance(hours(24).checked_sub(seconds(1)).unwrap());
        assert_eq!(open(world).await.len(), 1, "only the newest is not late");
    }

    // S7: an administrator is bound by the same limits, and learns which of them refused.
    async fn another_mail_is_queued_within_the_limits(world: &World) {
        world.mailbox.fails(SendError::Temporary("down".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        let id = open(world).await[0].id;
        let again = async || world.accounts.resend_registration(Actor::Operator, id).await.unwrap();
        assert_eq!(again().await, Resent::OneWaits);
        world.mailbox.works_again();
        world.advance(seconds(60));
        world.deliver().await;
        world.letter_to("ada@example.org");
        assert_eq!(again().await, Resent::TooSoon);
        let mut queued = 0;
        loop {
            world.advance(hours(1));
            match again().await {
                Resent::Queued => queued += 1,
                refused => break assert_eq!(refused, Resent::TooMany),
            }
            world.deliver().await;
            let last = queued + 1 == world.accounts.policy().sign_up.mails_per_day;
            assert_eq!(world.kinds_to("ada@example.org"), [if last { "choose_password" } else { "confirm" }]);
        }
        assert_eq!(queued + 1, world.accounts.policy().sign_up.mails_per_day, "with the one of the sign-up");
        let entry = newest_entry(world).await;
        assert_eq!((entry.kind, entry.actor), (AuditKind::Assisted, AuditActor::Operator));
        assert_eq!(entry.email.as_deref(), Some("a***@example.org"));
    }

    // O4: support confirms by hand; the password is that of the sign-up, and the trail records who did it.
    async fn a_sign_up_is_confirmed_by_hand(world: &World) {
        let (root, who) = administrator(world).await;
        let from = client_at("198.51.100.7");
        let letter = world.signs_up("ada@example.org").await;
        let id = open(world).await[0].id;
        let ada = world.accounts.confirm_registration(Actor::User(&who, &from), id).await.unwrap();
        let entry = newest_entry(world).await;
        assert_eq!((entry.kind, entry.actor, entry.user_id), (AuditKind::Activated, AuditActor::User(root.id), Some(ada.id)));
        assert_eq!((entry.detail.as_deref(), entry.ip.as_deref()), (Some("by hand"), Some("198.51.100.7")));
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        assert!(open(world).await.is_empty());
        let again = world.accounts.confirm_registration(Actor::Operator, id).await;
        assert_eq!(refusal(again), "AlreadyActive");
        assert_eq!(refusal(world.accounts.resend_registration(Actor::Operator, id).await), "AlreadyActive");
        assert_eq!(refusal(world.clicks(&letter.token(), Some(PASSWORD)).await), "LinkUsed");
    }

    // S3, S5: a sign-up that cannot become a user cannot be confirmed by hand either.
    async fn what_cannot_be_confirmed_by_hand(world: &World) {
        let confirms = async |id: RegistrationId| refusal(world.accounts.confirm_registration(Actor::Operator, id).await);
        world.has_account("owner@example.org").await;
        world.signs_up_with("owner@example.org", OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("owner@example.org"), ["already_registered"]);
        let decoy = open(world).await[0].id;
        assert_eq!(confirms(decoy).await, "Decoy");
        // Even if the account is deleted meanwhile: its mail must not go to the decoy.
        world.deletes("owner@example.org").await;
        assert_eq!(confirms(decoy).await, "Decoy");
        let wish = vestibule::SignUp { user_name: Some("ada".parse().unwrap()), ..wish("ada@example.org", PASSWORD) };
        world.accounts.sign_up(wish, &client()).await.unwrap();
        world.deliver().await;
        world.letter_to("ada@example.org");
        let named = NewUser { display_name: None, email: address("other@example.org"), password: password(PASSWORD),
            user_name: Some("Ada".parse().unwrap()), roles: Vec::new() };
        world.accounts.create_user(Actor::Operator, named).await.unwrap();
        let id = open(world).await[0].id;
        assert_eq!(confirms(id).await, "UserNameTaken");
        assert_eq!((open(world).await[0].id, open(world).await[0].decoy), (id, false), "nothing was changed");
        world.advance(hours(24));
        assert_eq!(confirms(id).await, "NotFound");
        assert_eq!(refusal(world.accounts.resend_registration(Actor::Operator, id).await), "NotFound");
    }

    // S5: by hand and by code at the same moment, over two instances: one user is created.
    async fn one_of_two_confirmations_wins(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        let id = open(world).await[0].id;
        let other = world.another_instance().await;
        let code = letter.code();
        let (by_hand, by_code) = tokio::join!(
            other.confirm_registration(Actor::Operator, id),
            confirm(&world.accounts, "ada@example.org", PASSWORD, &code),
        );
        assert!(by_hand.is_ok() != by_code.is_ok(), "{by_hand:?} {by_code:?}");
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // L2: what support sees of a locked-out user, and how it lets them in.
    async fn failures_are_shown_and_forgotten(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        tries(world, 5).await;
        world.accounts.forgot_password(&address("ada@example.org"), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_reset"]);
        let whose = UserRef::Id(ada.id);
        let limits = world.accounts.account_limits(Actor::Operator, &whose).await.unwrap();
        assert_eq!((limits.failures, limits.closed_until), (5, Some(world.clock.now() + seconds(1))));
        assert_eq!((limits.codes_sent.day, limits.codes_failed.day, limits.closed_for_good), (1, 0, false));
        assert_eq!((limits.mails_requested.day, limits.resets_requested.month), (2, 1), "a sign-up and a reset");
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Limited { retry_after: 1s }");
        let reason = "rang us".parse().unwrap();
        let before = world.accounts.clear_limits(Actor::Operator, &whose, Some(&reason)).await.unwrap();
        assert_eq!(before, limits);
        let entry = newest_entry(world).await;
        assert_eq!((entry.kind, entry.actor, entry.user_id), (AuditKind::LimitsCleared, AuditActor::Operator, Some(ada.id)));
        assert_eq!(entry.detail.as_deref(), Some("forgot 5 wrong passwords and 0 wrong codes; reason: rang us"));
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let after = world.accounts.account_limits(Actor::Operator, &whose).await.unwrap();
        assert_eq!((after.failures, after.closed_until, after.codes_sent.day), (0, None, 1));
    }

    // L2: also after the hard stop.
    async fn an_account_that_is_closed_for_good_is_opened(world: &World) {
        world.has_account("ada@example.org").await;
        let strict = world.instance_with(|policy| policy.sign_in.hard_stop = 5).await;
        tries(world, 5).await;
        let whose = UserRef::Email(address("ADA@example.org"));
        assert!(strict.account_limits(Actor::Operator, &whose).await.unwrap().closed_for_good);
        strict.clear_limits(Actor::Operator, &whose, None).await.unwrap();
        let login = vestibule::Login::Email(address("ada@example.org"));
        strict.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
    }

    // C4, S6: an address without an account has counts as well; clearing them re-enables its codes and links.
    async fn codes_are_counted_and_forgotten_before_there_is_an_account(world: &World) {
        let whose = UserRef::Email(address("ada@example.org"));
        let mut letter = world.signs_up("ada@example.org").await;
        for _ in 0..5 {
            for _ in 0..3 {
                world.confirms("ada@example.org", PASSWORD, &letter.wrong_code()).await.unwrap_err();
            }
            world.advance(hours(1));
            world.asks_again("ada@example.org").await;
            letter = world.letter_to("ada@example.org");
        }
        for number in 0..5 {
            let from: Client = client_at(&format!("10.1.{number}.1"));
            let wrong = world.accounts.confirm_by_link(&letter.token(), Some(&password(OTHER_PASSWORD)), None, Terms::Unanswered, &from).await;
            assert_eq!(refusal(wrong), "Refused");
        }
        assert_eq!(refusal(world.clicks(&letter.token(), Some(PASSWORD)).await), "Limited { retry_after: 1s }");
        let limits = world.accounts.account_limits(Actor::Operator, &whose).await.unwrap();
        assert_eq!((limits.account, limits.failures, limits.link_failures), (None, 0, 5));
        assert_eq!((limits.codes_sent.day, limits.codes_failed.day, limits.mails_requested.month), (5, 15, 6));
        world.accounts.clear_limits(Actor::Operator, &whose, None).await.unwrap();
        let entry = newest_entry(world).await;
        assert_eq!((entry.user_id, entry.email.as_deref()), (None, Some("a***@example.org")));
        let after = world.accounts.account_limits(Actor::Operator, &whose).await.unwrap();
        assert_eq!((after.codes_failed.month, after.link_failures, after.codes_sent.day), (0, 0, 5));
        world.clicks(&letter.token(), Some(PASSWORD)).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        for nobody in [UserRef::UserName("nobody-there".parse().unwrap()),
            UserRef::Id("usr_00000000000000000000000000".parse().unwrap())] {
            assert_eq!(refusal(world.accounts.account_limits(Actor::Operator, &nobody).await), "NotFound");
            assert_eq!(refusal(world.accounts.clear_limits(Actor::Operator, &nobody, None).await), "NotFound");
        }
    }

    // O4: the numbers of the overview, day by day in UTC.
    async fn the_overview_counts(world: &World) {
        world.has_account("ada@example.org").await;
        tries(world, 2).await;
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let bob = world.has_account("bob@example.org").await;
        world.accounts.disable_user(Actor::Operator, &UserRef::Id(bob.id), None).await.unwrap();
        world.advance(hours(24));
        let session = signed_in(world, "ada@example.org").await;
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        world.accounts.sign_out(&session, false, &client()).await.unwrap();
        world.mailbox.fails(SendError::Permanent("refused".into()));
        world.signs_up_with("dead@example.org", PASSWORD).await.unwrap();
        world.mailbox.fails(SendError::Temporary("down".into()));
        world.signs_up_with("late@example.org", PASSWORD).await.unwrap();
        let queued = world.clock.now();
        world.advance(seconds(20));
        let stats = world.accounts.stats(Actor::Operator, StatsPeriod::Month).await.unwrap();
        assert_eq!((stats.users_active, stats.users_disabled, stats.registrations_open), (1, 1, 2));
        assert_eq!(stats.sessions_live, 2, "one of today, one of yesterday; one was ended");
        assert_eq!((stats.mails_waiting, stats.mails_failed, stats.oldest_mail_at), (1, 1, Some(queued)));
        assert_eq!(stats.waiting_error.as_deref(), Some("down"));
        assert_eq!(stats.days.len(), 30);
        // The test clock starts at 2027-01-15T08:00:00Z.
        let days: Vec<_> = stats.days[28..].iter()
            .map(|day| (day.day.to_string(), day.sign_ups, day.activations, day.sign_ins, day.failed_sign_ins)).collect();
        assert_eq!(days, [("2027-01-15T00:00:00.000Z".to_owned(), 2, 2, 1, 2), ("2027-01-16T00:00:00.000Z".to_owned(), 2, 0, 2, 0)]);
        assert!(stats.days[..28].iter().all(|day| day.sign_ups + day.sign_ins == 0));
        // A new day begins at midnight.
        world.advance(hours(16).checked_sub(seconds(21)).unwrap());
        assert_eq!(world.accounts.stats(Actor::Operator, StatsPeriod::Month).await.unwrap().days[29].sign_ups, 2);
        world.advance(seconds(1));
        let stats = world.accounts.stats(Actor::Operator, StatsPeriod::Month).await.unwrap();
        assert_eq!((stats.days[29].sign_ups, stats.days[28].sign_ups), (0, 2));
        // The days this instance has cached are those another one reads.
        world.advance(seconds(600));
        let remembered = world.accounts.stats(Actor::Operator, StatsPeriod::Month).await.unwrap();
        assert_eq!(world.accounts.stats(Actor::Operator, StatsPeriod::Month).await.unwrap(), remembered);
        assert_eq!(world.another_instance().await.stats(Actor::Operator, StatsPeriod::Month).await.unwrap(), remembered);
        world.mailbox.works_again();
        world.deliver().await;
        world.letter_to("late@example.org");
        let stats = world.accounts.stats(Actor::Operator, StatsPeriod::Month).await.unwrap();
        assert_eq!((stats.mails_waiting, stats.waiting_error), (0, None), "the dead letter does not wait");
        // Whole days are compared with as many before them.
        let week = world.accounts.stats(Actor::Operator, StatsPeriod::Week).await.unwrap();
        assert_eq!((&week.days[..], week.days_before.len()), (&stats.days[23..], 6));
        assert_eq!(week.days_before, stats.days[17..23]);
        world.advance(hours(24 * 7));
        let later = world.accounts.stats(Actor::Operator, StatsPeriod::Week).await.unwrap();
        assert_eq!(later.days_before.iter().map(|day| day.sign_ups).collect::<Vec<_>>(), [0, 0, 0, 2, 2, 0]);
        let quarter = world.accounts.stats(Actor::Operator, StatsPeriod::Quarter).await.unwrap();
        assert_eq!((quarter.days.len(), quarter.days_before.len()), (90, 89));
        assert_eq!(quarter.days.iter().map(|day| day.sign_ups).sum::<i64>(), 4);
        // What the trail does not keep is not compared: a week and its six days before are twelve days and a part of today.
        for (kept, days_before) in [(13, 6), (12, 0)] {
            let forgetful = world.instance_with(|policy| policy.audit_retention = hours(24 * kept)).await;
            let week = forgetful.stats(Actor::Operator, StatsPeriod::Week).await.unwrap();
            assert_eq!((week.days.len(), week.days_before.len()), (7, days_before), "{kept} days kept");
        }
    }

    // O4, J5: without the role, none of this is visible or possible.
    async fn others_are_refused(world: &World) {
        world.has_account("eve@example.org").await;
        let (eve, from) = (signed_in(world, "eve@example.org").await, client());
        let actor = Actor::User(&eve, &from);
        let (mail, sign_up) = ("msg_00000000000000000000000000", "reg_00000000000000000000000000");
        let (mail, sign_up) = (mail.parse().unwrap(), sign_up.parse().unwrap());
        let whose = UserRef::Id(eve.account.id);
        let accounts = &world.accounts;
        assert_eq!(refusal(accounts.list_registrations(actor, &RegistrationQuery::default()).await), "Forbidden");
        assert_eq!(refusal(accounts.resend_registration(actor, sign_up).await), "Forbidden");
        assert_eq!(refusal(accounts.confirm_registration(actor, sign_up).await), "Forbidden");
        assert_eq!(refusal(accounts.list_mail(actor, &MailQuery::default()).await), "Forbidden");
        assert_eq!(refusal(accounts.retry_mail(actor, mail).await), "Forbidden");
        assert_eq!(refusal(accounts.retry_failed_mail(actor).await), "Forbidden");
        assert_eq!(refusal(accounts.drop_mail(actor, mail).await), "Forbidden");
        assert_eq!(refusal(accounts.account_limits(actor, &whose).await), "Forbidden");
        assert_eq!(refusal(accounts.clear_limits(actor, &whose, None).await), "Forbidden");
        assert_eq!(refusal(accounts.stats(actor, StatsPeriod::Month).await), "Forbidden");
    }
}
