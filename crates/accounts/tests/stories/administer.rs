use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Actor, AuditKind, AuditQuery, Expected, MailContent, NewInvitation, NewUser, Reason, Roles,
    SignedIn, UserChange, UserRef,
};

async fn admin(world: &World, email: &str) -> Account {
    let new = NewUser {
        display_name: None,
        email: address(email),
        password: password(PASSWORD),
        user_name: None,
        roles: vec!["admin".to_owned()],
    };
    world.accounts.create_user(Actor::Operator, new).await.unwrap()
}

async fn signed_in(world: &World, email: &str) -> SignedIn {
    let tokens = world.signs_in(email, PASSWORD).await.unwrap();
    world.accounts.authenticate(tokens.access_token.expose()).await.unwrap()
}

fn roles(names: &[&str]) -> UserChange {
    UserChange { roles: Some(Roles::new(names).unwrap()), ..UserChange::default() }
}

fn now(account: &Account) -> Expected {
    Expected::OneOf(vec![account.revision()])
}

fn id(account: &Account) -> UserRef {
    UserRef::Id(account.id)
}

/// The token of the one unread mail with a link to set a password.
fn reset_token(world: &World, email: &str) -> String {
    let mails = world.take_mails_to(email);
    let [mail] = mails.as_slice() else { panic!("one mail, not {}", mails.len()) };
    let MailContent::PasswordReset { link, .. } = &mail.content else { panic!("{}", mail.content.kind()) };
    link.expose().strip_prefix("https://accounts.example.org/reset?token=").unwrap().to_owned()
}

async fn last_entry(world: &World, kind: AuditKind) -> (Option<String>, Option<vestibule::UserId>) {
    let query = AuditQuery { kind: Some(kind), ..AuditQuery::default() };
    let page = world.accounts.list_audit(Actor::Operator, &query).await.unwrap();
    (page.items[0].detail.clone(), page.items[0].actor.user())
}

on_both_stores! {
    // O4, H3: a change applies to a state that was seen.
    async fn a_user_is_changed_in_the_state_that_was_seen(world: &World) {
        let root = admin(world, "root@example.org").await;
        let ada = world.has_account("ada@example.org").await;
        let who = signed_in(world, "root@example.org").await;
        let from = client();
        let actor = Actor::User(&who, &from);
        let reason: Reason = "a new desk".parse().unwrap();
        let change = UserChange {
            user_name: Some("countess".parse().unwrap()),
            locale: Some("de".to_owned()),
            ..roles(&["editor", "author", "editor"])
        };
        let changed = world.accounts.change_user(actor, &id(&ada), &now(&ada), change, Some(&reason)).await.unwrap();
        assert_eq!(changed.roles, ["author", "editor"]);
        assert_eq!((changed.user_name.as_ref().unwrap().as_str(), changed.locale.as_deref()), ("countess", Some("de")));
        let detail = "roles: [] to [author editor]; user name; language; reason: a new desk".to_owned();
        assert_eq!(last_entry(world, AuditKind::Updated).await, (Some(detail), Some(root.id)));
        let found = world.accounts.find_user(actor, &id(&ada)).await.unwrap();
        assert_eq!((found.revision(), &found), (changed.revision(), &changed));
        assert_ne!(changed.revision(), ada.revision());
        let stale = world.accounts.change_user(actor, &id(&ada), &now(&ada), roles(&[]), None).await;
        assert_eq!(refusal(stale), "Changed");
        assert_eq!(refusal(world.accounts.delete_user(actor, &id(&ada), &now(&ada), None).await), "Changed");
        assert_eq!(world.accounts.find_user(actor, &id(&ada)).await.unwrap(), changed);
        // A taken name changes nothing, not even the roles in the same request.
        let taken = UserChange { user_name: Some("COUNTESS".parse().unwrap()), ..roles(&[]) };
        let refused = world.accounts.change_user(actor, &id(&root), &Expected::Any, taken, None).await;
        assert_eq!(refusal(refused), "LastAdmin");
        let taken = UserChange { user_name: Some("COUNTESS".parse().unwrap()), ..roles(&["admin", "extra"]) };
        let refused = world.accounts.change_user(actor, &id(&root), &Expected::Any, taken, None).await;
        assert_eq!(refusal(refused), "UserNameTaken");
        assert_eq!(world.accounts.find_user(actor, &id(&root)).await.unwrap().roles, ["admin"]);
        world.accounts.delete_user(actor, &id(&ada), &now(&changed), Some(&reason)).await.unwrap();
        assert_eq!(last_entry(world, AuditKind::Deleted).await, (Some("reason: a new desk".into()), Some(root.id)));
        let gone = world.accounts.change_user(actor, &id(&ada), &Expected::Any, roles(&[]), None).await;
        assert_eq!(refusal(gone), "NotFound");
    }

    // H3: of two changes to the same state one wins, also across two instances.
    async fn of_two_changes_at_once_none_is_lost(world: &World) {
        let other = world.another_instance().await;
        for round in 0..5 {
            let ada = world.has_account(&format!("ada{round}@example.org")).await;
            let (user, seen) = (id(&ada), now(&ada));
            let (one, two) = futures_util::future::join(
                world.accounts.change_user(Actor::Operator, &user, &seen, roles(&["one"]), None),
                other.change_user(Actor::Operator, &user, &seen, roles(&["two"]), None),
            ).await;
            let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
            assert_eq!(refusal(lost), "Changed");
            assert_eq!(world.accounts.find_user(Actor::Operator, &user).await.unwrap(), won.unwrap());
        }
    }

    // J5: a role applies from the next request on, with the same token; no session ends.
    async fn a_demoted_administrator_may_nothing_at_once(world: &World) {
        let root = admin(world, "root@example.org").await;
        let second = admin(world, "two@example.org").await;
        let tokens = world.signs_in("two@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let from = client();
        world.accounts.find_user(Actor::User(&who, &from), &id(&root)).await.unwrap();
        world.accounts.change_user(Actor::Operator, &id(&second), &Expected::Any, roles(&["editor"]), None).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        assert!(!who.is_admin() && who.has_role("editor"));
        let (actor, user) = (Actor::User(&who, &from), id(&root));
        assert_eq!(refusal(world.accounts.find_user(actor, &user).await), "Forbidden");
        assert_eq!(refusal(world.accounts.change_user(actor, &id(&second), &Expected::Any, roles(&["admin"]), None).await), "Forbidden");
        assert_eq!(refusal(world.accounts.mail_reset_link(actor, &user, None).await), "Forbidden");
        assert_eq!(refusal(world.accounts.end_sessions(actor, &user, None).await), "Forbidden");
        assert_eq!(refusal(world.accounts.sessions_of(actor, &user).await), "Forbidden");
        assert_eq!(refusal(world.accounts.enable_user(actor, &user, None).await), "Forbidden");
    }

    // O4: a session that was left open gives no power over others.
    async fn power_needs_a_password_given_lately(world: &World) {
        admin(world, "root@example.org").await;
        let ada = world.has_account("ada@example.org").await;
        let (who, from) = (signed_in(world, "root@example.org").await, client());
        let acts = async |who: &SignedIn| {
            let actor = Actor::User(who, &from);
            let invitation = |names: &[&str]| NewInvitation {
                email: address("eve@example.org"), user_name: None, roles: Roles::new(names).unwrap(), locale: None,
            };
            let changed = world.accounts.change_user(actor, &id(&ada), &Expected::Any, roles(&["editor"]), None).await;
            let invited = world.accounts.invite(actor, invitation(&["editor"])).await;
            let guest = world.accounts.invite(actor, invitation(&[])).await;
            let language = UserChange { locale: Some("de".to_owned()), ..UserChange::default() };
            let named = world.accounts.change_user(actor, &id(&ada), &Expected::Any, language, None).await;
            assert!(guest.is_ok() && named.is_ok(), "{guest:?} {named:?}");
            (changed.is_ok(), invited.is_ok())
        };
        world.advance(seconds(15 * 60).checked_sub(std::time::Duration::from_millis(1)).unwrap());
        assert_eq!(acts(&who).await, (true, true));
        world.advance(std::time::Duration::from_millis(1));
        assert_eq!(acts(&who).await, (false, false));
        let actor = Actor::User(&who, &from);
        let stale = world.accounts.change_user(actor, &id(&ada), &Expected::Any, roles(&["editor"]), None).await;
        assert_eq!(refusal(stale), "StepUp(StepUp { max_age: 900s, factor: false })");
        assert_eq!(refusal(world.accounts.delete_user(actor, &id(&ada), &Expected::Any, None).await), "StepUp(StepUp { max_age: 900s, factor: false })");
        // Someone without the role learns nothing more.
        let stranger = signed_in(world, "ada@example.org").await;
        world.advance(hours(1));
        let actor = Actor::User(&stranger, &from);
        assert_eq!(refusal(world.accounts.delete_user(actor, &id(&ada), &Expected::Any, None).await), "Forbidden");
        let proven = world.accounts.reauthenticate(&who, &password(PASSWORD), &from).await.unwrap();
        assert_eq!(acts(&proven).await, (true, true));
        world.accounts.delete_user(Actor::User(&proven, &from), &id(&ada), &Expected::Any, None).await.unwrap();
        world.deliver().await;
        world.take_mails_to("eve@example.org");
    }

    // O4: there is always an active administrator.
    async fn administrators_who_demote_each_other_leave_one(world: &World) {
        let other = world.another_instance().await;
        let (one, two) = (admin(world, "one@example.org").await, admin(world, "two@example.org").await);
        for _ in 0..5 {
            let (users, nothing) = ([id(&one), id(&two)], roles(&[]));
            let (first, second) = futures_util::future::join(
                world.accounts.change_user(Actor::Operator, &users[0], &Expected::Any, nothing.clone(), None),
                other.change_user(Actor::Operator, &users[1], &Expected::Any, nothing, None),
            ).await;
            assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
            for user in &users {
                world.accounts.change_user(Actor::Operator, user, &Expected::Any, roles(&["admin"]), None).await.unwrap();
            }
        }
        // Disabling one while the other is demoted has the same result.
        let (users, nothing) = ([id(&one), id(&two)], roles(&[]));
        let (first, second) = futures_util::future::join(
            world.accounts.disable_user(Actor::Operator, &users[0], None),
            other.change_user(Actor::Operator, &users[1], &Expected::Any, nothing, None),
        ).await;
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    }

    // P7, X1: the link is sent to the user only, and opens an account that is closed to passwords (L2).
    async fn an_administrator_has_a_reset_link_mailed(world: &World) {
        let root = admin(world, "root@example.org").await;
        let ada = world.has_account("ada@example.org").await;
        let who = signed_in(world, "root@example.org").await;
        let from = client();
        let reason: Reason = "lost her phone".parse().unwrap();
        world.accounts.mail_reset_link(Actor::User(&who, &from), &id(&ada), Some(&reason)).await.unwrap();
        world.deliver().await;
        let first = reset_token(world, "ada@example.org");
        assert_eq!(last_entry(world, AuditKind::ResetRequested).await, (Some("reason: lost her phone".into()), Some(root.id)));
        world.accounts.mail_reset_link(Actor::Operator, &id(&ada), None).await.unwrap();
        world.deliver().await;
        let second = reset_token(world, "ada@example.org");
        let voided = world.accounts.reset_password(&first, &password(OTHER_PASSWORD), &client()).await;
        assert_eq!(refusal(voided), "Link(Expired)");
        world.accounts.reset_password(&second, &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        world.signs_in("ada@example.org", OTHER_PASSWORD).await.unwrap();
    }

    // Strangers' requests cannot keep an administrator from helping; an administrator's mails have a limit of their
    // own.
    async fn mails_of_administrators_are_counted_apart(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        for _ in 0..12 {
            world.accounts.forgot_password(&address("ada@example.org"), &client()).await.unwrap();
            world.advance(seconds(61));
        }
        world.deliver().await;
        world.take_mails_to("ada@example.org");
        for _ in 0..world.settings.policy.admin.mails_per_day {
            world.accounts.mail_reset_link(Actor::Operator, &id(&ada), None).await.unwrap();
        }
        let refused = world.accounts.mail_reset_link(Actor::Operator, &id(&ada), None).await;
        assert!(refusal(refused).starts_with("Limited"));
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_reset"], "those before were void when they were due");
        world.advance(hours(24));
        world.accounts.mail_reset_link(Actor::Operator, &id(&ada), None).await.unwrap();
        world.deliver().await;
        reset_token(world, "ada@example.org");
    }

    // R6: a disabled user keeps no session and no link, and is sent none.
    async fn who_is_disabled_keeps_no_link(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        world.accounts.mail_reset_link(Actor::Operator, &id(&ada), None).await.unwrap();
        world.deliver().await;
        let token = reset_token(world, "ada@example.org");
        let reason: Reason = "abuse".parse().unwrap();
        world.accounts.disable_user(Actor::Operator, &id(&ada), Some(&reason)).await.unwrap();
        assert_eq!(last_entry(world, AuditKind::Disabled).await, (Some("reason: abuse".into()), None));
        let refused = world.accounts.reset_password(&token, &password(OTHER_PASSWORD), &client()).await;
        assert_eq!(refusal(refused), "Link(Expired)");
        assert_eq!(refusal(world.accounts.mail_reset_link(Actor::Operator, &id(&ada), None).await), "Disabled");
        world.accounts.enable_user(Actor::Operator, &id(&ada), None).await.unwrap();
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    // J5, R6
    async fn an_administrator_signs_somebody_out_everywhere(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        let bob = world.has_account("bob@example.org").await;
        let kept = world.signs_in("bob@example.org", PASSWORD).await.unwrap();
        let first = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(world.accounts.sessions_of(Actor::Operator, &id(&ada)).await.unwrap().len(), 2);
        world.accounts.end_sessions(Actor::Operator, &id(&ada), None).await.unwrap();
        assert_eq!(last_entry(world, AuditKind::SignedOut).await, (Some("all sessions".into()), None));
        assert_eq!(refusal(world.accounts.authenticate(first.access_token.expose()).await), "Invalid");
        assert_eq!(world.accounts.sessions_of(Actor::Operator, &id(&ada)).await.unwrap(), []);
        assert_eq!(world.accounts.sessions_of(Actor::Operator, &id(&bob)).await.unwrap().len(), 1);
        world.accounts.authenticate(kept.access_token.expose()).await.unwrap();
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let nobody = UserRef::Email(address("nobody@example.org"));
        assert_eq!(refusal(world.accounts.end_sessions(Actor::Operator, &nobody, None).await), "NotFound");
        assert_eq!(refusal(world.accounts.sessions_of(Actor::Operator, &nobody).await), "NotFound");
    }

    // L2, P7: an operator lets a locked-out user in, and the user is informed.
    async fn an_operator_sets_a_password_where_nothing_else_helps(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        for _ in 0..5 {
            assert_eq!(refusal(world.signs_in("ada@example.org", OTHER_PASSWORD).await), "Refused");
        }
        assert!(refusal(world.signs_in("ada@example.org", PASSWORD).await).starts_with("Limited"));
        let weak = world.accounts.set_password(&id(&ada), &password("ada@example.org")).await;
        assert_eq!(refusal(weak), "Password(Contextual)");
        world.accounts.set_password(&id(&ada), &password(OTHER_PASSWORD)).await.unwrap();
        assert_eq!(last_entry(world, AuditKind::PasswordSet).await, (None, None));
        assert_eq!(refusal(world.accounts.authenticate(tokens.access_token.expose()).await), "Invalid");
        world.signs_in("ada@example.org", OTHER_PASSWORD).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        let nobody = UserRef::Email(address("nobody@example.org"));
        assert_eq!(refusal(world.accounts.set_password(&nobody, &password(PASSWORD)).await), "NotFound");
    }

    async fn roles_are_names(world: &World) {
        let new = |roles: &[&str]| NewUser {
            email: address("ada@example.org"),
            display_name: None,
            password: password(PASSWORD),
            user_name: None,
            roles: roles.iter().map(ToString::to_string).collect(),
        };
        for names in [&["editor admin"][..], &["Admin"], &[""], &["x", "\0"]] {
            let refused = world.accounts.create_user(Actor::Operator, new(names)).await;
            assert!(refusal(refused).starts_with("Roles(Malformed"), "{names:?}");
        }
        let made = world.accounts.create_user(Actor::Operator, new(&["editor", "author"])).await.unwrap();
        assert_eq!(made.roles, ["author", "editor"]);
    }
}
