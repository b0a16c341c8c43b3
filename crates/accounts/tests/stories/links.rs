//! What a page learns from looking at a mailed link.

use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Actor, EmailProof, LinkState, MailContent, MailedLink, NewInvitation, Roles, SignedIn, Terms, UserRef,
};

const ADA: &str = "Ada@example.org";
const NEW: &str = "seven-green-bridges-9";

/// The token of the newest unread mail with a link to an address.
fn token_to(world: &World, email: &str) -> String {
    let mails = world.take_mails_to(email);
    let link = mails.iter().rev().find_map(|mail| match &mail.content {
        MailContent::PasswordReset { link, .. }
        | MailContent::EmailChange { link, .. }
        | MailContent::EmailUndo { link, .. }
        | MailContent::Invitation { link, .. } => Some(link.expose()),
        _ => None,
    });
    link.expect("a mail with a link").split_once("?token=").unwrap().1.to_owned()
}

async fn state(world: &World, link: MailedLink, token: &str) -> LinkState {
    world.accounts.link_state(link, token).await.unwrap()
}

async fn signed_in(world: &World) -> SignedIn {
    let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
    world.accounts.authenticate(tokens.access_token.expose()).await.unwrap()
}

async fn invites(world: &World, email: &str) -> String {
    let wish =
        NewInvitation { email: address(email), user_name: None, roles: Roles::default(), locale: None };
    world.accounts.invite(Actor::Operator, wish).await.unwrap();
    world.deliver().await;
    token_to(world, email)
}

async fn forgets(world: &World) -> String {
    world.accounts.forgot_password(&address(ADA), &client()).await.unwrap();
    world.deliver().await;
    token_to(world, ADA)
}

/// Takes the mails that these tests are not about.
async fn reads_everything(world: &World) {
    world.deliver().await;
    for email in [ADA, "a@example.org", "b@example.org", "bob@example.org"] {
        drop(world.take_mails_to(email));
    }
}

on_both_stores! {
    // S8: the address, while the link works; no more than the mailbox knows already.
    async fn a_link_that_works_says_where_it_was_mailed(world: &World) {
        world.has_account(ADA).await;
        let who = signed_in(world).await;
        world.accounts.change_email(&who, &address("countess@example.net"), &password(PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        let (change, undo) = (token_to(world, "countess@example.net"), token_to(world, ADA));
        let (reset, invitation) = (forgets(world).await, invites(world, "bob@example.org").await);
        for (link, token, email) in [
            (MailedLink::PasswordReset, &reset, ADA), (MailedLink::Invitation, &invitation, "bob@example.org"),
            // Not the account's address: a mistyped new one may be a stranger's.
            (MailedLink::EmailChange, &change, "countess@example.net"), (MailedLink::EmailUndo, &undo, ADA),
        ] {
            for _ in 0..3 {
                let LinkState::Open(found) = state(world, link, token).await else { panic!("{link:?}") };
                assert_eq!(found.as_str(), email, "{link:?}");
            }
            // T5: no token is accepted as one of another kind.
            for other in [
                MailedLink::Confirmation, MailedLink::PasswordReset, MailedLink::EmailChange, MailedLink::EmailUndo, MailedLink::Invitation, MailedLink::Enrolment,
            ] {
                let seen = state(world, other, token).await;
                assert!(other == link || matches!(seen, LinkState::Invalid | LinkState::Expired), "{link:?} as {other:?}: {seen:?}");
            }
        }
        // Looking used nothing up.
        world.accounts.accept_invitation(&invitation, &password(PASSWORD), None, Terms::Unanswered, &client()).await.unwrap();
        world.accounts.reset_password(&reset, &password(NEW), &client()).await.unwrap();
        reads_everything(world).await;
    }

    async fn a_link_that_works_no_more_says_why(world: &World) {
        world.has_account(ADA).await;
        let first = forgets(world).await;
        world.advance(seconds(60));
        let second = forgets(world).await;
        assert_eq!(state(world, MailedLink::PasswordReset, &first).await, LinkState::Expired, "replaced");
        world.accounts.reset_password(&second, &password(NEW), &client()).await.unwrap();
        assert_eq!(state(world, MailedLink::PasswordReset, &second).await, LinkState::Used);
        for token in ["", "x", &second[1..], &format!("{second}A")] {
            assert_eq!(state(world, MailedLink::PasswordReset, token).await, LinkState::Invalid, "{token}");
        }
        world.advance(seconds(60));
        let third = forgets(world).await;
        world.advance(seconds(30 * 60 - 1));
        assert_eq!(state(world, MailedLink::PasswordReset, &third).await, LinkState::Open(address(ADA)));
        world.advance(seconds(1));
        assert_eq!(state(world, MailedLink::PasswordReset, &third).await, LinkState::Expired, "T3");
        reads_everything(world).await;
    }

    async fn an_invitation_says_that_it_is_over(world: &World) {
        let (accepted, overtaken, late) =
            (invites(world, "a@example.org").await, invites(world, "b@example.org").await, invites(world, "c@example.org").await);
        world.accounts.accept_invitation(&accepted, &password(PASSWORD), None, Terms::Unanswered, &client()).await.unwrap();
        world.has_account("b@example.org").await;
        assert_eq!(state(world, MailedLink::Invitation, &accepted).await, LinkState::Used);
        assert_eq!(state(world, MailedLink::Invitation, &overtaken).await, LinkState::Used, "signed up meanwhile");
        world.advance(seconds(72 * 3600));
        assert_eq!(state(world, MailedLink::Invitation, &late).await, LinkState::Expired);
        reads_everything(world).await;
    }

    async fn the_links_of_a_change_of_address_say_that_they_are_over(world: &World) {
        world.has_account(ADA).await;
        let who = signed_in(world).await;
        world.accounts.change_email(&who, &address("countess@example.net"), &password(PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        let (change, undo) = (token_to(world, "countess@example.net"), token_to(world, ADA));
        world.accounts.confirm_email(&change, EmailProof::Session(&who), &client()).await.unwrap();
        assert_eq!(state(world, MailedLink::EmailChange, &change).await, LinkState::Used);
        assert_eq!(state(world, MailedLink::EmailUndo, &undo).await, LinkState::Open(address(ADA)));
        world.accounts.disable_user(Actor::Operator, &UserRef::Email(address("countess@example.net")), None).await.unwrap();
        assert_eq!(state(world, MailedLink::EmailUndo, &undo).await, LinkState::Expired, "no link of a disabled user works");
        world.accounts.enable_user(Actor::Operator, &UserRef::Email(address("countess@example.net")), None).await.unwrap();
        world.accounts.undo_email(&undo, &password(NEW), &client()).await.unwrap();
        assert_eq!(state(world, MailedLink::EmailUndo, &undo).await, LinkState::Used);
        reads_everything(world).await;
    }
}
