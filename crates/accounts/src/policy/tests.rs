use super::*;
use crate::domain::application::keys::ApplicationKeys;
use crate::domain::application::registered::{Application, ApplicationKind, Consent};
use crate::domain::application::scope::Scopes;
use crate::domain::profile::claim_paths::ClaimPaths;
use crate::domain::secret::Secret;

#[test]
fn the_defaults_are_allowed() {
    assert_eq!(Policy::default().check(), Ok(()));
}

// D1, D2, P4: the program refuses to start with settings below the minimum.
#[test]
fn unsafe_settings_are_refused_by_name() {
    let refused = |change: fn(&mut Policy)| {
        let mut policy = Policy::default();
        change(&mut policy);
        policy.check().unwrap_err().setting
    };
    assert_eq!(refused(|p| p.passwords.min_code_points = 7), "password.min_length");
    assert_eq!(refused(|p| p.confirm.code_digits = 3), "confirm.code_digits");
    assert_eq!(refused(|p| p.hash.memory_kib = 19_455), "hash.memory_kib");
    assert_eq!(refused(|p| p.hash.passes = 1), "hash.memory_kib");
    assert_eq!(refused(|p| p.sign_up.resend_waits = vec![Duration::from_secs(59)]), "signup.resend_waits");
    for (length, allowed) in [(59, false), (60, true), (86_400, true), (86_401, false)] {
        let mut policy = Policy::default();
        policy.admin.reauthenticate_after = Duration::from_secs(length);
        assert_eq!(
            policy.check().err().map(|error| error.setting),
            (!allowed).then_some("admin.reauthenticate_after")
        );
    }
    assert_eq!(refused(|p| (p.confirm.link, p.confirm.code) = (false, false)), "confirm.methods");
    let endpoint = |name: &str| WebhookSubscription { endpoint: name.to_owned(), events: vec![] };
    let many: Vec<String> = (0..17).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for names in [&["a", "a"][..], &[""], &["A b"], &many] {
        let webhooks = names.iter().map(|name| endpoint(name)).collect();
        let refused = Policy { webhooks, ..Policy::default() }.check().unwrap_err();
        assert_eq!(refused.setting, "webhooks", "{names:?}");
    }
    let webhooks = many[..16].iter().map(|name| endpoint(name)).collect();
    assert_eq!(Policy { webhooks, ..Policy::default() }.check(), Ok(()));
}

#[test]
fn applications_of_the_settings_have_secrets_as_their_kind_demands() {
    let application = |id: &str, kind| Application {
        id: id.parse().unwrap(),
        name: "Shop".to_owned(),
        kind,
        redirect_uris: vec!["https://shop.example/callback".parse().unwrap()],
        post_logout_redirect_uris: vec![],
        logout_uri: None,
        resources: vec![],
        scopes: Scopes::default(),
        machine_scopes: Scopes::default(),
        consent: Consent::Ask,
        claims: ClaimPaths::default(),
        keys: ApplicationKeys::default(),
    };
    let with = |id: &str, kind, lengths: &[usize]| ConfiguredApplication {
        application: application(id, kind),
        secrets: lengths.iter().map(|length| Secret::from("s".repeat(*length))).collect(),
    };
    let is_allowed = |applications| Policy { applications, ..Policy::default() }.check().is_ok();
    let (secret, none) = (ApplicationKind::Confidential, ApplicationKind::Public);
    for (kind, lengths, allowed) in [
        (secret, &[32][..], true),
        (secret, &[32, 33], true),
        (secret, &[31], false),
        (secret, &[32, 31], false),
        (secret, &[], false),
        (secret, &[32, 32, 32], false),
        (none, &[], true),
        (none, &[32], false),
    ] {
        assert_eq!(is_allowed(vec![with("shop", kind, lengths)]), allowed, "{kind:?} {lengths:?}");
    }
    let many = |number: usize| (0..number).map(|i| with(&format!("app-{i}"), none, &[])).collect::<Vec<_>>();
    assert!(is_allowed(many(100)) && !is_allowed(many(101)));
    assert!(!is_allowed(vec![with("shop", none, &[]), with("shop", none, &[])]));
}
