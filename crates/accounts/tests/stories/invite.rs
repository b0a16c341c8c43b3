use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Accounts, Actor, AuditKind, Expected, Invitation, JoinError, MailContent, NewInvitation,
    NewUser, Roles, Terms, UserChange, UserRef,
};

fn wish(email: &str, roles: &[&str]) -> NewInvitation {
    NewInvitation { email: address(email), user_name: None, roles: Roles::new(roles).unwrap(), locale: None }
}

async fn invites(world: &World, email: &str) -> String {
    invites_as(world, wish(email, &["editor"])).await
}

/// The token of the mail that the invitation causes.
async fn invites_as(world: &World, wish: NewInvitation) -> String {
    let email = wish.email.to_string();
    world.accounts.invite(Actor::Operator, wish).await.unwrap();
    world.deliver().await;
    token_to(world, &email)
}

fn token_to(world: &World, email: &str) -> String {
    let mails = world.take_mails_to(email);
    let [mail] = mails.as_slice() else { panic!("one mail, not {}", mails.len()) };
    let MailContent::Invitation { link, .. } = &mail.content else { panic!("{}", mail.content.kind()) };
    link.expose().strip_prefix("https://accounts.example.org/invitation?token=").unwrap().to_owned()
}

async fn accepts(accounts: &Accounts, token: &str) -> Result<Account, JoinError> {
    accounts.accept_invitation(token, &password(PASSWORD), None, Terms::Unanswered, &client()).await
}

on_both_stores! {
    // O4, T1: the link proves the mailbox, the invited person chooses the password.
    async fn somebody_invited_becomes_a_user(world: &World) {
        let wish = NewInvitation {
            user_name: Some("countess".parse().unwrap()),
            locale: Some("de".to_owned()),
            ..wish("Ada@example.org", &["editor", "admin"])
        };
        let letter = world.signs_up("ada@example.org").await;
        let token = invites_as(world, wish).await;
        let ada = accepts(&world.accounts, &token).await.unwrap();
        assert_eq!(refusal(world.clicks(&letter.token(), Some(PASSWORD)).await), "LinkUsed");
        assert_eq!((ada.email.as_str(), ada.roles.join(" ").as_str()), ("Ada@example.org", "admin editor"));
        assert_eq!((ada.user_name.as_ref().unwrap().as_str(), ada.locale.as_deref()), ("countess", Some("de")));
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        assert!(world.accounts.authenticate(tokens.access_token.expose()).await.unwrap().is_admin());
        assert_eq!(refusal(accepts(&world.accounts, &token).await), "Link(Used)");
        let events = world.accounts.audit_after(Actor::Operator, None, None).await.unwrap();
        let accepted = events.iter().find(|event| event.kind == AuditKind::InvitationAccepted).unwrap();
        assert_eq!((accepted.user_id, accepted.actor.user()), (Some(ada.id), Some(ada.id)));
        let invited = events.iter().find(|event| event.kind == AuditKind::Invited).unwrap();
        assert_eq!(invited.detail.as_deref(), Some("roles: [admin editor]"));
        assert!(!format!("{events:?}").contains(&token), "O1");
    }

    async fn whoever_accepts_may_choose_another_name(world: &World) {
        let bob = NewUser {
            email: address("bob@example.org"),
            display_name: None,
            password: password(PASSWORD),
            user_name: Some("bob-1".parse().unwrap()),
            roles: vec![],
        };
        let named = NewInvitation { user_name: Some("bob-1".parse().unwrap()), ..wish("ada@example.org", &[]) };
        let token = invites_as(world, named.clone()).await;
        world.accounts.create_user(Actor::Operator, bob).await.unwrap();
        assert_eq!(refusal(world.accounts.invite(Actor::Operator, named).await), "UserNameTaken");
        assert_eq!(refusal(accepts(&world.accounts, &token).await), "UserNameTaken");
        let name = Some("ada-1".parse().unwrap());
        let ada = world.accounts.accept_invitation(&token, &password(PASSWORD), name, Terms::Unanswered, &client()).await.unwrap();
        assert_eq!(ada.user_name.unwrap().as_str(), "ada-1");
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    async fn the_password_must_satisfy_the_rules(world: &World) {
        let token = invites(world, "ada@example.org").await;
        for (text, refused) in [("password1", "Password(TooCommon)"), ("ada@example.org", "Password(Contextual)")] {
            let answer = world.accounts.accept_invitation(&token, &password(text), None, Terms::Unanswered, &client()).await;
            assert_eq!(refusal(answer), refused);
        }
        accepts(&world.accounts, &token).await.unwrap();
        world.deliver().await;
        world.take_mails_to("ada@example.org");
    }

    // T3, T4: three days, to the millisecond.
    async fn an_invitation_ends(world: &World) {
        let token = invites(world, "ada@example.org").await;
        let late = invites(world, "bob@example.org").await;
        world.advance(seconds(72 * 3600 - 1) + std::time::Duration::from_millis(999));
        accepts(&world.accounts, &token).await.unwrap();
        world.advance(std::time::Duration::from_millis(1));
        assert_eq!(refusal(accepts(&world.accounts, &late).await), "Link(Expired)");
        world.accounts.sweep().await.unwrap();
        for token in [&token, &late] {
            assert_eq!(refusal(accepts(&world.accounts, token).await), "Link(Expired)");
        }
        world.deliver().await;
        world.take_mails_to("ada@example.org");
    }

    // T2: only the newest counts.
    async fn a_new_invitation_voids_the_one_before(world: &World) {
        let first = invites(world, "ada@example.org").await;
        let second = invites_as(world, wish("ADA@example.org", &["author"])).await;
        assert_eq!(refusal(accepts(&world.accounts, &first).await), "Link(Expired)");
        // One that was not sent yet is never sent.
        world.accounts.invite(Actor::Operator, wish("bob@example.org", &[])).await.unwrap();
        world.accounts.invite(Actor::Operator, wish("bob@example.org", &[])).await.unwrap();
        world.deliver().await;
        token_to(world, "bob@example.org");
        assert_eq!(accepts(&world.accounts, &second).await.unwrap().roles, ["author"]);
        world.deliver().await;
        world.take_mails_to("ada@example.org");
    }

    // G3: of many concurrent acceptances one succeeds.
    async fn parallel_acceptances_make_one_user(world: &World) {
        let token = invites(world, "ada@example.org").await;
        let other = world.another_instance().await;
        let tries = (0..6).map(|i| accepts(if i % 2 == 0 { &world.accounts } else { &other }, &token));
        let answers = futures_util::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        for answer in answers.into_iter().filter(Result::is_err) {
            assert_eq!(refusal(answer), "Link(Used)");
        }
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // S10, T5: an invitation that was not accepted can do nothing.
    async fn an_open_invitation_is_no_account(world: &World) {
        let token = invites(world, "ada@example.org").await;
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Refused");
        world.accounts.forgot_password(&address("ada@example.org"), &client()).await.unwrap();
        world.deliver().await;
        let nobody = UserRef::Email(address("ada@example.org"));
        assert_eq!(refusal(world.accounts.find_user(Actor::Operator, &nobody).await), "NotFound");
        // Its token is accepted nowhere else, and no other token is accepted for it.
        assert_eq!(refusal(world.accounts.authenticate(&token).await), "Invalid");
        assert_eq!(refusal(world.clicks(&token, Some(PASSWORD)).await), "LinkInvalid");
        assert_eq!(refusal(world.accounts.reset_password(&token, &password(PASSWORD), &client()).await), "Link(Expired)");
        assert_eq!(refusal(world.accounts.undo_email(&token, &password(PASSWORD), &client()).await), "Link(Expired)");
        let letter = world.signs_up("bob@example.org").await;
        assert_eq!(refusal(accepts(&world.accounts, &letter.token()).await), "Link(Expired)");
        let mut forged = token.clone();
        forged.replace_range(42.., if token.ends_with('A') { "E" } else { "A" });
        for wrong in ["", "x", &token[1..], &forged, &"A".repeat(43)] {
            assert!(refusal(accepts(&world.accounts, wrong).await).starts_with("Link("), "{wrong}");
        }
        accepts(&world.accounts, &token).await.unwrap();
        world.deliver().await;
        world.take_mails_to("ada@example.org");
    }

    // D3: administrators may know who has an account; so may the holder of the address's link.
    async fn a_taken_address_is_told(world: &World) {
        let token = invites(world, "ada@example.org").await;
        world.has_account("ada@example.org").await;
        assert_eq!(refusal(world.accounts.invite(Actor::Operator, wish("ADA@example.org", &[])).await), "EmailTaken");
        assert_eq!(refusal(accepts(&world.accounts, &token).await), "EmailTaken");
    }

    // A former administrator cannot come back through an invitation made before.
    async fn invitations_go_with_the_role_of_their_maker(world: &World) {
        let admin = |email: &str| NewUser {
            email: address(email),
            display_name: None,
            password: password(PASSWORD),
            user_name: None,
            roles: vec!["admin".to_owned()],
        };
        world.accounts.create_user(Actor::Operator, admin("root@example.org")).await.unwrap();
        let two = world.accounts.create_user(Actor::Operator, admin("two@example.org")).await.unwrap();
        let tokens = world.signs_in("two@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let from = client();
        let made: Invitation =
            world.accounts.invite(Actor::User(&who, &from), wish("eve@example.org", &["admin"])).await.unwrap();
        assert_eq!(made.invited_by, Some(two.id));
        world.deliver().await;
        let token = token_to(world, "eve@example.org");
        let none = UserChange { roles: Some(Roles::default()), ..UserChange::default() };
        world.accounts.change_user(Actor::Operator, &UserRef::Id(two.id), &Expected::Any, none, None).await.unwrap();
        assert_eq!(refusal(accepts(&world.accounts, &token).await), "Link(Expired)");
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let refused = world.accounts.invite(Actor::User(&who, &from), wish("eve@example.org", &[])).await;
        assert_eq!(refusal(refused), "Forbidden");
    }

    async fn invitations_to_one_address_are_limited(world: &World) {
        for _ in 0..world.settings.policy.admin.mails_per_day {
            world.accounts.invite(Actor::Operator, wish("ada@example.org", &[])).await.unwrap();
        }
        let refused = world.accounts.invite(Actor::Operator, wish("ada@example.org", &[])).await;
        assert!(refusal(refused).starts_with("Limited"));
        world.accounts.invite(Actor::Operator, wish("bob@example.org", &[])).await.unwrap();
        world.deliver().await;
        token_to(world, "ada@example.org");
        token_to(world, "bob@example.org");
    }
}
