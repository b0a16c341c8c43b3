use std::collections::BTreeMap;
use std::time::Duration;

use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Actor, ExportedUser, ImportOptions, ImportRefusal, Imported, ImportedHash, ImportedTime,
    ImportedUser, MailContent, Roles, Terms, Timestamp, UserData, UserRef,
};

/// The password of every hash that the original libraries made.
const THEIR_PASSWORD: &str = "violet-otter-Ünïcödé-42";
const VECTORS: &str = include_str!("../foreign_hashes/made_by_python.json");
const UPDATE: ImportOptions =
    ImportOptions { update: true, allow_weak: false, invite: false, dry_run: false };

/// The hash that one of the libraries made.
fn made_by(by: &str, name: &str) -> ImportedHash {
    let vectors: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
    let vector = vectors.iter().find(|vector| vector["by"] == by && vector["name"] == name).unwrap();
    ImportedHash::parse(vector["hash"].as_str().unwrap()).unwrap()
}

fn user(email: &str, hash: Option<ImportedHash>) -> ImportedUser {
    ImportedUser {
        email: address(email),
        external_id: None,
        terms_accepted_at: None,
        password_hash: hash,
        user_name: None,
        display_name: None,
        locale: None,
        roles: Roles::default(),
        created_at: None,
        is_confirmed: true,
        email_confirmed_at: None,
        disabled_at: None,
        data: UserData::default(),
        app_data: UserData::default(),
    }
}

async fn import(world: &World, users: &[ImportedUser], options: ImportOptions) -> Vec<Imported> {
    world.accounts.import_users(users.to_vec(), options).await.unwrap()
}

async fn imported(world: &World, user: ImportedUser) -> Account {
    let email = user.email.clone();
    let done = import(world, &[user], ImportOptions::default()).await;
    assert!(matches!(done[0], Imported::Created(_)), "{done:?}");
    world.accounts.find_user(Actor::Operator, &UserRef::Email(email)).await.unwrap()
}

async fn all(world: &World) -> Vec<ExportedUser> {
    world.accounts.export_users(None).await.unwrap()
}

async fn hash_of(world: &World, email: &str) -> String {
    let users = all(world).await;
    let found = users.into_iter().find(|user| user.account.email == address(email)).unwrap();
    found.password_hash.map_or_else(String::new, |hash| hash.expose().to_owned())
}

/// A new hash is made after the answer: further sign-ins on the same threads come after it.
async fn signs_in_until_renewed(world: &World, email: &str, password: &str) -> String {
    for _ in 0..8 {
        world.signs_in(email, password).await.unwrap();
    }
    // What was posted before is written before.
    world.accounts.note_import("waits for what was posted").await.unwrap();
    hash_of(world, email).await
}

on_both_stores! {
    // P4: users keep their passwords; the hash becomes ours with the first sign-in.
    async fn hashes_of_others_sign_in_and_are_renewed(world: &World) {
        let kinds = [("bcrypt", "2y"), ("argon2-cffi", "D 16"), ("werkzeug", "pbkdf2:sha1:1000"), ("passlib", "pbkdf2-sha512")];
        for (by, name) in kinds {
            let email = format!("{by}@example.org");
            imported(world, user(&email, Some(made_by(by, name)))).await;
            assert_eq!(refusal(world.signs_in(&email, PASSWORD).await), "Refused");
            let renewed = signs_in_until_renewed(world, &email, THEIR_PASSWORD).await;
            assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
            world.signs_in(&email, THEIR_PASSWORD).await.unwrap();
            assert_eq!(refusal(world.signs_in(&email, PASSWORD).await), "Refused");
        }
        assert_eq!(world.sql("UPDATE users SET hash_class = hash_class WHERE hash_class IS NOT NULL"), 0);
    }

    // P5: a corrupt hash fails the sign-in of its user, and nothing else.
    async fn a_corrupt_hash_is_a_failed_sign_in(world: &World) {
        imported(world, user("ada@example.org", Some(made_by("bcrypt", "2y")))).await;
        world.sql("UPDATE users SET password_hash = '$2y$04$corrupt'");
        imported(world, user("bob@example.org", Some(made_by("bcrypt", "2y")))).await;
        assert_eq!(refusal(world.signs_in("ada@example.org", THEIR_PASSWORD).await), "Refused");
        world.signs_in("bob@example.org", THEIR_PASSWORD).await.unwrap();
        world.accounts.sweep().await.unwrap();
    }

    async fn a_weak_hash_is_wrapped_where_that_is_allowed(world: &World) {
        let weak = user("ada@example.org", Some(made_by("weak", "django sha1")));
        let refused = import(world, std::slice::from_ref(&weak), ImportOptions::default()).await;
        assert_eq!(refused, [Imported::Refused(ImportRefusal::WeakHash)]);
        let allowed = ImportOptions { allow_weak: true, ..ImportOptions::default() };
        assert!(matches!(import(world, &[weak], allowed).await[0], Imported::Created(_)));
        let stored = hash_of(world, "ada@example.org").await;
        assert!(stored.starts_with("$wrapped$sha1-salt-first$c2FsdHNhbHQ$argon2id$"), "{stored}");
        let renewed = signs_in_until_renewed(world, "ada@example.org", THEIR_PASSWORD).await;
        assert!(renewed.starts_with("$argon2id$v=19$m=19456"), "{renewed}");
    }

    // Nothing twice, nothing missing: the same users can be given again.
    async fn users_are_found_again_by_external_id_or_address(world: &World) {
        let named = |email, id: &str| ImportedUser { external_id: Some(id.parse().unwrap()), ..user(email, None) };
        let first = [user("ada@example.org", None), named("bob@example.org", "b-1"), user("ADA@example.org", None)];
        let done = import(world, &first, ImportOptions::default()).await;
        let [Imported::Created(ada), Imported::Created(bob), Imported::Skipped(twice)] = done.as_slice() else {
            panic!("{done:?}");
        };
        assert_eq!(ada, twice, "two rows of one address by case");
        let again = import(world, &first, ImportOptions::default()).await;
        assert_eq!(again, [ada, bob, ada].map(|id| Imported::Skipped(*id)));
        let again = [named("bob@example.org", "b-1"), named("bob@example.org", "b-2"), named("eve@example.org", "b-1")];
        assert_eq!(import(world, &again, UPDATE).await, [
            Imported::Skipped(*bob),
            Imported::Refused(ImportRefusal::EmailTaken),
            Imported::Refused(ImportRefusal::ExternalIdTaken),
        ]);
        assert_eq!(import(world, &[named("ada@example.org", "a-1")], UPDATE).await, [Imported::Updated(*ada)]);
        assert_eq!(all(world).await.len(), 2);
        let name = |email| ImportedUser { user_name: Some("countess".parse().unwrap()), ..user(email, None) };
        let taken = import(world, &[name("eve@example.org"), name("ida@example.org")], ImportOptions::default()).await;
        assert_eq!(taken[1], Imported::Refused(ImportRefusal::UserNameTaken));
        let taken = import(world, &[name("ada@example.org")], UPDATE).await;
        assert_eq!(taken, [Imported::Refused(ImportRefusal::UserNameTaken)]);
    }

    async fn an_update_ends_sessions_and_is_audited(world: &World) {
        imported(world, user("ada@example.org", Some(made_by("bcrypt", "2a")))).await;
        let tokens = world.signs_in("ada@example.org", THEIR_PASSWORD).await.unwrap();
        let same = import(world, &[user("ada@example.org", None)], UPDATE).await;
        assert!(matches!(same[0], Imported::Skipped(_)), "{same:?}");
        world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let named = ImportedUser { display_name: Some("Ada".parse().unwrap()), ..user("ada@example.org", None) };
        let changed = import(world, &[named], UPDATE).await;
        assert!(matches!(changed[0], Imported::Updated(_)), "{changed:?}");
        world.accounts.authenticate(tokens.access_token.expose()).await.unwrap_err();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), [""; 0], "no mail goes out");
        let trail = world.accounts.audit_after(Actor::Operator, None, None).await.unwrap();
        let imports = trail.iter().filter(|event| event.kind.name() == "imported");
        let details: Vec<_> = imports.map(|event| event.detail.as_deref().unwrap()).collect();
        assert_eq!(details, ["created", "updated"]);
    }

    async fn an_update_brings_when_terms_were_accepted(world: &World) {
        imported(world, user("ada@example.org", None)).await;
        let accepted = |at| ImportedUser { terms_accepted_at: Some(Timestamp::from_millis(at)), ..user("ada@example.org", None) };
        assert!(matches!(import(world, &[accepted(1_650_000_000_000)], UPDATE).await[0], Imported::Updated(_)));
        assert!(matches!(import(world, &[accepted(1_660_000_000_000)], UPDATE).await[0], Imported::Skipped(_)), "it has a time");
        assert_eq!(all(world).await[0].account.terms_accepted_at, Some(Timestamp::from_millis(1_650_000_000_000)));
    }

    // A password that was used or set here is never replaced by an older one.
    async fn an_update_replaces_only_hashes_of_others(world: &World) {
        imported(world, user("ada@example.org", Some(made_by("bcrypt", "2y")))).await;
        let other = user("ada@example.org", Some(made_by("passlib", "pbkdf2-sha512")));
        assert!(matches!(import(world, std::slice::from_ref(&other), UPDATE).await[0], Imported::Updated(_)));
        assert!(hash_of(world, "ada@example.org").await.starts_with("$pbkdf2-sha512$"));
        let renewed = signs_in_until_renewed(world, "ada@example.org", THEIR_PASSWORD).await;
        assert!(matches!(import(world, &[other], UPDATE).await[0], Imported::Skipped(_)));
        assert_eq!(hash_of(world, "ada@example.org").await, renewed);
        // Somebody who has removed the password does not get it back; who never had one gets it.
        imported(world, user("bob@example.org", None)).await;
        let late = user("bob@example.org", Some(made_by("bcrypt", "2y")));
        assert!(matches!(import(world, std::slice::from_ref(&late), UPDATE).await[0], Imported::Updated(_)));
        world.signs_in("bob@example.org", THEIR_PASSWORD).await.unwrap();
        world.sql("UPDATE users SET password_hash = NULL, hash_class = NULL WHERE email = 'bob@example.org'");
        assert!(matches!(import(world, &[late], UPDATE).await[0], Imported::Skipped(_)));
        assert_eq!(hash_of(world, "bob@example.org").await, "");
    }

    async fn a_dry_run_writes_nothing(world: &World) {
        let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
        let done = import(world, &[user("ada@example.org", None), user("Ada@example.org", None)], dry).await;
        assert!(matches!(done.as_slice(), [Imported::Created(_), Imported::Skipped(_)]), "{done:?}");
        assert!(all(world).await.is_empty());
        assert!(world.accounts.audit_after(Actor::Operator, None, None).await.unwrap().is_empty());
    }

    async fn a_time_that_is_still_to_come_is_refused(world: &World) {
        let later = Some(world.clock.now() + seconds(1));
        let users = [
            ImportedUser { created_at: later, ..user("ada@example.org", None) },
            ImportedUser { email_confirmed_at: later, ..user("ada@example.org", None) },
            ImportedUser { disabled_at: later, ..user("ada@example.org", None) },
            ImportedUser { terms_accepted_at: later, ..user("ada@example.org", None) },
        ];
        let times =
            [ImportedTime::Created, ImportedTime::EmailConfirmed, ImportedTime::Disabled, ImportedTime::TermsAccepted];
        let refused = times.map(|time| Imported::Refused(ImportRefusal::NotYet(time)));
        assert_eq!(import(world, &users, ImportOptions::default()).await, refused);
    }

    // S3: whoever signed up with the address waits for a code that never works.
    async fn open_sign_ups_of_an_imported_address_become_decoys(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        imported(world, user("ada@example.org", Some(made_by("bcrypt", "2y")))).await;
        let confirmed = world.confirms("ada@example.org", PASSWORD, &letter.code()).await;
        assert!(confirmed.is_err());
        world.signs_in("ada@example.org", THEIR_PASSWORD).await.unwrap();
    }

    // S4: whose address was not confirmed becomes a sign-up. Its password counts for nothing: a stranger may have chosen it.
    async fn unconfirmed_users_become_sign_ups(world: &World) {
        let unconfirmed = |email: &str| ImportedUser {
            is_confirmed: false,
            display_name: Some("Ada L.".parse().unwrap()),
            ..user(email, Some(made_by("bcrypt", "2y")))
        };
        let (ada, bob) = (unconfirmed("ada@example.org"), unconfirmed("bob@example.org"));
        let done = import(world, std::slice::from_ref(&ada), ImportOptions::default()).await;
        assert_eq!(done, [Imported::Refused(ImportRefusal::Unconfirmed)]);
        let invite = ImportOptions { invite: true, ..ImportOptions::default() };
        let dry = ImportOptions { dry_run: true, ..invite };
        assert_eq!(import(world, &[ada.clone(), bob.clone()], dry).await, [Imported::Invited, Imported::Invited]);
        assert_eq!(import(world, &[ada.clone(), bob.clone()], invite).await, [Imported::Invited, Imported::Invited]);
        assert_eq!(import(world, std::slice::from_ref(&ada), invite).await, [Imported::Waiting]);
        // The mails leave one after the other.
        world.accounts.deliver(&world.mailbox).await.unwrap();
        assert_eq!((world.kinds_to("ada@example.org"), world.kinds_to("bob@example.org").len()), (vec!["move_in"], 0));
        assert_eq!(refusal(world.signs_in("ada@example.org", THEIR_PASSWORD).await), "Refused");
        // The day begins when the mail leaves, however long it has waited.
        world.advance(Duration::from_hours(72));
        world.deliver().await;
        let mails = world.take_mails_to("bob@example.org");
        let MailContent::MoveIn { link, link_expires_at } = &mails[0].content else { panic!("{mails:?}") };
        assert_eq!(*link_expires_at, world.clock.now() + Duration::from_hours(24));
        let token = link.expose().strip_prefix("https://accounts.example.org/confirm?token=").unwrap();
        world.advance(Duration::from_hours(23));
        let chosen = password(PASSWORD);
        let bob = world.accounts.confirm_by_link(token, Some(&chosen), None, Terms::Unanswered, &client()).await.unwrap();
        assert_eq!(bob.display_name.unwrap().as_str(), "Ada L.");
        world.signs_in("bob@example.org", PASSWORD).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("bob@example.org"), ["welcome"]);
        // Who is here is here, confirmed elsewhere or not.
        let done = import(world, &[unconfirmed("bob@example.org")], invite).await;
        assert!(matches!(done[0], Imported::Skipped(_)), "{done:?}");
    }

    async fn what_is_exported_can_be_imported(world: &World) {
        let at = |millis| Some(Timestamp::from_millis(millis));
        let object = |text| UserData::new(serde_json::from_str(text).unwrap()).unwrap();
        let whole = ImportedUser {
            external_id: Some("auth0|1".parse().unwrap()),
            user_name: Some("countess".parse().unwrap()),
            display_name: Some("Ada Lovelace".parse().unwrap()),
            locale: Some("de".to_owned()),
            roles: Roles::new(["editor"]).unwrap(),
            created_at: at(1_600_000_000_000),
            email_confirmed_at: at(1_600_000_001_000),
            disabled_at: at(1_700_000_000_000),
            terms_accepted_at: at(1_650_000_000_000),
            data: object(r#"{"theme":"dark"}"#),
            app_data: object(r#"{"plan":"pro"}"#),
            ..user("ada@example.org", Some(made_by("bcrypt", "2y")))
        };
        imported(world, whole).await;
        imported(world, user("bob@example.org", None)).await;
        world.has_account("eve@example.org").await;
        let before = all(world).await;
        let given = before.iter().map(|ExportedUser { account, password_hash }| ImportedUser {
            email: account.email.clone(),
            external_id: account.external_id.clone(),
            password_hash: password_hash.as_ref().map(|hash| ImportedHash::parse(hash.expose()).unwrap()),
            user_name: account.user_name.clone(),
            display_name: account.display_name.clone(),
            locale: account.locale.clone(),
            roles: Roles::new(&account.roles).unwrap(),
            created_at: Some(account.created_at),
            is_confirmed: true,
            email_confirmed_at: Some(account.email_confirmed_at),
            disabled_at: account.disabled_at,
            terms_accepted_at: account.terms_accepted_at,
            data: account.data.clone(),
            app_data: account.app_data.clone(),
        });
        let given: Vec<_> = given.collect();
        for email in ["ada@example.org", "bob@example.org", "eve@example.org"] {
            world.deletes(email).await;
        }
        let done = import(world, &given, ImportOptions::default()).await;
        assert!(done.iter().all(|done| matches!(done, Imported::Created(_))), "{done:?}");
        let known = |users: Vec<ExportedUser>| -> BTreeMap<String, (Account, Option<String>)> {
            let known = users.into_iter().map(|ExportedUser { account, password_hash }| {
                let hash = password_hash.map(|hash| hash.expose().to_owned());
                (account.email.as_str().to_owned(), (Account { id: before[0].account.id, ..account }, hash))
            });
            known.collect()
        };
        assert_eq!(known(all(world).await), known(before.clone()));
        world.signs_in("eve@example.org", PASSWORD).await.unwrap();
    }
}
