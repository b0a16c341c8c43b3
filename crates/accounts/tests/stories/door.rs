//! Where sessions begin: each way in and each continuation, in each state of the account, under each policy. The result
//! is the table in `docs/security.md`.

use crate::account::moves;
use crate::world::*;
use vestibule::{Accounts, Actor, Login, Secret, SignUpMode, UserRef, Way};

const ADA: &str = "ada@example.org";
const AFTERWARDS: &str = "ada@example.net";

/// What happens to the account before the way is tried, or during the session.
#[derive(Clone, Copy, Debug)]
enum State {
    Active,
    Disabled,
    Deleted,
    PasswordChanged,
    AddressChanged,
    WrongPasswords,
}

const STATES: [(State, &str); 6] = [
    (State::Active, "active"),
    (State::Disabled, "disabled"),
    (State::Deleted, "deleted"),
    (State::PasswordChanged, "password changed since"),
    (State::AddressChanged, "address changed since"),
    (State::WrongPasswords, "six wrong passwords before"),
];

const POLICIES: [SignUpMode; 3] = [SignUpMode::Open, SignUpMode::Invitation, SignUpMode::Closed];

/// The ways to continue a session.
#[derive(Clone, Copy, Debug)]
enum Continuation {
    AccessToken,
    RefreshToken,
    BrowserCookie,
}

const CONTINUATIONS: [Continuation; 3] =
    [Continuation::AccessToken, Continuation::RefreshToken, Continuation::BrowserCookie];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Session,
    Refused,
    Disabled,
    Limited,
}

impl Outcome {
    const fn words(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Refused => "refused",
            Self::Disabled => "told that it is disabled",
            Self::Limited => "must wait",
        }
    }
}

/// The expected outcome of a way. Closing sign-up does not affect users with an account.
const fn of_way(way: Way, state: State, policy: SignUpMode) -> Outcome {
    match policy {
        SignUpMode::Open | SignUpMode::Invitation | SignUpMode::Closed => {}
    }
    match (way, state) {
        // The waiting browser gives no password, so guessing cannot lock it out.
        (Way::Password | Way::Confirmation, State::Active) | (Way::Confirmation, State::WrongPasswords) => {
            Outcome::Session
        }
        (Way::Password, State::Disabled) => Outcome::Disabled,
        (Way::Password, State::WrongPasswords) => Outcome::Limited,
        (
            Way::Password | Way::Confirmation,
            State::Deleted | State::PasswordChanged | State::AddressChanged,
        )
        | (Way::Confirmation, State::Disabled) => Outcome::Refused,
    }
}

/// The expected outcome for an existing session.
const fn of_continuation(continuation: Continuation, state: State) -> Outcome {
    match (continuation, state) {
        (
            Continuation::AccessToken | Continuation::RefreshToken | Continuation::BrowserCookie,
            State::Active | State::WrongPasswords,
        ) => Outcome::Session,
        (
            Continuation::AccessToken | Continuation::RefreshToken | Continuation::BrowserCookie,
            State::Disabled | State::Deleted | State::PasswordChanged | State::AddressChanged,
        ) => Outcome::Refused,
    }
}

/// Ada's account; returns the proof of the browser that signed up.
async fn ada(world: &World) -> Secret {
    let (_, proof) = world.accounts.sign_up_in_browser(wish(ADA, PASSWORD), &client()).await.unwrap();
    world.deliver().await;
    let letter = world.letter_to(ADA);
    world.confirms(ADA, PASSWORD, &letter.code()).await.unwrap();
    proof
}

async fn reach(world: &World, state: State) {
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
            moves(world, ADA, AFTERWARDS).await;
        }
        State::WrongPasswords => {
            for _ in 0..6 {
                world.signs_in(ADA, "copper-lamp-river-77").await.unwrap_err();
            }
        }
    }
}

/// Removes everything that could affect the next cell.
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

async fn enter(accounts: &Accounts, way: Way, proof: &Secret) -> Outcome {
    match way {
        Way::Password => {
            let signed_in =
                accounts.sign_in(&Login::Email(address(ADA)), &password(PASSWORD), &client()).await;
            match signed_in.map_err(|error| refusal::<(), _>(Err(error))) {
                Ok(_) => Outcome::Session,
                Err(error) if error.starts_with("Limited") => Outcome::Limited,
                Err(error) if error == "Disabled" => Outcome::Disabled,
                Err(error) => {
                    assert_eq!(error, "Refused");
                    Outcome::Refused
                }
            }
        }
        Way::Confirmation => {
            match accounts.continue_in_browser(proof.expose(), None, &client()).await.unwrap() {
                Some(_) => Outcome::Session,
                None => Outcome::Refused,
            }
        }
    }
}

/// Opens a session, brings about the state, and continues.
async fn goes_on(world: &World, continuation: Continuation, state: State) -> Outcome {
    let login = Login::Email(address(ADA));
    let secret = password(PASSWORD);
    let tokens = world.accounts.sign_in(&login, &secret, &client()).await.unwrap();
    let cookie = world.accounts.sign_in_browser(&login, &secret, None, &client()).await.unwrap();
    reach(world, state).await;
    let accounts = &world.accounts;
    let goes_on = match continuation {
        Continuation::AccessToken => accounts.authenticate(tokens.access_token.expose()).await.is_ok(),
        Continuation::RefreshToken => {
            accounts.refresh(tokens.refresh_token.expose(), &client()).await.is_ok()
        }
        Continuation::BrowserCookie => accounts.authenticate_browser(cookie.secret.expose()).await.is_ok(),
    };
    if goes_on { Outcome::Session } else { Outcome::Refused }
}

/// Tries every cell, and returns the table that `docs/security.md` shows.
async fn try_all(world: &World) -> String {
    let policies = POLICIES.map(|mode| (mode, world.instance_with(move |policy| policy.sign_up.mode = mode)));
    let mut rows = STATES.map(|(_, words)| vec![words.to_owned()]);
    for &way in Way::ALL {
        for ((state, _), row) in STATES.into_iter().zip(&mut rows) {
            row.push(of_way(way, state, SignUpMode::Open).words().to_owned());
        }
    }
    for (mode, instance) in policies {
        let accounts = instance.await;
        for &way in Way::ALL {
            for (state, words) in STATES {
                let proof = ada(world).await;
                reach(world, state).await;
                let outcome = enter(&accounts, way, &proof).await;
                assert_eq!(outcome, of_way(way, state, mode), "{way:?}, {words}, {mode:?}");
                clear(world).await;
            }
        }
    }
    for continuation in CONTINUATIONS {
        for ((state, words), row) in STATES.into_iter().zip(&mut rows) {
            ada(world).await;
            let outcome = goes_on(world, continuation, state).await;
            assert_eq!(outcome, of_continuation(continuation, state), "{continuation:?}, {words}");
            row.push(outcome.words().to_owned());
            clear(world).await;
        }
    }
    let ways = Way::ALL.iter().map(|way| format!("{way:?}"));
    let continuations = CONTINUATIONS.map(|continuation| format!("{continuation:?}"));
    let head = ["state of the account".to_owned()].into_iter().chain(ways).chain(continuations);
    let head: Vec<String> = head.collect();
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    [line(&head), rule].into_iter().chain(rows.iter().map(|row| line(row))).collect()
}

async fn the_table_is_true(world: World) {
    let table = Box::pin(try_all(&world)).await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md");
    let document = std::fs::read_to_string(path).unwrap();
    assert!(document.contains(&table), "docs/security.md must show this table:\n\n{table}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_is_true_on_sqlite() {
    Box::pin(the_table_is_true(World::on_sqlite().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_is_true_on_postgres() {
    Box::pin(the_table_is_true(World::on_postgres().await)).await;
}
