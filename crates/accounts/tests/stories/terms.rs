//! Who gets an account accepts the operator's terms, where the operator asks for it.

use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Accounts, Actor, ConfirmError, JoinError, MailContent, NewInvitation, Roles, SignUp,
    SignUpError, Terms, TermsConsent, TermsNotAccepted,
};

const ADA: &str = "ada@example.org";

/// Asks for the terms with a checkbox.
async fn asking(world: &World) -> Accounts {
    world.instance_with(|policy| policy.sign_up.consent = TermsConsent::Checkbox).await
}

fn accepting(email: &str, password: &str) -> SignUp {
    SignUp { terms: Terms::Accepted, ..wish(email, password) }
}

/// The token in the link of the newest mail to Ada that has one.
async fn link(world: &World) -> String {
    world.deliver().await;
    let mails = world.take_mails_to(ADA);
    let found = mails.iter().rev().find_map(|mail| match &mail.content {
        MailContent::ChoosePassword { link, .. } | MailContent::Invitation { link, .. } => {
            Some(link.expose())
        }
        _ => None,
    });
    found.expect("a mail with a link").split_once("token=").unwrap().1.to_owned()
}

async fn chooses(accounts: &Accounts, token: &str, terms: Terms) -> Result<Account, ConfirmError> {
    accounts.confirm_by_link(token, Some(&password(PASSWORD)), None, terms, &client()).await
}

on_both_stores! {
    async fn nobody_signs_up_without_the_terms(world: &World) {
        let accounts = asking(world).await;
        let refused = accounts.sign_up(wish(ADA, PASSWORD), &client()).await;
        assert!(matches!(refused, Err(SignUpError::Terms(TermsNotAccepted))), "{refused:?}");
        let accepted_at = world.clock.now();
        accounts.sign_up(accepting(ADA, PASSWORD), &client()).await.unwrap();
        world.advance(hours(1));
        world.deliver().await;
        let letter = world.letter_to(ADA);
        let account = world.confirms(ADA, PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(account.terms_accepted_at, Some(accepted_at), "when they were accepted, not when it was confirmed");
        let exported = world.accounts.export_users(None).await.unwrap();
        assert_eq!(exported[0].account.terms_accepted_at, Some(accepted_at));
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // An application with a form of its own may say so, too, and need not.
    async fn what_is_not_asked_may_be_said(world: &World) {
        world.accounts.sign_up(accepting(ADA, PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        let code = world.letter_to(ADA).code();
        let accepted = world.confirms(ADA, PASSWORD, &code).await.unwrap();
        assert!(accepted.terms_accepted_at.is_some());
        assert_eq!(world.has_account("bob@example.org").await.terms_accepted_at, None);
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    async fn nobody_accepts_an_invitation_without_the_terms(world: &World) {
        let accounts = asking(world).await;
        let invitation =
            NewInvitation { email: address(ADA), user_name: None, roles: Roles::default(), locale: None };
        accounts.invite(Actor::Operator, invitation).await.unwrap();
        let token = link(world).await;
        let accepts = |terms| {
            let (accounts, token) = (accounts.clone(), token.clone());
            async move { accounts.accept_invitation(&token, &password(PASSWORD), None, terms, &client()).await }
        };
        let refused = accepts(Terms::Unanswered).await;
        assert!(matches!(refused, Err(JoinError::Terms(TermsNotAccepted))), "{refused:?}");
        let account = accepts(Terms::Accepted).await.unwrap();
        assert_eq!(account.terms_accepted_at, Some(world.clock.now()));
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // What strangers accepted who signed up with somebody's address binds nobody: whoever chooses the password is asked.
    async fn a_strangers_answer_does_not_count(world: &World) {
        let accounts = asking(world).await;
        for n in 0..4 {
            let from = client_at(&format!("10.3.{n}.1"));
            accounts.sign_up(accepting(ADA, &format!("a-strangers-password-{n}")), &from).await.unwrap();
        }
        let token = link(world).await;
        world.advance(hours(1));
        let refused = chooses(&accounts, &token, Terms::Unanswered).await;
        assert!(matches!(refused, Err(ConfirmError::Terms(TermsNotAccepted))), "{refused:?}");
        let account = chooses(&accounts, &token, Terms::Accepted).await.unwrap();
        assert_eq!(account.terms_accepted_at, Some(world.clock.now()));
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    async fn a_strangers_answer_is_not_kept(world: &World) {
        for n in 0..4 {
            let from = client_at(&format!("10.3.{n}.1"));
            world.accounts.sign_up(accepting(ADA, &format!("a-strangers-password-{n}")), &from).await.unwrap();
        }
        let token = link(world).await;
        let account = chooses(&world.accounts, &token, Terms::Unanswered).await.unwrap();
        assert_eq!(account.terms_accepted_at, None);
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    async fn a_repetition_with_another_answer_is_another_request(world: &World) {
        let keyed = |terms| SignUp { terms, idempotency_key: Some("one".to_owned()), ..wish(ADA, PASSWORD) };
        world.accounts.sign_up(keyed(Terms::Unanswered), &client()).await.unwrap();
        world.accounts.sign_up(keyed(Terms::Unanswered), &client()).await.unwrap();
        let refused = world.accounts.sign_up(keyed(Terms::Accepted), &client()).await;
        assert!(matches!(refused, Err(SignUpError::IdempotencyKeyReused)), "{refused:?}");
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["confirm"]);
    }
}
