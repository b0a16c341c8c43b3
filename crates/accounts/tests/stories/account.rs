use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Actor, EmailChangeError, EmailProof, MailContent, NewUser, ProfileChange, ProfileError,
    SignedIn, UserRef,
};

const NEW_PASSWORD: &str = "amber-kettle-forest-58";

async fn signed_in(world: &World, email: &str) -> SignedIn {
    let tokens = world.signs_in(email, PASSWORD).await.unwrap();
    world.accounts.authenticate(tokens.access_token.expose()).await.unwrap()
}

async fn wants(world: &World, who: &SignedIn, new: &str) {
    world.accounts.change_email(who, &address(new), &password(PASSWORD), &client()).await.unwrap();
    world.deliver().await;
}

/// Changes the address and confirms it; returns the token of the undo link mailed to the previous one.
pub(crate) async fn moves(world: &World, from: &str, to: &str) -> String {
    let who = signed_in(world, from).await;
    moves_in(world, &who, from, to).await
}

/// The same in this session.
pub(crate) async fn moves_in(world: &World, who: &SignedIn, from: &str, to: &str) -> String {
    wants(world, who, to).await;
    let (link, undo) = (link_to(world, to), link_to(world, from));
    world.accounts.confirm_email(&link, EmailProof::Password(&password(PASSWORD)), &client()).await.unwrap();
    world.advance(seconds(60));
    undo
}

/// Uses an undo link.
async fn undoes(world: &World, token: &str, new: &str) -> Result<Account, EmailChangeError> {
    let undone = world.accounts.undo_email(token, &password(new), &client()).await;
    world.deliver().await;
    undone
}

/// The token of the one unread mail with this kind of link.
fn link_to(world: &World, email: &str) -> String {
    let mails = world.take_mails_to(email);
    let [mail] = mails.as_slice() else { panic!("one mail, not {}", mails.len()) };
    let (MailContent::EmailChange { link, .. } | MailContent::EmailUndo { link, .. }) = &mail.content else {
        panic!("{:?}", mail.content.kind())
    };
    link.expose().split_once("?token=").unwrap().1.to_owned()
}

on_both_stores! {
    // X3
    async fn an_address_changes_when_the_new_one_is_proven(world: &World) {
        let account = world.has_account("ada@example.org").await;
        let elsewhere = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = signed_in(world, "ada@example.org").await;
        wants(world, &who, "Countess@example.net").await;
        let (link, _undo) = (link_to(world, "countess@example.net"), link_to(world, "ada@example.org"));
        // The old one stays in force until then.
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(refusal(world.signs_in("countess@example.net", PASSWORD).await), "Refused");
        let changed = world.accounts.confirm_email(&link, EmailProof::Password(&password(PASSWORD)), &client()).await.unwrap();
        assert_eq!((changed.id, changed.email.as_str()), (account.id, "Countess@example.net"));
        world.signs_in("countess@example.net", PASSWORD).await.unwrap();
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Refused");
        assert_eq!(refusal(world.accounts.confirm_email(&link, EmailProof::Password(&password(PASSWORD)), &client()).await), "Link(Used)");
        // R6: the session that requested it lives on, the others do not.
        assert!(world.accounts.authenticate(elsewhere.access_token.expose()).await.is_err());
        let sessions = world.accounts.list_sessions(&who).await.unwrap();
        assert!(sessions.iter().any(|session| session.id == who.session_id));
        // The old address is free again.
        assert_ne!(world.has_account("ada@example.org").await.id, account.id);
    }

    // X3: 72 hours, after the change as well as before, whatever the thief has changed since.
    async fn a_change_is_undone_from_the_old_address(world: &World) {
        world.has_account("ada@example.org").await;
        let undo = moves(world, "ada@example.org", "thief@example.net").await;
        let thief = signed_in(world, "thief@example.net").await;
        world.accounts.change_password(&thief, &password(PASSWORD), &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("thief@example.net"), ["password_changed"]);
        world.advance(hours(71));
        let weak = undoes(world, &undo, "ada@example.org").await;
        assert_eq!(refusal(weak), "Password(Contextual)");
        // The password that the thief knows may not be chosen again, and no longer works.
        assert_eq!(refusal(undoes(world, &undo, OTHER_PASSWORD).await), "Password(Unchanged)");
        let back = undoes(world, &undo, NEW_PASSWORD).await.unwrap();
        assert_eq!(back.email.as_str(), "ada@example.org");
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        assert!(world.accounts.list_sessions(&thief).await.unwrap().is_empty());
        assert_eq!(refusal(undoes(world, &undo, PASSWORD).await), "Link(Used)");
        assert_eq!(refusal(world.signs_in("ada@example.org", OTHER_PASSWORD).await), "Refused");
        world.signs_in("ada@example.org", NEW_PASSWORD).await.unwrap();
    }

    // X3: a stranger at a mistyped address has the link, but neither the password nor the session.
    async fn a_new_address_takes_two_proofs(world: &World) {
        world.has_account("ada@example.org").await;
        let elsewhere = signed_in(world, "ada@example.org").await;
        let who = signed_in(world, "ada@example.org").await;
        wants(world, &who, "adda@example.org").await;
        let link = link_to(world, "adda@example.org");
        link_to(world, "ada@example.org");
        let from = client();
        let confirm = async |proof| world.accounts.confirm_email(&link, proof, &from).await;
        assert_eq!(refusal(confirm(EmailProof::Session(&elsewhere)).await), "Refused");
        let wrong = password(OTHER_PASSWORD);
        for _ in 0..5 {
            assert_eq!(refusal(confirm(EmailProof::Password(&wrong)).await), "Refused");
        }
        let right = password(PASSWORD);
        assert_eq!(refusal(confirm(EmailProof::Password(&right)).await), "Limited { retry_after: 1s }");
        assert_eq!(confirm(EmailProof::Session(&who)).await.unwrap().email.as_str(), "adda@example.org");
    }

    // R6: no link lets a disabled user in.
    async fn who_is_disabled_undoes_nothing(world: &World) {
        world.has_account("ada@example.org").await;
        let undo = moves(world, "ada@example.org", "ada@example.net").await;
        let user = UserRef::Email(address("ada@example.net"));
        world.accounts.disable_user(Actor::Operator, &user, None).await.unwrap();
        assert_eq!(refusal(undoes(world, &undo, OTHER_PASSWORD).await), "Link(Expired)");
        world.accounts.enable_user(Actor::Operator, &user, None).await.unwrap();
        undoes(world, &undo, OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
    }

    // X3: a thief who changes the address twice also has an undo link; the owner's is older, and wins.
    async fn an_older_undo_voids_the_younger_ones(world: &World) {
        world.has_account("ada@example.org").await;
        let mut undo = Vec::new();
        for (from, to) in [("ada@example.org", "thief@example.net"), ("thief@example.net", "thief@example.com")] {
            undo.push(moves(world, from, to).await);
        }
        undoes(world, &undo[0], OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        assert_eq!(refusal(undoes(world, &undo[1], NEW_PASSWORD).await), "Link(Expired)");
        world.signs_in("ada@example.org", OTHER_PASSWORD).await.unwrap();
    }

    // An owner who moves twice can go back step by step.
    async fn a_younger_undo_leaves_the_older_one(world: &World) {
        world.has_account("ada@example.org").await;
        let first = moves(world, "ada@example.org", "ada@example.net").await;
        let second = moves(world, "ada@example.net", "ada@example.com").await;
        let back = undoes(world, &second, OTHER_PASSWORD).await.unwrap();
        assert_eq!(back.email.as_str(), "ada@example.net");
        let back = undoes(world, &first, NEW_PASSWORD).await.unwrap();
        assert_eq!(back.email.as_str(), "ada@example.org");
        for email in ["ada@example.net", "ada@example.org"] {
            assert_eq!(world.kinds_to(email), ["password_changed"]);
        }
    }

    async fn an_undo_before_the_confirmation_forgets_the_change(world: &World) {
        world.has_account("ada@example.org").await;
        let who = signed_in(world, "ada@example.org").await;
        wants(world, &who, "thief@example.net").await;
        let (link, undo) = (link_to(world, "thief@example.net"), link_to(world, "ada@example.org"));
        undoes(world, &undo, OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        let late = world.accounts.confirm_email(&link, EmailProof::Session(&who), &client()).await;
        assert_eq!(refusal(late), "Link(Expired)");
        assert!(world.accounts.list_sessions(&who).await.unwrap().is_empty());
        // An undo expires after three days.
        let tokens = world.signs_in("ada@example.org", OTHER_PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        world.accounts.change_email(&who, &address("other@example.net"), &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        let undo = link_to(world, "ada@example.org");
        link_to(world, "other@example.net");
        world.advance(hours(72));
        assert_eq!(refusal(undoes(world, &undo, NEW_PASSWORD).await), "Link(Expired)");
    }

    // X3: a taken address gets the same answer; its owner is informed, and the link that is not mailed would not work.
    async fn a_taken_address_is_not_disclosed(world: &World) {
        world.has_account("ada@example.org").await;
        world.has_account("bob@example.org").await;
        let who = signed_in(world, "ada@example.org").await;
        wants(world, &who, "BOB@example.org").await;
        assert_eq!(world.kinds_to("bob@example.org"), ["already_registered"]);
        link_to(world, "ada@example.org");
        world.signs_in("bob@example.org", PASSWORD).await.unwrap();
    }

    // S3: a stranger's sign-up with the new address can no longer become a user, and does not show it.
    async fn a_new_address_makes_a_decoy_of_the_sign_up_that_waits_for_it(world: &World) {
        world.has_account("ada@example.org").await;
        let who = signed_in(world, "ada@example.org").await;
        world.signs_up_with("ada@example.net", OTHER_PASSWORD).await.unwrap();
        let letter = world.letter_to("ada@example.net");
        wants(world, &who, "ada@example.net").await;
        let link = link_to(world, "ada@example.net");
        link_to(world, "ada@example.org");
        world.accounts.confirm_email(&link, EmailProof::Password(&password(PASSWORD)), &client()).await.unwrap();
        let guess = world.confirms("ada@example.net", OTHER_PASSWORD, &letter.code()).await;
        assert_eq!(refusal(guess), "CodeInvalid { attempts_left: 2 }", "though it is the code that was mailed");
        assert_eq!(refusal(world.clicks(&letter.token(), Some(OTHER_PASSWORD)).await), "LinkUsed");
        assert_eq!(refusal(world.signs_in("ada@example.net", OTHER_PASSWORD).await), "Unconfirmed");
        world.signs_in("ada@example.net", PASSWORD).await.unwrap();
    }

    // X3: one row, one address: of two requests the later counts, and each link is good for its own address only.
    async fn parallel_changes_end_at_a_confirmed_address_or_none(world: &World) {
        world.has_account("ada@example.org").await;
        let who = signed_in(world, "ada@example.org").await;
        let addresses: Vec<_> = (0..6).map(|n| address(&format!("ada-{n}@example.net"))).collect();
        let (secret, from) = (password(PASSWORD), client());
        let wishes = addresses.iter().map(|new| world.accounts.change_email(&who, new, &secret, &from));
        for answer in futures_util::future::join_all(wishes).await {
            answer.unwrap();
        }
        world.deliver().await;
        assert_eq!(world.take_mails_to("ada@example.org").len(), 6);
        let mut adopted = Vec::new();
        for new in &addresses {
            for mail in world.take_mails_to(new.as_str()) {
                let MailContent::EmailChange { link, .. } = &mail.content else { panic!() };
                let token = link.expose().split_once("?token=").unwrap().1;
                if let Ok(account) = world.accounts.confirm_email(token, EmailProof::Session(&who), &client()).await {
                    assert_eq!(account.email, *new);
                    adopted.push(account.email);
                }
            }
        }
        assert!(adopted.len() <= 1, "{adopted:?}");
    }

    // X3: one request succeeds, and the others are refused rather than answered with a fault.
    async fn a_name_that_many_want_at_once_becomes_one_users(world: &World) {
        let mut users = Vec::new();
        for n in 0..8 {
            let email = format!("ada-{n}@example.org");
            world.has_account(&email).await;
            users.push(signed_in(world, &email).await);
        }
        let change = ProfileChange { user_name: Some("countess".parse().unwrap()), ..ProfileChange::default() };
        let from = client();
        let wishes = users.iter().map(|who| world.accounts.update_profile(who, change.clone(), &from));
        let answers = futures_util::future::join_all(wishes).await;
        let (got, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(got.len(), 1);
        for error in refused {
            assert!(matches!(error, Err(ProfileError::UserNameTaken)), "{error:?}");
        }
    }

    // An address that was taken between the request and the link.
    async fn an_address_taken_meanwhile_is_refused(world: &World) {
        world.has_account("ada@example.org").await;
        let who = signed_in(world, "ada@example.org").await;
        wants(world, &who, "new@example.net").await;
        let link = link_to(world, "new@example.net");
        link_to(world, "ada@example.org");
        world.has_account("new@example.net").await;
        assert_eq!(refusal(world.accounts.confirm_email(&link, EmailProof::Password(&password(PASSWORD)), &client()).await), "Taken");
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    async fn the_profile_changes_without_a_password(world: &World) {
        world.has_account("ada@example.org").await;
        let who = signed_in(world, "ada@example.org").await;
        let named = |name: &str| ProfileChange { user_name: Some(name.parse().unwrap()), locale: Some("de".into()), ..ProfileChange::default() };
        let changed = world.accounts.update_profile(&who, named("Modern.Ada"), &client()).await.unwrap();
        assert_eq!(changed.user_name.unwrap().as_str(), "Modern.Ada");
        assert_eq!(changed.locale.as_deref(), Some("de"));
        // A user may change the spelling of their own name; nobody else may use it.
        world.accounts.update_profile(&who, named("modern.ada"), &client()).await.unwrap();
        world.has_account("eve@example.org").await;
        let eve = signed_in(world, "eve@example.org").await;
        assert_eq!(refusal(world.accounts.update_profile(&eve, named("rnodern.ada"), &client()).await), "UserNameTaken");
        let unchanged = world.accounts.update_profile(&who, ProfileChange::default(), &client()).await.unwrap();
        assert_eq!(unchanged.user_name.unwrap().as_str(), "modern.ada");
    }

    // X4, O4
    async fn an_account_is_deleted_with_its_password(world: &World) {
        world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let wrong = world.accounts.delete_account(&who, &password(OTHER_PASSWORD), &client()).await;
        assert_eq!(refusal(wrong), "Refused");
        world.accounts.delete_account(&who, &password(PASSWORD), &client()).await.unwrap();
        assert!(world.accounts.authenticate(tokens.access_token.expose()).await.is_err());
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Refused");
        let new = NewUser {
            email: address("root@example.org"),
            display_name: None,
            password: password(PASSWORD),
            user_name: None,
            roles: vec!["admin".into()],
        };
        world.accounts.create_user(Actor::Operator, new).await.unwrap();
        let admin = signed_in(world, "root@example.org").await;
        let refused = world.accounts.delete_account(&admin, &password(PASSWORD), &client()).await;
        assert_eq!(refusal(refused), "LastAdmin");
    }

    // R5, ASVS 8.2.2: a user's own sessions, and no others.
    async fn sessions_are_listed_and_ended(world: &World) {
        world.has_account("ada@example.org").await;
        world.has_account("eve@example.org").await;
        let phone = signed_in(world, "ada@example.org").await;
        world.advance(seconds(60));
        let laptop = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(laptop.access_token.expose()).await.unwrap();
        let listed = world.accounts.list_sessions(&who).await.unwrap();
        assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [who.session_id, phone.session_id]);
        assert_eq!(listed[0].user_agent.as_deref(), Some("story"));
        assert_eq!(listed[0].ip.as_deref(), Some("192.0.2.1"));
        let eve = signed_in(world, "eve@example.org").await;
        assert!(!world.accounts.end_session(&eve, phone.session_id, &client()).await.unwrap());
        assert!(world.accounts.end_session(&who, phone.session_id, &client()).await.unwrap());
        assert!(!world.accounts.end_session(&who, phone.session_id, &client()).await.unwrap());
        assert_eq!(world.accounts.list_sessions(&who).await.unwrap().len(), 1);
        // RFC 7009: by either token; a text that is not a token changes nothing.
        for text in ["", "vrt_x", "a.b.c"] {
            world.accounts.revoke(text, &client()).await.unwrap();
        }
        world.accounts.authenticate(laptop.access_token.expose()).await.unwrap();
        world.accounts.revoke(laptop.refresh_token.expose(), &client()).await.unwrap();
        assert!(world.accounts.authenticate(laptop.access_token.expose()).await.is_err());
        let again = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        world.accounts.revoke(again.access_token.expose(), &client()).await.unwrap();
        assert!(world.accounts.refresh(again.refresh_token.expose(), &client()).await.is_err());
    }

    async fn an_export_holds_everything_but_secrets(world: &World) {
        let account = world.has_account("ada@example.org").await;
        let who = signed_in(world, "ada@example.org").await;
        let export = world.accounts.export_account(&who, &client()).await.unwrap();
        assert_eq!(export.account, account);
        assert_eq!(export.sessions.len(), 1);
        let mails = ["confirm", "welcome"].map(|kind| (kind.to_owned(), account.created_at, Some(account.created_at)));
        assert_eq!(export.mails, mails);
        assert!(!format!("{export:?}").contains("argon2"));
    }
}
