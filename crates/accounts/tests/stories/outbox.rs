//! What administrators and operators see of the outbox, and how they manage it.

use crate::assistance::newest_entry;
use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Accounts, Actor, AuditKind, MailId, MailQuery, MailState, NewInvitation, QueuedMail, Roles, SendError,
    Terms, UserRef,
};

async fn outbox(world: &World, state: Option<MailState>) -> Vec<QueuedMail> {
    let query = MailQuery { state, ..MailQuery::default() };
    world.accounts.list_mail(Actor::Operator, &query).await.unwrap().items
}

/// Every page of this state, two messages each.
async fn pages(accounts: &Accounts, state: Option<MailState>) -> Vec<MailId> {
    let mut query = MailQuery { state, limit: Some(2), cursor: None };
    let mut found = Vec::new();
    loop {
        let page = accounts.list_mail(Actor::Operator, &query).await.unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items.iter().map(|mail| mail.id));
        let Some(cursor) = page.next_cursor else { return found };
        query.cursor = Some(cursor);
    }
}

on_both_stores! {
    // M7, O1: waiting, sent and failed messages, without a text or a secret.
    async fn the_outbox_is_listed_by_state(world: &World) {
        world.has_account("ada@example.org").await;
        world.mailbox.fails(SendError::Permanent("550 no such user".into()));
        world.signs_up_with("bad@example.org", PASSWORD).await.unwrap();
        world.mailbox.fails(SendError::Temporary("451 later".into()));
        world.signs_up_with("late@example.org", PASSWORD).await.unwrap();
        let all = outbox(world, None).await;
        let shown: Vec<_> = all.iter()
            .map(|mail| (mail.kind.as_str(), mail.state, mail.to.as_ref().unwrap().masked(), mail.attempts)).collect();
        assert_eq!(shown, [
            ("confirm", MailState::Waiting, "l***@example.org".into(), 1),
            ("confirm", MailState::Failed, "b***@example.org".into(), 1),
            ("welcome", MailState::Sent, "a***@example.org".into(), 1),
            ("confirm", MailState::Sent, "a***@example.org".into(), 1),
        ]);
        assert_eq!(all[1].last_error.as_deref(), Some("550 no such user"));
        for state in MailState::ALL {
            let of_state: Vec<_> = all.iter().filter(|mail| mail.state == state).cloned().collect();
            assert_eq!(outbox(world, Some(state)).await, of_state, "{state:?}");
        }
        world.mailbox.works_again();
        world.advance(seconds(60));
        world.deliver().await;
        world.letter_to("late@example.org");
        // An expired sign-up no longer names anyone; the dead letter stays.
        world.advance(hours(24));
        world.accounts.sweep().await.unwrap();
        assert_eq!(outbox(world, Some(MailState::Failed)).await[0].to, None);
    }

    // G1
    async fn the_outbox_is_read_page_by_page(world: &World) {
        world.mailbox.fails(SendError::Temporary("down".into()));
        for number in 0..5 {
            world.accounts.sign_up(wish(&format!("p{number}@example.org"), PASSWORD), &client()).await.unwrap();
        }
        let queued = pages(&world.accounts, None).await;
        assert_eq!(queued.len(), 5);
        assert!(queued.is_sorted_by(|one, next| one > next), "newest first");
        let mut by_turn = pages(&world.accounts, Some(MailState::Waiting)).await;
        assert!(by_turn.is_sorted(), "due at the same time: oldest first");
        world.deliver().await;
        by_turn = pages(&world.accounts, Some(MailState::Waiting)).await;
        let due: Vec<_> = outbox(world, Some(MailState::Waiting)).await.iter().map(|mail| mail.due_at).collect();
        assert!(by_turn.len() == 5 && due.is_sorted(), "{due:?}");
        let first = MailQuery { limit: Some(1), ..MailQuery::default() };
        let cursor = world.accounts.list_mail(Actor::Operator, &first).await.unwrap().next_cursor;
        let other = MailQuery { state: Some(MailState::Waiting), cursor, limit: None };
        assert_eq!(refusal(world.accounts.list_mail(Actor::Operator, &other).await), "CursorInvalid");
        world.mailbox.works_again();
        world.advance(seconds(60));
        world.deliver().await;
        for number in 0..5 {
            world.letter_to(&format!("p{number}@example.org"));
        }
    }

    // M7: a dead letter is tried again, under the same id.
    async fn a_dead_letter_is_tried_again(world: &World) {
        world.mailbox.fails(SendError::Permanent("550 no such user".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        let dead = outbox(world, Some(MailState::Failed)).await.remove(0);
        world.mailbox.works_again();
        let again = world.accounts.retry_mail(Actor::Operator, dead.id).await.unwrap();
        assert_eq!((again.state, again.due_at), (MailState::Waiting, Some(world.clock.now())));
        let entry = newest_entry(world).await;
        assert_eq!((entry.kind, entry.email.as_deref()), (AuditKind::Assisted, Some("a***@example.org")));
        assert_eq!(entry.detail, Some(format!("mail {} (confirm) tried again", dead.id)));
        world.deliver().await;
        let letter = world.letter_to("ada@example.org");
        assert_eq!(letter.mail.id, dead.id);
        let sent = world.accounts.retry_mail(Actor::Operator, dead.id).await;
        assert_eq!(refusal(sent), "AlreadySent");
        assert_eq!(refusal(world.accounts.drop_mail(Actor::Operator, dead.id).await), "AlreadySent");
        let unknown: MailId = "msg_00000000000000000000000000".parse().unwrap();
        assert_eq!(refusal(world.accounts.retry_mail(Actor::Operator, unknown).await), "NotFound");
        assert_eq!(refusal(world.accounts.drop_mail(Actor::Operator, unknown).await), "NotFound");
        // A message that waits for its next attempt can also be tried now.
        world.mailbox.fails(SendError::Temporary("down".into()));
        world.signs_up_with("bob@example.org", PASSWORD).await.unwrap();
        world.mailbox.works_again();
        let waiting = outbox(world, Some(MailState::Waiting)).await.remove(0);
        world.accounts.retry_mail(Actor::Operator, waiting.id).await.unwrap();
        world.deliver().await;
        world.letter_to("bob@example.org");
    }

    async fn all_dead_letters_are_tried_again(world: &World) {
        world.mailbox.fails(SendError::Permanent("refused".into()));
        for number in 0..3 {
            world.signs_up_with(&format!("p{number}@example.org"), PASSWORD).await.unwrap();
        }
        world.mailbox.works_again();
        assert_eq!(world.accounts.retry_failed_mail(Actor::Operator).await.unwrap(), 3);
        assert_eq!(newest_entry(world).await.detail.as_deref(), Some("3 dead letters tried again"));
        assert_eq!(world.accounts.retry_failed_mail(Actor::Operator).await.unwrap(), 0);
        world.deliver().await;
        for number in 0..3 {
            world.letter_to(&format!("p{number}@example.org"));
        }
    }

    async fn a_message_is_dropped_for_good(world: &World) {
        world.mailbox.fails(SendError::Temporary("down".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        let id = outbox(world, None).await[0].id;
        world.accounts.drop_mail(Actor::Operator, id).await.unwrap();
        assert!(outbox(world, None).await.is_empty());
        assert_eq!(newest_entry(world).await.detail, Some(format!("mail {id} (confirm) dropped")));
    }

    // M7, O1, O4: all mails to one user, whatever they were about, and to nobody else.
    async fn the_mails_to_a_user_are_listed(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        world.has_account("bob@example.org").await;
        let whose = UserRef::Id(ada.id);
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        world.advance(seconds(60));
        world.accounts.mail_reset_link(Actor::Operator, &whose, None).await.unwrap();
        world.deliver().await;
        let reset = world.take_mails_to("ada@example.org").remove(0);
        world.advance(seconds(60));
        world.mailbox.fails(SendError::Permanent("550 no such user".into()));
        world.accounts.change_email(&who, &address("ada@example.com"), &password(PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        let mails = world.accounts.mails_to(Actor::Operator, &whose).await.unwrap();
        let shown: Vec<_> = mails.iter()
            .map(|mail| (mail.kind.as_str(), mail.state, mail.to.as_ref().unwrap().as_str(), mail.attempts)).collect();
        assert_eq!(shown, [
            ("email_undo", MailState::Failed, "ada@example.org", 1),
            ("email_change", MailState::Failed, "ada@example.com", 1),
            ("password_reset", MailState::Sent, "ada@example.org", 1),
            ("welcome", MailState::Sent, "ada@example.org", 1),
            ("confirm", MailState::Sent, "ada@example.org", 1),
        ]);
        assert_eq!(mails[0].last_error.as_deref(), Some("550 no such user"));
        let vestibule::MailContent::PasswordReset { link, .. } = &reset.content else { panic!("{reset:?}") };
        assert!(!format!("{mails:?}").contains(link.expose().rsplit('=').next().unwrap()));
        assert_eq!(refusal(world.accounts.mails_to(Actor::User(&who, &client()), &whose).await), "Forbidden");
        let nobody = UserRef::Id("usr_00000000000000000000000000".parse().unwrap());
        assert_eq!(refusal(world.accounts.mails_to(Actor::Operator, &nobody).await), "NotFound");
    }

    // Links are deleted within the hour, sign-ups after a day; mails to a user are listed for a month. Pretended mails
    // for strangers' sign-ups are not among them.
    async fn mails_are_known_longer_than_their_links(world: &World) {
        world.signs_up_with("ada@example.org", OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["confirm"]);
        let whose = UserRef::Id(world.has_account("ada@example.org").await.id);
        world.advance(seconds(60));
        for _ in 0..3 {
            world.signs_up_with("ada@example.org", OTHER_PASSWORD).await.unwrap();
        }
        assert_eq!(world.kinds_to("ada@example.org"), ["already_registered"]);
        for _ in 0..2 {
            world.advance(seconds(60));
            world.accounts.forgot_password(&address("ada@example.org"), &client()).await.unwrap();
            world.deliver().await;
        }
        assert_eq!(world.kinds_to("ada@example.org"), ["password_reset", "password_reset"]);
        let kinds = async || {
            let mails = world.accounts.mails_to(Actor::Operator, &whose).await.unwrap();
            mails.into_iter().map(|mail| (mail.kind, mail.state)).collect::<Vec<_>>()
        };
        let expected = ["password_reset", "password_reset", "confirm", "welcome", "confirm", "confirm"]
            .map(|kind| (kind.to_owned(), MailState::Sent));
        assert_eq!(kinds().await, expected);
        world.advance(hours(25));
        while world.accounts.sweep().await.unwrap() > 0 {}
        assert_eq!(kinds().await, expected);
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        assert_eq!(world.accounts.export_account(&who, &client()).await.unwrap().mails.len(), expected.len());
        world.advance(hours(30 * 24));
        while world.accounts.sweep().await.unwrap() > 0 {}
        assert_eq!(kinds().await, []);
    }

    async fn the_newest_fifty_mails_to_a_user_are_listed(world: &World) {
        let operator = Actor::Operator;
        let invitation = NewInvitation {
            email: address("ada@example.org"), user_name: None, roles: Roles::default(), locale: None,
        };
        world.accounts.invite(operator, invitation).await.unwrap();
        world.deliver().await;
        let invited = world.take_mails_to("ada@example.org").remove(0);
        let vestibule::MailContent::Invitation { link, .. } = &invited.content else { panic!("{invited:?}") };
        let token = link.expose().rsplit('=').next().unwrap();
        world.accounts.accept_invitation(token, &password(PASSWORD), None, Terms::Unanswered, &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        let whose = UserRef::Email(address("ada@example.org"));
        let mails = world.accounts.mails_to(operator, &whose).await.unwrap();
        assert_eq!(mails.iter().map(|mail| mail.kind.as_str()).collect::<Vec<_>>(), ["welcome", "invitation"]);
        for number in 0..50 {
            let new = password(&format!("seven-green-bridges-{number}"));
            world.accounts.set_password(&whose, &new).await.unwrap();
        }
        world.deliver().await;
        let mails = world.accounts.mails_to(operator, &whose).await.unwrap();
        assert!(mails.len() == 50 && mails.iter().all(|mail| mail.kind == "password_changed"), "{mails:?}");
        assert!(mails.is_sorted_by(|one, next| one.id > next.id), "newest first");
        assert_eq!(world.take_mails_to("ada@example.org").len(), 50);
    }
}
