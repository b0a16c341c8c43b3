//! Requests: which are answered, where refusals go, and who is asked.

use super::*;
use crate::on_both_stores;
use vestibule::{AuthorizationError, ConsentAnswer, MailContent, SecondFactor, SecurityEvent};

/// A browser's name for itself.
const BROWSER: &str = "holder-of-forms";

/// The error that the application is told at its address.
async fn told(world: &World, parameters: AuthorizationParameters) -> String {
    match world.accounts.check_authorization(parameters).await {
        Err(AuthorizationError::Refused { redirect, .. }) => {
            assert_eq!(parameter(&redirect, "state").as_deref(), Some("s 1"));
            assert_eq!(parameter(&redirect, "iss").as_deref(), Some("https://accounts.example.org"));
            parameter(&redirect, "error").unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn error(step: AuthorizationStep) -> String {
    let AuthorizationStep::Done(address) = step else { panic!("{step:?}") };
    parameter(&address, "error").unwrap_or_default()
}

on_both_stores! {
    // RFC 6749 §4.1.2.1, RFC 9700 §4.1: nothing goes to an address that is not proven.
    async fn nobody_is_sent_to_an_address_that_is_not_registered(world: &World) {
        world.has_application(&shop()).await;
        let good = || asks(&shop(), "openid");
        for wrong in [
            AuthorizationParameters { client_id: None, ..good() },
            AuthorizationParameters { client_id: Some("unknown".to_owned()), ..good() },
            AuthorizationParameters { client_id: Some("vestibule".to_owned()), ..good() },
            AuthorizationParameters { redirect_uri: None, ..good() },
            AuthorizationParameters { redirect_uri: Some("https://evil.example/callback".to_owned()), ..good() },
            AuthorizationParameters { redirect_uri: Some(format!("{CALLBACK}?x=1")), ..good() },
            AuthorizationParameters { redirect_uri: Some(format!("{CALLBACK}#x")), ..good() },
        ] {
            let refused = world.accounts.check_authorization(wrong.clone()).await;
            assert!(matches!(refused, Err(AuthorizationError::Unproven(_))), "{wrong:?}");
        }
    }

    async fn what_is_wrong_is_told_to_the_application(world: &World) {
        world.has_application(&shop()).await;
        let good = || asks(&shop(), "openid");
        let text = |text: &str| Some(text.to_owned());
        for (wrong, expected) in [
            (AuthorizationParameters { response_type: None, ..good() }, "invalid_request"),
            (AuthorizationParameters { response_type: text("token"), ..good() }, "unsupported_response_type"),
            (AuthorizationParameters { response_type: text("code id_token"), ..good() }, "unsupported_response_type"),
            (AuthorizationParameters { response_mode: text("fragment"), ..good() }, "invalid_request"),
            (AuthorizationParameters { scope: text("openid admin"), ..good() }, "invalid_scope"),
            (AuthorizationParameters { scope: text("openid  email"), ..good() }, "invalid_scope"),
            (AuthorizationParameters { code_challenge: None, ..good() }, "invalid_request"),
            (AuthorizationParameters { code_challenge: text("short"), ..good() }, "invalid_request"),
            (AuthorizationParameters { code_challenge_method: None, ..good() }, "invalid_request"),
            (AuthorizationParameters { code_challenge_method: text("plain"), ..good() }, "invalid_request"),
            (AuthorizationParameters { prompt: text("none login"), ..good() }, "invalid_request"),
            (AuthorizationParameters { prompt: text("create"), ..good() }, "invalid_request"),
            (AuthorizationParameters { max_age: text("-1"), ..good() }, "invalid_request"),
            (AuthorizationParameters { nonce: Some("n".repeat(513)), ..good() }, "invalid_request"),
            (AuthorizationParameters { has_request_object: true, ..good() }, "request_not_supported"),
            (AuthorizationParameters { has_request_uri: true, ..good() }, "request_uri_not_supported"),
            (AuthorizationParameters { id_token_hint: text("a.b.c"), ..good() }, "invalid_request"),
        ] {
            assert_eq!(told(world, wrong.clone()).await, expected, "{wrong:?}");
        }
    }

    async fn what_comes_back_may_be_so_long(world: &World) {
        world.has_application(&shop()).await;
        let with = |state: String| AuthorizationParameters {
            state: Some(state),
            nonce: Some("n".repeat(512)),
            ..asks(&shop(), "openid")
        };
        let request = world.request(with("s".repeat(2048))).await;
        world.accounts.keep_authorization(&request, BROWSER, &CLIENT).await.unwrap();
        let Err(AuthorizationError::Refused { redirect, .. }) =
            world.accounts.check_authorization(with("s".repeat(2049))).await
        else {
            panic!("a longer one is refused")
        };
        assert_eq!(parameter(&redirect, "error").as_deref(), Some("invalid_request"));
        assert_eq!(parameter(&redirect, "state"), None, "what is too long does not come back");
        // Each of these takes six letters in what is kept.
        let request = world.request(with("\u{1}".repeat(2048))).await;
        let kept = world.accounts.keep_authorization(&request, BROWSER, &CLIENT).await;
        assert_eq!(refusal(kept), "TooLong");
    }

    // OpenID Connect Core §3.1.2.1
    async fn prompt_none_shows_nothing(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        world.has_application(&shop()).await;
        world.has_application(&game()).await;
        let silent = |application: &Application| AuthorizationParameters {
            prompt: Some("none".to_owned()),
            ..asks(application, "openid")
        };
        let request = world.request(silent(&shop())).await;
        assert_eq!(error(world.decides(&request, None).await), "login_required");
        assert_eq!(error(world.decides(&request, Some(&who)).await), "");
        let request = world.request(silent(&game())).await;
        assert_eq!(error(world.decides(&request, Some(&who)).await), "consent_required");
    }

    async fn a_fresh_proof_is_asked_for(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        world.has_application(&shop()).await;
        world.advance(seconds(100));
        let with = |prompt: Option<&str>, max_age: Option<&str>| AuthorizationParameters {
            prompt: prompt.map(str::to_owned),
            max_age: max_age.map(str::to_owned),
            ..asks(&shop(), "openid")
        };
        for (prompt, max_age, is_enough) in [
            (None, None, true),
            (None, Some("100"), true),
            (None, Some("99"), false),
            (None, Some("0"), false),
            (Some("login"), None, false),
            (Some("select_account"), None, false),
        ] {
            let request = world.request(with(prompt, max_age)).await;
            let step = world.decides(&request, Some(&who)).await;
            let asked = matches!(step, AuthorizationStep::ProveAgain);
            assert_eq!(asked, !is_enough, "{prompt:?} {max_age:?}");
        }
        let request = world.request(with(Some("login"), Some("0"))).await;
        let again = world.session_of("ada@example.org").await;
        assert_eq!(error(world.decides(&request, Some(&again)).await), "");
    }

    // OpenID Connect Core §5.5.1.1: voluntary, so whoever has no factor goes on without.
    async fn a_second_factor_may_be_asked_for(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        let request = world
            .request(AuthorizationParameters {
                acr_values: Some("urn:other urn:vestibule:factor:2".to_owned()),
                ..asks(&shop(), "openid")
            })
            .await;
        let AuthorizationStep::Done(address) = world.decides(&request, Some(&who)).await else { panic!() };
        let tokens = world.exchanges(&by, &parameter(&address, "code").unwrap()).await.unwrap();
        assert_eq!(claims(tokens.id_token.as_ref().unwrap())["acr"], "urn:vestibule:factor:1");
        let app = world.adds_app(&who).await;
        let before = world.decides(&request, Some(&who)).await;
        // Adding the app proved it in this session.
        assert!(matches!(before, AuthorizationStep::Done(_)));
        world.advance(seconds(30));
        let login = vestibule::Login::Email(address_of());
        let asked = world.accounts.sign_in(&login, &password(PASSWORD), &client()).await;
        let Err(vestibule::SignInError::SecondFactorRequired(asked)) = asked else { panic!() };
        let given = SecondFactor::Code(world.code_of(&app.secret));
        let tokens = world.accounts.second_factor(asked.challenge.expose(), &given, &client()).await.unwrap();
        let who = world.who_is(tokens.access_token.expose()).await;
        let AuthorizationStep::Done(address) = world.decides(&request, Some(&who)).await else { panic!() };
        let tokens = world.exchanges(&by, &parameter(&address, "code").unwrap()).await.unwrap();
        assert_eq!(claims(tokens.id_token.as_ref().unwrap())["acr"], "urn:vestibule:factor:2");
    }

    async fn the_user_is_asked_once_for_each_thing(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&game()).await;
        let allow = |scope: &'static str, answer| {
            let who = who.clone();
            async move {
                let request = world.request(asks(&game(), scope)).await;
                let id = world.accounts.keep_authorization(&request, BROWSER, &client()).await.unwrap();
                assert_eq!(world.accounts.kept_authorization(BROWSER, &id).await.unwrap(), Some(request));
                let given = world.accounts.answer_authorization(Some(&who), BROWSER, &id, answer, &CLIENT);
                let step = given.await.unwrap();
                let again = world.accounts.answer_authorization(Some(&who), BROWSER, &id, answer, &client()).await;
                assert_eq!(refusal(again), "Gone");
                step
            }
        };
        assert_eq!(error(allow("openid", ConsentAnswer::Deny).await), "access_denied");
        assert!(world.accounts.list_grants(&who).await.unwrap().is_empty());
        let AuthorizationStep::Done(address) = allow("openid", ConsentAnswer::Allow).await else { panic!() };
        world.exchanges(&by, &parameter(&address, "code").unwrap()).await.unwrap();
        let request = world.request(asks(&game(), "openid")).await;
        assert_eq!(error(world.decides(&request, Some(&who)).await), "");
        let request = world.request(asks(&game(), "openid email")).await;
        let AuthorizationStep::Ask(question) = world.decides(&request, Some(&who)).await else { panic!() };
        assert_eq!(question.allowed.to_string(), "openid");
        allow("openid email", ConsentAnswer::Allow).await;
        assert_eq!(world.accounts.list_grants(&who).await.unwrap()[0].scopes.to_string(), "email openid");
        world.deliver().await;
        let told = world.take_mails_to("ada@example.org");
        let [MailContent::SecurityNotice { event, .. }] = told.iter().map(|mail| &mail.content).collect::<Vec<_>>()[..] else {
            panic!("the first time only, not {told:?}")
        };
        let first = SecurityEvent::ApplicationAllowed { name: "Game".to_owned(), scopes: vec!["openid".to_owned()] };
        assert_eq!(*event, first);
    }

    // RFC 8252 §8.6: any program of the device may receive what goes there.
    async fn an_application_on_a_device_is_asked_about_every_time(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let device = Application {
            redirect_uris: vec!["http://127.0.0.1/callback".parse().unwrap()],
            ..game()
        };
        let by = world.has_application(&device).await;
        let with_port = AuthorizationParameters {
            redirect_uri: Some("http://127.0.0.1:51004/callback".to_owned()),
            ..asks(&device, "openid")
        };
        for _ in 0..2 {
            let request = world.request(with_port.clone()).await;
            assert!(matches!(world.decides(&request, Some(&who)).await, AuthorizationStep::Ask(_)));
            let id = world.accounts.keep_authorization(&request, BROWSER, &client()).await.unwrap();
            let given = world.accounts.answer_authorization(Some(&who), BROWSER, &id, ConsentAnswer::Allow, &CLIENT);
            let AuthorizationStep::Done(address) = given.await.unwrap() else { panic!() };
            assert!(address.starts_with("http://127.0.0.1:51004/callback?code="));
            let given = exchange(&parameter(&address, "code").unwrap(), "http://127.0.0.1:51004/callback");
            world.accounts.exchange_code(&by, given, &client()).await.unwrap();
        }
        world.deliver().await;
        world.take_mails_to("ada@example.org");
    }

    // B13: another browser never finds it, and nobody fills the table.
    async fn a_request_waits_for_its_own_browser(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        world.has_application(&game()).await;
        let request = world.request(asks(&game(), "openid")).await;
        let keep = |holder: &'static str| world.accounts.keep_authorization(&request, holder, &CLIENT);
        let id = keep(BROWSER).await.unwrap();
        assert_eq!(world.accounts.kept_authorization("another", &id).await.unwrap(), None);
        let stolen = world.accounts.answer_authorization(Some(&who), "another", &id, ConsentAnswer::Allow, &CLIENT);
        assert_eq!(refusal(stolen.await), "Gone");
        for _ in 0..10 {
            world.advance(seconds(1));
            keep(BROWSER).await.unwrap();
        }
        assert_eq!(world.accounts.kept_authorization(BROWSER, &id).await.unwrap(), None, "the oldest is forgotten");
        let id = keep(BROWSER).await.unwrap();
        world.advance(hours(1));
        assert_eq!(world.accounts.kept_authorization(BROWSER, &id).await.unwrap(), None);
        world.accounts.sweep().await.unwrap();
        assert_eq!(world.sql("SELECT id FROM authorization_requests"), 0);
        let from = client();
        let mut refused = 0;
        for i in 0..201 {
            let holder = format!("browser {i}");
            refused += i32::from(world.accounts.keep_authorization(&request, &holder, &from).await.is_err());
        }
        assert_eq!(refused, 1, "of one network two hundred wait");
    }
}

/// Nobody in particular.
static CLIENT: vestibule::Client = vestibule::Client { ip: None, user_agent: None, device_token: None };

fn address_of() -> vestibule::Email {
    address("ada@example.org")
}
