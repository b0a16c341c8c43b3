//! The one door: each way in and each continuation, in each state of the account, with each kind of factor, under each
//! policy. The result is the tables in `docs/security.md`.

mod expected;

use crate::account::moves_in;
use crate::applications::{asks, exchanges_at, parameter, shop};
use crate::factors::{App, uses};
use crate::world::*;
use expected::{
    CONTINUATIONS, Continuation, FACTORS, Factors, Outcome, RULES, Rules, STATES, State, in_state,
    of_continuation, with_factors,
};
use vestibule::{
    Accounts, Actor, AuthenticatedApplication, AuthorizationStep, Login, MailContent, PasskeySignInError,
    RequireFactor, SecondFactor, SecondFactorError, Secret, SignInError, SignUpMode, SignedIn, UserRef, Way,
};
use vestibule_testing::webauthn::Authenticator;

const ADA: &str = "ada@example.org";
const AFTERWARDS: &str = "ada@example.net";

/// Ada has an account.
struct Ada {
    /// Of the browser that signed up.
    proof: Secret,
    /// A session from before: with every factor that there is.
    who: SignedIn,
    app: Option<App>,
    passkey: Option<Authenticator>,
}

async fn ada(world: &World, factors: Factors) -> Ada {
    let (_, proof) = world.accounts.sign_up_in_browser(wish(ADA, PASSWORD), &client()).await.unwrap();
    world.deliver().await;
    let letter = world.letter_to(ADA);
    world.confirms(ADA, PASSWORD, &letter.code()).await.unwrap();
    world.take_mails_to(ADA);
    let who = world.session_of(ADA).await;
    let app = match factors {
        Factors::App | Factors::Both => Some(world.adds_app(&who).await),
        Factors::None | Factors::Passkey => None,
    };
    let passkey = match factors {
        Factors::Passkey | Factors::Both => Some(world.adds_passkey(&who).await),
        Factors::None | Factors::App => None,
    };
    Ada { proof, who, app, passkey }
}

async fn reach(world: &World, state: State, who: &SignedIn) {
    let user = UserRef::Email(address(ADA));
    match state {
        State::Active => {}
        State::Disabled => {
            world.accounts.disable_user(Actor::Operator, &user, None).await.unwrap();
        }
        State::Deleted => world.deletes(ADA).await,
        State::PasswordChanged => {
            world.accounts.set_password(&user, &password(OTHER_PASSWORD)).await.unwrap();
        }
        State::AddressChanged => {
            world.deliver().await;
            world.take_mails_to(ADA);
            moves_in(world, who, ADA, AFTERWARDS).await;
        }
        State::WrongPasswords => {
            for _ in 0..6 {
                world.signs_in(ADA, "copper-lamp-river-77").await.unwrap_err();
            }
        }
    }
}

/// Leaves nothing behind for the next cell.
async fn clear(world: &World) {
    for email in [ADA, AFTERWARDS] {
        let user = UserRef::Email(address(email));
        if world.accounts.find_user(Actor::Operator, &user).await.is_ok() {
            world.deletes(email).await;
        }
        world.deliver().await;
        world.take_mails_to(email);
    }
    world.advance(hours(25));
}

/// What a way needs before its last step.
enum Begun {
    Nothing,
    Challenge(Secret),
    Link(String),
    Code(Box<AuthenticatedApplication>, String),
    NotOffered,
}

/// The first half of a way.
async fn begin(world: &World, accounts: &Accounts, way: Way, ada: &Ada) -> Begun {
    let has_it = match way {
        Way::Password | Way::Confirmation => return Begun::Nothing,
        Way::Application => return code_in_browser(accounts, &ada.who).await,
        Way::Passkey if ada.passkey.is_some() => return Begun::Nothing,
        Way::Passkey => return Begun::NotOffered,
        Way::Enrolment => true,
        Way::PasswordAndCode | Way::PasswordAndRecoveryCode => ada.app.is_some(),
        Way::PasswordAndPasskey => ada.passkey.is_some(),
    };
    match accounts.sign_in(&Login::Email(address(ADA)), &password(PASSWORD), &client()).await {
        Err(SignInError::SecondFactorRequired(asked)) if has_it && way != Way::Enrolment => {
            Begun::Challenge(asked.challenge)
        }
        Err(SignInError::EnrolmentRequired) if way == Way::Enrolment => {
            world.deliver().await;
            let mails = world.take_mails_to(ADA);
            let link = mails.iter().find_map(|mail| match &mail.content {
                MailContent::Enrolment { link, .. } => Some(link),
                _ => None,
            });
            Begun::Link(link.unwrap().expose().split_once("token=").unwrap().1.to_owned())
        }
        _ => Begun::NotOffered,
    }
}

/// What an application gets in the browser of before.
async fn code_in_browser(accounts: &Accounts, who: &SignedIn) -> Begun {
    let made = accounts.create_application(Actor::Operator, shop()).await;
    let secret = match made {
        Ok(secret) => secret.unwrap(),
        Err(_) => accounts.rotate_application_secret(Actor::Operator, &shop().id).await.unwrap(),
    };
    let by = accounts.authenticate_application("shop", Some(&secret)).await.unwrap();
    let request = accounts.check_authorization(asks(&shop(), "openid offline_access")).await.unwrap();
    match accounts.decide_authorization(&request, Some(who)).await.unwrap() {
        AuthorizationStep::Done(address) => Begun::Code(Box::new(by), parameter(&address, "code").unwrap()),
        AuthorizationStep::SignIn => Begun::NotOffered,
        other => panic!("{other:?}"),
    }
}

async fn enter(world: &World, accounts: &Accounts, way: Way, ada: &Ada, begun: Begun) -> Outcome {
    match (way, begun) {
        (_, Begun::NotOffered) => Outcome::NotOffered,
        (Way::Password, _) => {
            let login = Login::Email(address(ADA));
            match accounts.sign_in(&login, &password(PASSWORD), &client()).await {
                Ok(_) => Outcome::Session,
                Err(SignInError::SecondFactorRequired(_)) => Outcome::Asked,
                Err(SignInError::EnrolmentRequired) => Outcome::EnrolmentMailed,
                Err(SignInError::Limited { .. }) => Outcome::Limited,
                Err(SignInError::Disabled) => Outcome::Disabled,
                Err(error) => {
                    assert_eq!(refusal::<(), _>(Err(error)), "Refused");
                    Outcome::Refused
                }
            }
        }
        (Way::Confirmation, _) => {
            match accounts.continue_in_browser(ada.proof.expose(), None, &client()).await.unwrap() {
                Some(_) => Outcome::Session,
                None => Outcome::Refused,
            }
        }
        (Way::Enrolment, Begun::Link(token)) => {
            let entered = accounts.enrol_in_browser(&token, &password(PASSWORD), None, &client()).await;
            match entered.map_err(|error| refusal::<(), _>(Err(error))) {
                Ok(_) => Outcome::Session,
                Err(error) if error.starts_with("Limited") => Outcome::Limited,
                Err(error) => {
                    assert_eq!(error, "Link(Expired)");
                    Outcome::Refused
                }
            }
        }
        (_, Begun::Code(by, code)) => match exchanges_at(accounts, &by, &code).await {
            Ok(_) => Outcome::Session,
            Err(error) => {
                assert!(refusal::<(), _>(Err(error)).starts_with("Invalid"));
                Outcome::Refused
            }
        },
        (Way::Passkey, _) => {
            let asked = accounts.begin_passkey_sign_in(None).await.unwrap();
            let given = uses(ada.passkey.as_ref().unwrap(), &asked);
            match accounts.sign_in_with_passkey(&given, &client()).await {
                Ok(_) => Outcome::Session,
                Err(PasskeySignInError::Disabled) => Outcome::Disabled,
                Err(error) => {
                    assert_eq!(refusal::<(), _>(Err(error)), "Unknown");
                    Outcome::Refused
                }
            }
        }
        (_, Begun::Challenge(challenge)) => {
            let Some(given) = second_factor(world, accounts, way, ada, &challenge).await else {
                return Outcome::Refused;
            };
            match accounts.second_factor(challenge.expose(), &given, &client()).await {
                Ok(_) => Outcome::Session,
                Err(SecondFactorError::Expired) => Outcome::Refused,
                Err(error) => panic!("{error:?}"),
            }
        }
        (way, Begun::Nothing | Begun::Link(_)) => panic!("{way:?} was not begun"),
    }
}

/// `None`: the challenge does not stand any more.
async fn second_factor(
    world: &World,
    accounts: &Accounts,
    way: Way,
    ada: &Ada,
    challenge: &Secret,
) -> Option<SecondFactor> {
    Some(match (way, &ada.app, &ada.passkey) {
        (Way::PasswordAndCode, Some(app), _) => SecondFactor::Code(world.code_of(&app.secret)),
        (Way::PasswordAndRecoveryCode, Some(app), _) => {
            SecondFactor::RecoveryCode(app.recovery_codes[0].clone())
        }
        (Way::PasswordAndPasskey, _, Some(passkey)) => {
            let asked = accounts.begin_passkey_sign_in(Some(challenge.expose())).await.ok()?;
            SecondFactor::Passkey(uses(passkey, &asked))
        }
        _ => panic!("{way:?} needs a factor"),
    })
}

/// Opens a session, lets the state come about, and goes on.
async fn goes_on(world: &World, continuation: Continuation, state: State, who: &SignedIn) -> Outcome {
    let login = Login::Email(address(ADA));
    let secret = password(PASSWORD);
    let tokens = world.accounts.sign_in(&login, &secret, &client()).await.unwrap();
    let cookie = world.accounts.sign_in_browser(&login, &secret, None, &client()).await.unwrap();
    let browser = world.accounts.authenticate_browser(cookie.secret.expose()).await.unwrap();
    let Begun::Code(by, code) = code_in_browser(&world.accounts, &browser).await else { panic!("no code") };
    let shops = exchanges_at(&world.accounts, &by, &code).await.unwrap();
    reach(world, state, who).await;
    let accounts = &world.accounts;
    let goes_on = match continuation {
        Continuation::AccessToken => accounts.authenticate(tokens.access_token.expose()).await.is_ok(),
        Continuation::RefreshToken => {
            accounts.refresh(tokens.refresh_token.expose(), &client()).await.is_ok()
        }
        Continuation::ApplicationToken => accounts.user_info(shops.access_token.expose()).await.is_ok(),
        Continuation::ApplicationRefresh => {
            let refresh = shops.refresh_token.unwrap();
            accounts.refresh_for_application(&by, refresh.expose(), None, None, &client()).await.is_ok()
        }
        Continuation::BrowserCookie => accounts.authenticate_browser(cookie.secret.expose()).await.is_ok(),
    };
    if goes_on { Outcome::Session } else { Outcome::Refused }
}

async fn instance(world: &World, rules: Rules) -> Accounts {
    let change = move |policy: &mut vestibule::Policy| match rules {
        Rules::Default => {}
        Rules::SignUpClosed => policy.sign_up.mode = SignUpMode::Closed,
        Rules::FactorDue => policy.second_factor.require = RequireFactor::All,
        Rules::FactorOverdue => {
            policy.second_factor.require = RequireFactor::All;
            policy.second_factor.grace = seconds(0);
        }
    };
    world.instance_with(change).await
}

/// Where a factor is required, the grace time begins with the first sign-in.
async fn starts_the_clock(accounts: &Accounts) {
    accounts.sign_in(&Login::Email(address(ADA)), &password(PASSWORD), &client()).await.unwrap();
}

/// Each way in each state: the first table.
async fn try_states(world: &World) -> String {
    let mut rows = STATES.map(|(_, words)| vec![words.to_owned()]);
    for &way in Way::ALL {
        let (factors, rules) = match way {
            Way::Password | Way::Confirmation | Way::Application => (Factors::None, Rules::Default),
            Way::Passkey => (Factors::Passkey, Rules::Default),
            Way::PasswordAndCode | Way::PasswordAndRecoveryCode => (Factors::App, Rules::Default),
            Way::PasswordAndPasskey => (Factors::Both, Rules::Default),
            Way::Enrolment => (Factors::None, Rules::FactorOverdue),
        };
        let accounts = instance(world, rules).await;
        for ((state, words), row) in STATES.into_iter().zip(&mut rows) {
            let ada = ada(world, factors).await;
            if let Rules::FactorOverdue = rules {
                starts_the_clock(&accounts).await;
            }
            let begun = begin(world, &accounts, way, &ada).await;
            reach(world, state, &ada.who).await;
            let outcome = enter(world, &accounts, way, &ada, begun).await;
            assert_eq!(outcome, in_state(way, state), "{way:?}, {words}");
            row.push(outcome.words().to_owned());
            clear(world).await;
        }
    }
    for continuation in CONTINUATIONS {
        for ((state, words), row) in STATES.into_iter().zip(&mut rows) {
            let ada = ada(world, Factors::None).await;
            let outcome = goes_on(world, continuation, state, &ada.who).await;
            assert_eq!(outcome, of_continuation(continuation, state), "{continuation:?}, {words}");
            row.push(outcome.words().to_owned());
            clear(world).await;
        }
    }
    let continuations = CONTINUATIONS.map(|continuation| format!("{continuation:?}"));
    table("state of the account", continuations.to_vec(), &rows)
}

/// Each way with each kind of factor under each policy: the second table.
async fn try_factors(world: &World) -> String {
    let mut rows = Vec::new();
    for (rules, rule) in RULES {
        let accounts = instance(world, rules).await;
        for (factors, words) in FACTORS {
            let ada = ada(world, factors).await;
            if let (Rules::FactorOverdue, Factors::None) = (rules, factors) {
                starts_the_clock(&accounts).await;
            }
            let mut row = vec![format!("{rule}; {words}")];
            for &way in Way::ALL {
                let begun = begin(world, &accounts, way, &ada).await;
                let outcome = enter(world, &accounts, way, &ada, begun).await;
                assert_eq!(outcome, with_factors(way, factors, rules), "{way:?}, {words}, {rule}");
                row.push(outcome.words().to_owned());
            }
            rows.push(row);
            clear(world).await;
        }
    }
    table("settings; factors", Vec::new(), &rows)
}

fn table(corner: &str, more: Vec<String>, rows: &[Vec<String>]) -> String {
    let ways = Way::ALL.iter().map(|way| format!("{way:?}"));
    let head: Vec<String> = [corner.to_owned()].into_iter().chain(ways).chain(more).collect();
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    [line(&head), rule].into_iter().chain(rows.iter().map(|row| line(row))).collect()
}

fn is_shown(table: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md");
    let document = std::fs::read_to_string(path).unwrap();
    assert!(document.contains(table), "docs/security.md must show this table:\n\n{table}");
}

async fn the_table_of_states_is_true(world: World) {
    is_shown(&Box::pin(try_states(&world)).await);
    world.finish().await;
}

async fn the_table_of_factors_is_true(world: World) {
    is_shown(&Box::pin(try_factors(&world)).await);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_states_is_true_on_sqlite() {
    Box::pin(the_table_of_states_is_true(World::on_sqlite().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_states_is_true_on_postgres() {
    Box::pin(the_table_of_states_is_true(World::on_postgres().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_factors_is_true_on_sqlite() {
    Box::pin(the_table_of_factors_is_true(World::on_sqlite().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_factors_is_true_on_postgres() {
    Box::pin(the_table_of_factors_is_true(World::on_postgres().await)).await;
}
