//! A password takes the same path, whatever it is given for: the same limits, and the same work in every state.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::on_both_stores;
use crate::world::*;
use vestibule::{Accounts, Actor, Login, SignUp, Terms, UserRef};

/// Hashes one password after the other, with every connection open, so that the last one sent is judged last.
async fn one_by_one(world: &World) -> Accounts {
    let accounts = world.instance_with(|policy| policy.hash.threads = 1).await;
    let asked = futures_util::future::join_all((0..64).map(|_| accounts.health())).await;
    assert!(asked.iter().all(Result::is_ok));
    accounts
}

/// The attempts before the last one.
struct Others<'a> {
    accounts: &'a Accounts,
    before: u64,
    answered: AtomicU64,
}

impl<'a> Others<'a> {
    fn of(accounts: &'a Accounts) -> Self {
        Self { accounts, before: asked(accounts), answered: AtomicU64::new(0) }
    }

    fn one_is_answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until all of them are with the hash thread, which takes one after the other, or until so many have their
    /// answer that the limit is reached: those that come later are not hashed.
    async fn come_first(&self, all: u64, limit: u64) {
        while asked(self.accounts) - self.before < all && self.answered.load(Ordering::Relaxed) < limit {
            self.accounts.health().await.unwrap();
        }
    }
}

/// Passwords that the hash threads were given so far.
fn asked(accounts: &Accounts) -> u64 {
    let measures = accounts.measures();
    measures.hashes_waiting + measures.hashes.0
}

/// Eighteen concurrent passwords from as many networks, the last one right. Returns the answers, by the names of the
/// errors.
async fn at_once<T, E, F>(accounts: &Accounts, try_one: impl Fn(&'static str, String) -> F) -> Vec<String>
where
    T: std::fmt::Debug,
    E: std::fmt::Debug,
    F: Future<Output = Result<T, E>>,
{
    let others = &Others::of(accounts);
    let attempts = (0..18).map(|n| {
        let (is_last, from) = (n == 17, format!("192.0.2.{n}"));
        let tried = try_one(if is_last { PASSWORD } else { OTHER_PASSWORD }, from);
        async move {
            if is_last {
                others.come_first(17, 5).await;
            }
            let answer = tried.await;
            others.one_is_answered();
            answer
        }
    });
    let answers = futures_util::future::join_all(attempts).await;
    answers.into_iter().map(|answer| answer.map_or_else(|e| format!("{e:?}"), |_| "Ok".to_owned())).collect()
}

/// Of many concurrent attempts five learn that they are wrong; the right one comes too late for an answer.
fn five_were_judged(answers: &[String]) {
    assert_eq!(answers.iter().filter(|answer| *answer == "Refused").count(), 5, "{answers:?}");
    assert!(answers[17].starts_with("Limited"), "{answers:?}");
}

/// The cost of a wrong password at sign-in and on the code route, in hashes of the current cost.
async fn cost(accounts: &Accounts, email: &str, from: &str) -> (f64, f64) {
    let (wrong, from) = (password("a-third-password-19"), client_at(from));
    let before = accounts.hash_work();
    accounts.sign_in(&Login::Email(address(email)), &wrong, &from).await.unwrap_err();
    let between = accounts.hash_work();
    let code = "0000".parse().unwrap();
    accounts.confirm_by_code(&address(email), &wrong, &code, None, &from).await.unwrap_err();
    let of_one = f64::from(accounts.policy().hash.memory_kib * accounts.policy().hash.passes);
    let hashes = |work: u64| f64::from(u32::try_from(work).unwrap()) / of_one;
    (hashes(between - before), hashes(accounts.hash_work() - between))
}

on_both_stores! {
    // L2, S6: on the code route.
    async fn parallel_guesses_do_not_hide_a_right_password_of_a_code(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        let (email, code) = (address("ada@example.org"), letter.code().parse().unwrap());
        let accounts = one_by_one(world).await;
        five_were_judged(&at_once(&accounts, async |secret, from| {
            accounts.confirm_by_code(&email, &password(secret), &code, None, &client_at(&from)).await
        }).await);
    }

    // L2: at sign-in, for an account that is active, disabled, or not confirmed.
    async fn parallel_guesses_do_not_hide_a_right_password(world: &World) {
        world.has_account("ada@example.org").await;
        world.has_account("eve@example.org").await;
        let eve = UserRef::Email(address("eve@example.org"));
        world.accounts.disable_user(Actor::Operator, &eve, None).await.unwrap();
        world.signs_up("bob@example.org").await;
        let accounts = one_by_one(world).await;
        for email in ["ada@example.org", "eve@example.org", "bob@example.org"] {
            let login = Login::Email(address(email));
            five_were_judged(&at_once(&accounts, async |secret, from| {
                accounts.sign_in(&login, &password(secret), &client_at(&from)).await
            }).await);
        }
        world.deliver().await;
    }

    // L2, S4: at the link of a sign-up.
    async fn parallel_guesses_do_not_hide_a_right_password_at_a_link(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        let (token, accounts) = (letter.token(), one_by_one(world).await);
        five_were_judged(&at_once(&accounts, async |secret, from| {
            accounts.confirm_by_link(&token, Some(&password(secret)), None, Terms::Unanswered, &client_at(&from)).await
        }).await);
    }

    // L3: one client, many accounts, including its own.
    async fn a_client_beyond_its_limit_is_not_told_that_a_password_is_right(world: &World) {
        world.has_account("ada@example.org").await;
        let accounts = &one_by_one(world).await;
        let others = &Others::of(accounts);
        let attempts = (0..33).map(|n| async move {
            let nobody = format!("nobody-{n}@example.org");
            let (email, secret) = if n == 32 { ("ada@example.org", PASSWORD) } else { (&*nobody, OTHER_PASSWORD) };
            if n == 32 {
                others.come_first(32, 20).await;
            }
            let answer = accounts.sign_in(&Login::Email(address(email)), &password(secret), &client()).await;
            others.one_is_answered();
            answer.map(drop)
        });
        let answers: Vec<String> = futures_util::future::join_all(attempts).await.into_iter().map(refusal).collect();
        assert_eq!(answers.iter().filter(|answer| *answer == "Refused").count(), 20, "{answers:?}");
        assert!(answers[32].starts_with("Limited"), "{answers:?}");
    }

    // L1, S3: two hashes at sign-in and one on the code route, for every state of an address.
    async fn a_wrong_password_costs_the_same_in_every_state(world: &World) {
        world.has_account("old@example.org").await;
        world.has_account("taken@example.org").await;
        world.has_account("disabled@example.org").await;
        let disabled = UserRef::Email(address("disabled@example.org"));
        world.accounts.disable_user(Actor::Operator, &disabled, None).await.unwrap();
        world.has_account("passwordless@example.org").await;
        world.sql("UPDATE users SET password_hash = NULL WHERE email_key = 'passwordless@example.org'");
        world.signs_up("pending@example.org").await;
        for secret in [PASSWORD, OTHER_PASSWORD, "a-fourth-password-23"] {
            for email in ["several@example.org", "decoy@example.org", "meanwhile@example.org"] {
                if email == "decoy@example.org" && secret == PASSWORD {
                    world.has_account(email).await;
                    continue;
                }
                world.signs_up_with(email, secret).await.unwrap();
            }
        }
        let expensive = world.instance_with(|policy| (policy.hash.memory_kib, policy.hash.passes) = (30_000, 3)).await;
        let newest = world.take_mails_to("meanwhile@example.org").pop().map(Letter::from).unwrap();
        world.confirms("meanwhile@example.org", "a-fourth-password-23", &newest.code()).await.unwrap();
        for (n, state) in ["free", "pending", "several", "taken", "decoy", "meanwhile", "disabled", "passwordless", "old"].iter().enumerate() {
            let email = format!("{state}@example.org");
            let accounts = if *state == "old" { &expensive } else { &world.accounts };
            let (sign_in, code) = cost(accounts, &email, &format!("192.0.2.{n}")).await;
            assert!((sign_in - 2.0).abs() < 0.001 && (code - 1.0).abs() < 0.001, "{email}: {sign_in} and {code}");
            world.take_mails_to(&email);
        }
    }

    // L4: a device token dies with the password; the owner can get a new one.
    async fn known_devices_die_with_the_password(world: &World) {
        world.has_account("ada@example.org").await;
        let login = Login::Email(address("ada@example.org"));
        let mut devices = Vec::new();
        for _ in 0..6 {
            devices.push(world.signs_in("ada@example.org", PASSWORD).await.unwrap().device_token.unwrap());
        }
        let who = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(who.access_token.expose()).await.unwrap();
        world.accounts.change_password(&who, &password(PASSWORD), &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        let mut told = 0;
        for device in &devices {
            let from = vestibule::Client { device_token: Some(device.clone()), ..client() };
            for _ in 0..5 {
                let answer = world.accounts.sign_in(&login, &password("a-third-password-19"), &from).await;
                told += usize::from(refusal(answer) == "Refused");
            }
        }
        assert_eq!(told, 5, "guesses at the new password, of all six devices together");
    }

    // ASVS 2.4.1: the idempotency key of a sign-up does not allow free guesses of its password.
    async fn a_password_cannot_be_guessed_with_an_idempotency_key(world: &World) {
        let accounts = world.instance_with(|policy| policy.sign_up.client_mails.most = 4).await;
        let keyed = |secret| SignUp { idempotency_key: Some("attempt-1".into()), ..wish("ada@example.org", secret) };
        accounts.sign_up(keyed(PASSWORD), &client_at("198.51.100.1")).await.unwrap();
        let from = client_at("198.51.100.2");
        for _ in 0..4 {
            assert_eq!(refusal(accounts.sign_up(keyed(OTHER_PASSWORD), &from).await), "IdempotencyKeyReused");
        }
        assert_eq!(refusal(accounts.sign_up(keyed(PASSWORD), &from).await), "Limited { retry_after: 3600s }");
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["confirm"]);
    }
}
