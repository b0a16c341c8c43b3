//! Strangers sign up with an address, often: they cannot keep its owner out, and learn nothing.

use std::time::Duration;

use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Client, ConfirmError, LinkProof, LinkState, Login, MailContent, MailedLink, SignInError, Terms,
    Waiting,
};

const ADA: &str = "ada@example.org";
const MINUTE: Duration = Duration::from_mins(1);

/// Sign-ups with different passwords from different networks, `pause` apart; returns what was mailed to the address.
async fn strangers(world: &World, number: usize, pause: Duration) -> Vec<&'static str> {
    for n in 0..number {
        let from = client_at(&format!("10.{}.{}.1", n / 200, n % 200));
        world.accounts.sign_up(wish(ADA, &format!("a-strangers-password-{n}")), &from).await.unwrap();
        world.deliver().await;
        world.advance(pause);
    }
    world.take_mails_to(ADA).iter().map(|mail| mail.content.kind()).collect()
}

/// The token of the newest mail that lets the owner choose a password.
fn choice(world: &World) -> String {
    let mails = world.take_mails_to(ADA);
    let link = mails.iter().rev().find_map(|mail| match &mail.content {
        MailContent::ChoosePassword { link, .. } => Some(link.expose().to_owned()),
        _ => None,
    });
    link.expect("a mail with the choice").split_once("token=").unwrap().1.to_owned()
}

/// Chooses this password at the link.
async fn chooses(world: &World, token: &str, secret: &str) -> Result<Account, ConfirmError> {
    world.clicks(token, Some(secret)).await
}

on_both_stores! {
    // S1, S4: three strangers came first. The owner signs up, gets one mail, chooses the password at its link, and is
    // in.
    async fn three_strangers_keep_nobody_out(world: &World) {
        assert_eq!(strangers(world, 3, Duration::ZERO).await, ["confirm"; 3]);
        world.signs_up_with(ADA, OTHER_PASSWORD).await.unwrap();
        let token = choice(world);
        assert_eq!(world.accounts.link_state(MailedLink::Confirmation, &token).await.unwrap(), LinkState::Choose(address(ADA)));
        assert_eq!(refusal(chooses(world, &token, "ada@example.org").await), "Password(Contextual)");
        assert_eq!(refusal(world.clicks(&token, None).await), "Refused");
        let account = chooses(world, &token, PASSWORD).await.unwrap();
        assert_eq!((account.email.as_str(), account.user_name), (ADA, None));
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
        world.signs_in(ADA, PASSWORD).await.unwrap();
        assert_eq!(refusal(chooses(world, &token, OTHER_PASSWORD).await), "LinkUsed");
        assert_eq!(world.accounts.link_state(MailedLink::Confirmation, &token).await.unwrap(), LinkState::Used);
    }

    // An owner who came first keeps the code, whoever comes later.
    async fn whoever_was_first_confirms_by_code(world: &World) {
        let letter = world.signs_up(ADA).await;
        strangers(world, 20, Duration::ZERO).await;
        world.confirms(ADA, PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // M5: ten or a hundred strangers cause no more mails than before, and the owner can still get in.
    async fn a_crowd_of_strangers_keeps_nobody_out(world: &World) {
        assert_eq!(strangers(world, 10, Duration::ZERO).await, ["confirm", "confirm", "confirm", "choose_password"]);
        world.advance(8 * MINUTE);
        world.signs_up_with(ADA, OTHER_PASSWORD).await.unwrap();
        let token = choice(world);
        world.advance(hours(24));
        assert_eq!(refusal(chooses(world, &token, PASSWORD).await), "LinkExpired");
        let mails = strangers(world, 100, 5 * MINUTE).await;
        assert_eq!((mails.len(), mails[9]), (10, "choose_password"), "{mails:?}");
        // The day's mails are used up: the owner's own sign-up gets the same answer, and the mails in the mailbox work.
        world.signs_up_with(ADA, OTHER_PASSWORD).await.unwrap();
        assert!(world.take_mails_to(ADA).is_empty());
    }

    // The last mail of a day is reserved for it, whatever the others were requested for.
    async fn the_last_mail_of_a_day_lets_the_owner_choose(world: &World) {
        world.signs_up_with(ADA, OTHER_PASSWORD).await.unwrap();
        for n in 0..4 {
            world.advance(20 * MINUTE);
            world.asks_again(ADA).await;
            world.accounts.forgot_password(&address(ADA), &client_at(&format!("10.1.{n}.1"))).await.unwrap();
        }
        world.deliver().await;
        assert!(world.kinds_to(ADA).iter().all(|kind| *kind == "confirm"));
        world.advance(20 * MINUTE);
        world.asks_again(ADA).await;
        chooses(world, &choice(world), PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // Even if mails otherwise contain only codes, this one contains its link.
    async fn the_choice_does_not_depend_on_the_method(world: &World) {
        let accounts = world.instance_with(|policy| policy.confirm.link = false).await;
        for n in 0..4 {
            let from = client_at(&format!("10.2.{n}.1"));
            accounts.sign_up(wish(ADA, OTHER_PASSWORD), &from).await.unwrap();
        }
        while accounts.deliver(&world.mailbox).await.unwrap().sent > 0 {}
        let token = choice(world);
        accounts.confirm_by_link(&token, Some(&password(PASSWORD)), None, Terms::Unanswered, &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // S3: earlier sign-ups see no change, and none of their browsers is signed in.
    async fn strangers_learn_nothing_of_the_choice(world: &World) {
        let mut proofs = Vec::new();
        for n in 0..4 {
            let from = client_at(&format!("10.3.{n}.1"));
            let mut wish = wish(ADA, &format!("a-strangers-password-{n}"));
            wish.user_name = Some(format!("stranger{n}").parse().unwrap());
            proofs.push(world.accounts.sign_up_in_browser(wish, &from).await.unwrap().1);
        }
        world.deliver().await;
        let before = seen_by_strangers(world, &proofs).await;
        let account = chooses(world, &choice(world), PASSWORD).await.unwrap();
        assert_eq!(account.user_name, None, "names of strangers are not taken over");
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
        assert_eq!(seen_by_strangers(world, &proofs).await, before);
        for proof in &proofs {
            let signed_in = world.accounts.continue_in_browser(proof.expose(), None, &client()).await.unwrap();
            assert!(signed_in.is_none());
        }
    }

    // S2, S3: for an address with an account the crowd sees the same, and the owner is informed once a day.
    async fn a_taken_address_crowds_like_a_free_one(world: &World) {
        world.has_account(ADA).await;
        assert_eq!(strangers(world, 10, Duration::ZERO).await, ["already_registered"]);
        let free = world.accounts.sign_up(wish("free@example.org", OTHER_PASSWORD), &client()).await.unwrap();
        let taken = world.accounts.sign_up(wish(ADA, OTHER_PASSWORD), &client()).await.unwrap();
        assert_eq!((free.expires_at, free.resend_after), (taken.expires_at, taken.resend_after));
        // The account's own sign-up has one of the three places, like any other.
        let guess = world.confirms(ADA, "a-strangers-password-2", "0000").await;
        assert_eq!(refusal(guess), "CodeExpired", "a sign-up in a crowd has no code, decoy or not");
        world.deliver().await;
        assert_eq!(world.kinds_to("free@example.org"), ["confirm"]);
    }

    // With both proofs, the browser that signed up and the mail, nothing has to be chosen.
    async fn the_browser_that_signed_up_confirms_in_a_crowd(world: &World) {
        strangers(world, 3, Duration::ZERO).await;
        let (_, proof) = world.accounts.sign_up_in_browser(wish(ADA, PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        let (token, proof) = (choice(world), LinkProof::Browser(proof.expose()));
        let session = world.accounts.confirm_by_link_in_browser(&token, proof, None, Terms::Unanswered, None, &client()).await;
        assert_eq!(session.unwrap().unwrap().account.email.as_str(), ADA);
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
        world.signs_in(ADA, PASSWORD).await.unwrap();
    }

    // T4: of many concurrent choices, one wins.
    async fn parallel_choices_make_one_user(world: &World) {
        strangers(world, 4, Duration::ZERO).await;
        world.advance(hours(24));
        strangers(world, 3, Duration::ZERO).await;
        world.signs_up_with(ADA, OTHER_PASSWORD).await.unwrap();
        let token = choice(world);
        let (secret, from): (_, Client) = (password(PASSWORD), client());
        let choices = (0..8).map(|_| world.accounts.confirm_by_link(&token, Some(&secret), None, Terms::Unanswered, &from));
        let made = futures_util::future::join_all(choices).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // A sign-in continues with the sign-up that gets a code, not with a later one of the same password in the crowd.
    async fn a_sign_in_goes_on_with_the_sign_up_that_gets_a_code(world: &World) {
        world.signs_up(ADA).await;
        strangers(world, 3, MINUTE).await;
        world.signs_up_with(ADA, PASSWORD).await.unwrap();
        drop(world.take_mails_to(ADA));
        let login = Login::Email(address(ADA));
        let Err(SignInError::Unconfirmed(waiting)) = world.accounts.sign_in_browser(&login, &password(PASSWORD), None, &client()).await else { panic!("not confirmed") };
        assert!(waiting.expires_at < world.clock.now() + Duration::from_hours(24), "the first one");
    }
}

/// The answers to each stranger's password, code and browser.
async fn seen_by_strangers(world: &World, proofs: &[vestibule::Secret]) -> Vec<String> {
    let mut seen = Vec::new();
    for (n, proof) in proofs.iter().enumerate() {
        let secret = format!("a-strangers-password-{n}");
        seen.push(refusal(world.signs_in(ADA, &secret).await));
        let state = world.accounts.waiting(proof.expose()).await.unwrap().unwrap();
        assert!(matches!(state, Waiting::Open { .. }));
        seen.push(format!("{state:?}"));
    }
    seen
}
