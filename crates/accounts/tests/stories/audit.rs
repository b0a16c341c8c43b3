use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Accounts, Actor, AuditActor, AuditEvent, AuditKind, AuditQuery, Expected, Login, NewUser, Operator,
    OperatorName, ProfileChange, Rotation, Settings, Timestamp, UserRef,
};

/// The whole trail, oldest first.
async fn trail(world: &World) -> Vec<AuditEvent> {
    world.accounts.audit_after(Actor::Operator, None, None).await.unwrap()
}

async fn kinds(world: &World) -> Vec<&'static str> {
    trail(world).await.iter().map(|event| event.kind.name()).collect()
}

async fn lists(world: &World, query: AuditQuery) -> Vec<&'static str> {
    let page = world.accounts.list_audit(Actor::Operator, &query).await.unwrap();
    page.items.iter().map(|event| event.kind.name()).collect()
}

on_both_stores! {
    // O2: who, what, when, from where.
    async fn an_account_leaves_its_trail(world: &World) {
        let start = world.clock.now();
        let letter = world.signs_up("ada@example.org").await;
        let wrong = world.confirms("ada@example.org", PASSWORD, &letter.wrong_code()).await;
        assert!(refusal(wrong).starts_with("CodeInvalid"));
        let ada = world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        world.advance(seconds(5));
        assert_eq!(refusal(world.signs_in("ada@example.org", OTHER_PASSWORD).await), "Refused");
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let german = ProfileChange { locale: Some("de".into()), ..ProfileChange::default() };
        world.accounts.update_profile(&who, german, &client()).await.unwrap();
        world.accounts.export_account(&who, &client()).await.unwrap();
        world.accounts.sign_out(&who, false, &client_at("198.51.100.7")).await.unwrap();
        let events = trail(world).await;
        let kinds: Vec<_> = events.iter().map(|event| event.kind.name()).collect();
        assert_eq!(kinds, ["signed_up", "confirm_failed", "activated", "sign_in_failed", "signed_in",
            "profile_changed", "exported", "signed_out"]);
        let (first, last) = (&events[0], &events[7]);
        assert_eq!((first.at, first.actor, first.user_id), (start, AuditActor::Anonymous, None));
        assert_eq!((first.email.as_deref(), first.ip.as_deref()), (Some("a***@example.org"), Some("192.0.2.1")));
        assert_eq!(first.user_agent.as_deref(), Some("story"));
        assert_eq!((last.at, last.actor, last.user_id), (start + seconds(5), AuditActor::User(ada.id), Some(ada.id)));
        assert_eq!(last.ip.as_deref(), Some("198.51.100.7"));
        assert_eq!(last.detail, Some(format!("session {}", who.session_id)));
        // O1: nothing that would grant access.
        let text = format!("{events:?}");
        for secret in [PASSWORD, OTHER_PASSWORD, &letter.code(), &letter.token(), "ada@", tokens.refresh_token.expose()] {
            assert!(!text.contains(secret), "{secret}");
        }
    }

    // X4: the trail outlives the account; the user's export includes it.
    async fn the_trail_outlives_the_account(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let held = world.accounts.export_account(&who, &client()).await.unwrap();
        let kinds: Vec<_> = held.events.iter().map(|event| event.kind.name()).collect();
        assert_eq!(kinds, ["exported", "signed_in", "activated"]);
        world.accounts.delete_account(&who, &password(PASSWORD), &client()).await.unwrap();
        let about = AuditQuery { user: Some(ada.id), ..AuditQuery::default() };
        assert_eq!(lists(world, about).await, ["deleted", "exported", "signed_in", "activated"]);
        // Searching by the address also finds what happened before there was an account.
        let about = AuditQuery { email: Some(address("ADA@example.org")), ..AuditQuery::default() };
        assert_eq!(lists(world, about).await, ["deleted", "exported", "signed_in", "activated", "signed_up"]);
    }

    // O4: administrative actions record who performed them.
    async fn administrators_are_named(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        let admin = NewUser {
            email: address("root@example.org"),
            display_name: None,
            password: password(PASSWORD),
            user_name: None,
            roles: vec!["admin".into()],
        };
        let root = world.accounts.create_user(Actor::Operator, admin).await.unwrap();
        let tokens = world.signs_in("root@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let from = client_at("198.51.100.7");
        let user = UserRef::Id(ada.id);
        world.accounts.disable_user(Actor::User(&who, &from), &user, None).await.unwrap();
        world.accounts.enable_user(Actor::User(&who, &from), &user, None).await.unwrap();
        world.accounts.delete_user(Actor::Operator, &user, &Expected::Any, None).await.unwrap();
        let events = trail(world).await;
        let [disabled, enabled, deleted] = &events[events.len() - 3..] else { panic!("three acts") };
        assert_eq!((disabled.kind, enabled.kind, deleted.kind), (AuditKind::Disabled, AuditKind::Enabled, AuditKind::Deleted));
        assert_eq!((disabled.actor, disabled.user_id), (AuditActor::User(root.id), Some(ada.id)));
        assert_eq!((disabled.ip.as_deref(), deleted.ip.as_deref()), (Some("198.51.100.7"), None));
        assert_eq!(deleted.actor, AuditActor::Operator);
        // A user without the role cannot read it.
        world.has_account("eve@example.org").await;
        let tokens = world.signs_in("eve@example.org", PASSWORD).await.unwrap();
        let eve = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let refused = world.accounts.list_audit(Actor::User(&eve, &from), &AuditQuery::default()).await;
        assert_eq!(refusal(refused), "Forbidden");
        let refused = world.accounts.audit_after(Actor::User(&eve, &from), None, None).await;
        assert_eq!(refusal(refused), "Forbidden");
    }

    // O4: what an operator does names their account of the machine and the reason of the command.
    async fn operators_and_their_reasons_are_named(world: &World) {
        let ada = world.has_account("ada@example.org").await;
        let (name, reason) = (OperatorName::new("alice").unwrap(), "ticket 17".parse().unwrap());
        let env = world.settings.env.clone().operated_by(Operator { name: name.clone(), reason: Some(reason) });
        let accounts = Accounts::open(Settings { env, ..world.settings.clone() }).await.unwrap();
        let user = UserRef::Id(ada.id);
        accounts.end_sessions(Actor::Operator, &user, None).await.unwrap();
        accounts.set_password(&user, &password(OTHER_PASSWORD)).await.unwrap();
        // Who acts for themselves is no operator.
        assert_eq!(refusal(accounts.sign_in(&Login::Email(address("ada@example.org")), &password(PASSWORD), &client()).await), "Refused");
        let events = trail(world).await;
        let [ended, set, failed] = &events[events.len() - 3..] else { panic!("three acts") };
        assert_eq!((ended.actor, ended.operator.as_ref()), (AuditActor::Operator, Some(&name)));
        assert_eq!(ended.actor_name(), "operator:alice");
        assert_eq!(ended.detail.as_deref(), Some("all sessions; reason: ticket 17"));
        assert_eq!((set.kind, set.operator.as_ref()), (AuditKind::PasswordSet, Some(&name)));
        assert_eq!(set.detail.as_deref(), Some("reason: ticket 17"));
        assert_eq!((failed.operator.as_ref(), failed.actor_name().as_ref()), (None, "anonymous"));
        assert!(!failed.detail.as_deref().unwrap_or_default().contains("ticket"), "{failed:?}");
        // Without one, it is the operator as before.
        world.accounts.enable_user(Actor::Operator, &user, None).await.unwrap();
        let events = trail(world).await;
        assert_eq!((events.last().unwrap().actor_name().as_ref(), &events.last().unwrap().operator), ("operator", &None));
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
    }

    // A refused action is rolled back, and its entry with it.
    async fn a_refused_act_leaves_no_entry(world: &World) {
        let admin = NewUser {
            email: address("root@example.org"),
            display_name: None,
            password: password(PASSWORD),
            user_name: None,
            roles: vec!["admin".into()],
        };
        world.accounts.create_user(Actor::Operator, admin).await.unwrap();
        let user = UserRef::Email(address("root@example.org"));
        assert_eq!(refusal(world.accounts.disable_user(Actor::Operator, &user, None).await), "LastAdmin");
        assert_eq!(kinds(world).await, ["created"]);
    }

    // G1
    async fn the_trail_is_read_by_pages(world: &World) {
        world.has_account("ada@example.org").await;
        for _ in 0..5 {
            world.signs_in("ada@example.org", PASSWORD).await.unwrap();
            world.advance(seconds(1));
        }
        let mut query = AuditQuery { kind: Some(AuditKind::SignedIn), limit: Some(2), ..AuditQuery::default() };
        let mut times: Vec<Timestamp> = Vec::new();
        loop {
            let page = world.accounts.list_audit(Actor::Operator, &query).await.unwrap();
            times.extend(page.items.iter().map(|event| event.at));
            let Some(cursor) = page.next_cursor else { break };
            query.cursor = Some(cursor);
        }
        assert_eq!(times.len(), 5);
        assert!(times.is_sorted_by(|one, next| one > next));
        let other = AuditQuery { cursor: query.cursor.clone(), ..AuditQuery::default() };
        assert_eq!(refusal(world.accounts.list_audit(Actor::Operator, &other).await), "CursorInvalid");
        let events = trail(world).await;
        let rest = world.accounts.audit_after(Actor::Operator, Some(events[2].id), None).await.unwrap();
        assert_eq!(rest, events[3..]);
    }

    // ASVS 14.2.7
    async fn old_entries_are_forgotten(world: &World) {
        world.has_account("ada@example.org").await;
        world.advance(hours(364 * 24));
        world.accounts.sweep().await.unwrap();
        assert_eq!(kinds(world).await, ["signed_up", "activated"]);
        world.advance(hours(24));
        world.accounts.sweep().await.unwrap();
        assert_eq!(kinds(world).await, [""; 0]);
    }

    // O2: changes to the keys that sign for everyone are recorded; refused ones are not.
    async fn changes_of_keys_are_in_the_trail(world: &World) {
        let rotated = world.accounts.rotate_keys(Rotation::default()).await.unwrap();
        assert!(world.accounts.rotate_keys(Rotation::default()).await.is_err(), "one is under way");
        world.accounts.retire_key(&rotated.new.id).await.unwrap();
        assert!(world.accounts.retire_key("nobody").await.is_err());
        let events = trail(world).await;
        let said: Vec<_> = events.iter().map(|event| (event.kind, event.actor, event.detail.clone().unwrap())).collect();
        let key = &rotated.new;
        assert_eq!(said, [
            (AuditKind::KeysChanged, AuditActor::Operator, format!("{} follows and signs from {}", key.id, key.signs_at)),
            (AuditKind::KeysChanged, AuditActor::Operator, format!("{} was taken out", key.id)),
        ]);
    }
}
