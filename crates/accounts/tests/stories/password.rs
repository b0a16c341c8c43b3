use crate::on_both_stores;
use crate::world::*;
use vestibule::{Actor, AuditKind, MailContent, NewInvitation, PasswordError, Roles, SignedIn, UserRef};

const NEW: &str = "seven-green-bridges-9";

async fn forgets(world: &World, email: &str) {
    world.accounts.forgot_password(&address(email), &client()).await.unwrap();
    world.deliver().await;
}

/// The token of the one unread reset mail.
fn reset_token(world: &World, email: &str) -> String {
    let mails = world.take_mails_to(email);
    let [mail] = mails.as_slice() else { panic!("one mail, not {}", mails.len()) };
    let MailContent::PasswordReset { link, .. } = &mail.content else { panic!("{:?}", mail.content.kind()) };
    link.expose().strip_prefix("https://accounts.example.org/reset?token=").unwrap().to_owned()
}

async fn resets(world: &World, token: &str, new: &str) -> Result<(), vestibule::ResetError> {
    let done = world.accounts.reset_password(token, &password(new), &client()).await;
    world.deliver().await;
    done
}

async fn signed_in(world: &World, email: &str, secret: &str) -> SignedIn {
    let tokens = world.signs_in(email, secret).await.unwrap();
    world.accounts.authenticate(tokens.access_token.expose()).await.unwrap()
}

on_both_stores! {
    // X1, X2
    async fn a_forgotten_password_is_reset_by_link(world: &World) {
        world.has_account("Ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        forgets(world, "ADA@example.org").await;
        let token = reset_token(world, "ada@example.org");
        resets(world, &token, NEW).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        // It does not sign in, and ends existing sessions.
        assert!(world.accounts.authenticate(tokens.access_token.expose()).await.is_err());
        assert!(world.accounts.refresh(tokens.refresh_token.expose(), &client()).await.is_err());
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Refused");
        world.signs_in("ada@example.org", NEW).await.unwrap();
        assert_eq!(refusal(resets(world, &token, PASSWORD).await), "Link(Used)");
    }

    // A user may have no password: then none signs in, none proves a change, and a link sets one.
    async fn who_has_no_password_is_refused_until_a_link_sets_one(world: &World) {
        world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        world.sql("UPDATE users SET password_hash = NULL");
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        for tried in [PASSWORD, NEW] {
            assert_eq!(refusal(world.signs_in("ada@example.org", tried).await), "Refused");
            let again = world.accounts.reauthenticate(&who, &password(tried), &client()).await;
            assert_eq!(refusal(again), "Refused");
        }
        forgets(world, "ada@example.org").await;
        let token = reset_token(world, "ada@example.org");
        resets(world, &token, NEW).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        world.signs_in("ada@example.org", NEW).await.unwrap();
    }

    // T3: half an hour.
    async fn a_reset_link_works_for_half_an_hour(world: &World) {
        world.has_account("ada@example.org").await;
        forgets(world, "ada@example.org").await;
        let token = reset_token(world, "ada@example.org");
        world.advance(seconds(30 * 60));
        assert_eq!(refusal(resets(world, &token, NEW).await), "Link(Expired)");
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    // X1: nobody learns whether there is an account, and no mailbox is flooded.
    async fn requests_are_limited_and_silent(world: &World) {
        forgets(world, "nobody@example.org").await;
        world.has_account("ada@example.org").await;
        forgets(world, "ada@example.org").await;
        let first = reset_token(world, "ada@example.org");
        world.advance(seconds(59));
        forgets(world, "ada@example.org").await;
        assert!(world.kinds_to("ada@example.org").is_empty());
        world.advance(seconds(1));
        forgets(world, "ada@example.org").await;
        let second = reset_token(world, "ada@example.org");
        // T2: the newer link voids the older one.
        assert_eq!(refusal(resets(world, &first, NEW).await), "Link(Expired)");
        for _ in 0..5 {
            world.advance(seconds(60));
            forgets(world, "ada@example.org").await;
        }
        assert_eq!(world.kinds_to("ada@example.org").len(), 3);
        assert_eq!(refusal(resets(world, &second, NEW).await), "Link(Expired)");
    }

    // X1: an address without an account gets the mail that leads to one, with the same answer.
    async fn whoever_has_no_account_yet_gets_what_leads_to_one(world: &World) {
        world.signs_up("pending@example.org").await;
        forgets(world, "pending@example.org").await;
        assert!(world.kinds_to("pending@example.org").is_empty(), "the code of a minute ago still works");
        world.advance(seconds(60));
        forgets(world, "pending@example.org").await;
        let letter = world.letter_to("pending@example.org");
        world.confirms("pending@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(world.kinds_to("pending@example.org"), ["welcome"]);
        let wish = NewInvitation { email: address("guest@example.org"), user_name: None, roles: Roles::default(), locale: None };
        world.accounts.invite(Actor::Operator, wish).await.unwrap();
        world.deliver().await;
        forgets(world, "guest@example.org").await;
        assert_eq!(world.kinds_to("guest@example.org"), ["invitation"; 2]);
        world.advance(hours(24 * 30));
        forgets(world, "guest@example.org").await;
        assert!(world.kinds_to("guest@example.org").is_empty());
    }

    // P3: a reset requires as good a password as a sign-up, and a refused one does not use up the link.
    async fn a_weak_new_password_leaves_the_link_alive(world: &World) {
        world.has_account("ada@example.org").await;
        forgets(world, "ada@example.org").await;
        let token = reset_token(world, "ada@example.org");
        assert_eq!(refusal(resets(world, &token, "password1").await), "Password(TooCommon)");
        resets(world, &token, NEW).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
    }

    // T2, T5: links of other kinds, of other servers and from before another change.
    async fn other_links_reset_nothing(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        assert_eq!(refusal(resets(world, &letter.token(), NEW).await), "Link(Expired)");
        world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        for token in ["", "x", &"A".repeat(43), &"ä".repeat(43), &"A".repeat(100_000)] {
            assert!(refusal(resets(world, token, NEW).await).starts_with("Link("), "{token}");
        }
        forgets(world, "ada@example.org").await;
        let token = reset_token(world, "ada@example.org");
        let mut changed = token.clone();
        changed.replace_range(42.., if token.ends_with('A') { "E" } else { "A" });
        assert_eq!(refusal(resets(world, &changed, NEW).await), "Link(Expired)");
        assert_eq!(refusal(world.clicks(&token, Some(PASSWORD)).await), "LinkInvalid");
        assert!(world.accounts.authenticate(&token).await.is_err());
        assert!(world.accounts.undo_email(&token, &password(OTHER_PASSWORD), &client()).await.is_err());
        // A change of the password in between voids the link.
        let who = signed_in(world, "ada@example.org", PASSWORD).await;
        world.accounts.change_password(&who, &password(PASSWORD), &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        assert_eq!(refusal(resets(world, &token, NEW).await), "Link(Expired)");
    }

    // T4: of twenty concurrent resets, with different passwords, over two instances, one wins.
    async fn parallel_resets_have_one_winner(world: &World) {
        world.has_account("ada@example.org").await;
        forgets(world, "ada@example.org").await;
        let token = reset_token(world, "ada@example.org");
        let other = world.another_instance().await;
        let from = client();
        let passwords: Vec<String> = (0..20).map(|n| format!("seven-green-bridges-{n}")).collect();
        let secrets: Vec<_> = passwords.iter().map(|text| password(text)).collect();
        let calls = secrets.iter().enumerate().map(|(n, secret)| {
            let accounts = if n % 2 == 0 { &world.accounts } else { &other };
            accounts.reset_password(&token, secret, &from)
        });
        let answers = futures_util::future::join_all(calls).await;
        let won: Vec<usize> = answers.iter().enumerate().filter(|(_, answer)| answer.is_ok()).map(|(n, _)| n).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        world.signs_in("ada@example.org", &passwords[won[0]]).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
    }

    // L4: a user locked out by someone else's guesses gets in again.
    async fn a_reset_ends_a_lock_out(world: &World) {
        world.has_account("ada@example.org").await;
        for n in 0..6 {
            let login = vestibule::Login::Email(address("ada@example.org"));
            let from = client_at(&format!("198.51.100.{n}"));
            let _ = world.accounts.sign_in(&login, &password(OTHER_PASSWORD), &from).await.unwrap_err();
        }
        assert!(refusal(world.signs_in("ada@example.org", PASSWORD).await).starts_with("Limited"));
        forgets(world, "ada@example.org").await;
        let token = reset_token(world, "ada@example.org");
        resets(world, &token, NEW).await.unwrap();
        world.signs_in("ada@example.org", NEW).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
    }

    // X2, R6: a disabled user gets no mail, and an earlier link does not work.
    async fn a_disabled_user_cannot_reset(world: &World) {
        let account = world.has_account("ada@example.org").await;
        forgets(world, "ada@example.org").await;
        let token = reset_token(world, "ada@example.org");
        world.accounts.disable_user(Actor::Operator, &UserRef::Id(account.id), None).await.unwrap();
        world.advance(seconds(60));
        forgets(world, "ada@example.org").await;
        assert!(world.kinds_to("ada@example.org").is_empty());
        assert_eq!(refusal(resets(world, &token, NEW).await), "Link(Expired)");
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Disabled");
    }

    // P7, R6
    async fn a_change_needs_the_present_password_and_ends_other_sessions(world: &World) {
        world.has_account("ada@example.org").await;
        let elsewhere = signed_in(world, "ada@example.org", PASSWORD).await;
        let other_token = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let here = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(here.access_token.expose()).await.unwrap();
        let change = |old: &'static str, new: &'static str| {
            let who = who.clone();
            async move { world.accounts.change_password(&who, &password(old), &password(new), &client()).await }
        };
        assert_eq!(refusal(change(OTHER_PASSWORD, NEW).await), "Refused");
        assert_eq!(refusal(change(PASSWORD, PASSWORD).await), format!("Password({:?})", PasswordError::Unchanged));
        assert_eq!(refusal(change(PASSWORD, "password1").await), "Password(TooCommon)");
        change(PASSWORD, NEW).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        world.accounts.authenticate(here.access_token.expose()).await.unwrap();
        assert!(world.accounts.authenticate(other_token.access_token.expose()).await.is_err());
        assert!(world.accounts.refresh(other_token.refresh_token.expose(), &client()).await.is_err());
        let sessions = world.accounts.list_sessions(&who).await.unwrap();
        assert_eq!(sessions.iter().map(|session| session.id).collect::<Vec<_>>(), [who.session_id]);
        assert_ne!(elsewhere.session_id, who.session_id);
        // Guessing the current password is slowed down like guessing at sign-in.
        for _ in 0..5 {
            assert_eq!(refusal(change(OTHER_PASSWORD, PASSWORD).await), "Refused");
        }
        assert_eq!(refusal(change(NEW, PASSWORD).await), "Limited { retry_after: 1s }");
    }

    // O4, L2: the user's presence is proven without changing anything; guessing is slowed down like at sign-in.
    async fn the_own_password_is_confirmed(world: &World) {
        world.has_account("ada@example.org").await;
        let who = signed_in(world, "ada@example.org", PASSWORD).await;
        let confirms = |given: &'static str| {
            let who = who.clone();
            async move { world.accounts.reauthenticate(&who, &password(given), &client()).await }
        };
        confirms(PASSWORD).await.unwrap();
        for _ in 0..4 {
            assert_eq!(refusal(confirms(OTHER_PASSWORD).await), "Refused");
        }
        confirms(PASSWORD).await.unwrap();
        for _ in 0..5 {
            assert_eq!(refusal(confirms(OTHER_PASSWORD).await), "Refused");
        }
        assert_eq!(refusal(confirms(PASSWORD).await), "Limited { retry_after: 1s }", "the right one, too");
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Limited { retry_after: 1s }");
        let trail = world.accounts.audit_after(Actor::Operator, None, Some(AuditKind::SignInFailed)).await.unwrap();
        assert_eq!(trail.len(), 9);
        assert!(trail.iter().all(|entry| entry.user_id == Some(who.account.id)));
        world.advance(seconds(1));
        confirms(PASSWORD).await.unwrap();
        world.accounts.authenticate(world.signs_in("ada@example.org", PASSWORD).await.unwrap().access_token.expose()).await.unwrap();
        // A deleted user proves nothing.
        world.accounts.delete_user(Actor::Operator, &UserRef::Id(who.account.id), &vestibule::Expected::Any, None).await.unwrap();
        assert_eq!(refusal(confirms(PASSWORD).await), "Refused");
    }
}
