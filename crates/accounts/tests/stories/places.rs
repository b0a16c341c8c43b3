//! Mails about security say from where their cause came.

use vestibule::{Actor, Client, Login, MailContent, Place, UserRef};

use crate::assistance::administrator;
use crate::on_both_stores;
use crate::world::*;

const ADA: &str = "ada@example.org";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Somebody else's browser.
fn elsewhere() -> Client {
    Client { user_agent: Some(FIREFOX.to_owned()), ..client_at("198.51.100.7") }
}

fn there() -> Place {
    Place { device: Some(FIREFOX.to_owned()), ip: Some("198.51.100.7".to_owned()) }
}

/// What the one unread mail says, and its link.
async fn told(world: &World) -> (&'static str, Place, String) {
    world.deliver().await;
    let mails = world.take_mails_to(ADA);
    let [mail] = mails.as_slice() else { panic!("one mail, not {mails:?}") };
    let (place, link) = match &mail.content {
        MailContent::PasswordReset { place, link, .. } | MailContent::EmailUndo { place, link, .. } => {
            (place, link.expose().to_owned())
        }
        MailContent::PasswordChanged { place, forgot }
        | MailContent::FailedSignIns { place, forgot }
        | MailContent::RefreshReused { place, forgot } => (place, forgot.clone()),
        other => panic!("{other:?}"),
    };
    (mail.content.kind(), place.clone(), link)
}

fn token(link: &str) -> &str {
    link.split_once("?token=").unwrap().1
}

on_both_stores! {
    async fn a_reset_says_who_asked_and_who_did_it(world: &World) {
        world.has_account(ADA).await;
        world.accounts.forgot_password(&address(ADA), &elsewhere()).await.unwrap();
        let (kind, place, link) = told(world).await;
        assert_eq!((kind, place), ("password_reset", there()));
        world.accounts.reset_password(token(&link), &password(OTHER_PASSWORD), &elsewhere()).await.unwrap();
        let (kind, place, _) = told(world).await;
        assert_eq!((kind, place), ("password_changed", there()));
    }

    async fn a_change_says_where_it_was_made(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
        world.accounts.change_password(&who, &old, &new, &elsewhere()).await.unwrap();
        let (kind, place, _) = told(world).await;
        assert_eq!((kind, place), ("password_changed", there()));
        world.advance(seconds(1));
        let next = address("countess@example.net");
        world.accounts.change_email(&who, &next, &new, &elsewhere()).await.unwrap();
        let (kind, place, undo) = told(world).await;
        assert_eq!((kind, place), ("email_undo", there()));
        assert_eq!(world.kinds_to("countess@example.net"), ["email_change"]);
        world.advance(seconds(1));
        // Also where the link chooses the password, while the address changes back.
        let strong = password("an undone thing, done again");
        world.accounts.undo_email(token(&undo), &strong, &client_at("192.0.2.77")).await.unwrap();
        let (kind, place, _) = told(world).await;
        assert_eq!((kind, place.ip.as_deref()), ("password_changed", Some("192.0.2.77")));
    }

    // Where an operator sits is not the owner's concern.
    async fn an_operators_place_is_nobodys_concern(world: &World) {
        let ada = world.has_account(ADA).await;
        world.accounts.set_password(&UserRef::Id(ada.id), &password(OTHER_PASSWORD)).await.unwrap();
        let (kind, place, _) = told(world).await;
        assert_eq!((kind, place), ("password_changed", Place::default()));
        let (_, root) = administrator(world).await;
        let actor = Actor::User(&root, &elsewhere());
        world.accounts.mail_reset_link(actor, &UserRef::Id(ada.id), None).await.unwrap();
        let (kind, place, _) = told(world).await;
        assert_eq!((kind, place), ("password_reset", Place::default()));
    }

    async fn failures_say_where_the_last_came_from(world: &World) {
        world.has_account(ADA).await;
        for number in 0..10 {
            let from = if number == 9 { elsewhere() } else { client_at("192.0.2.9") };
            let login = Login::Email(address(ADA));
            let tried = world.accounts.sign_in(&login, &password(OTHER_PASSWORD), &from).await;
            assert_eq!(refusal(tried), "Refused", "{number}");
            world.advance(seconds(900));
        }
        let (kind, place, _) = told(world).await;
        assert_eq!((kind, place), ("failed_sign_ins", there()));
    }

    async fn a_copied_token_says_where_it_was_used(world: &World) {
        world.has_account(ADA).await;
        let first = world.signs_in(ADA, PASSWORD).await.unwrap();
        let second = world.accounts.refresh(first.refresh_token.expose(), &client()).await.unwrap();
        world.accounts.refresh(second.refresh_token.expose(), &client()).await.unwrap();
        world.advance(seconds(10));
        assert_eq!(refusal(world.accounts.refresh(first.refresh_token.expose(), &elsewhere()).await), "Invalid");
        let (kind, place, _) = told(world).await;
        assert_eq!((kind, place), ("refresh_reused", there()));
        // Without its entry in the trail the mail says less, and goes out all the same.
        let next = world.signs_in(ADA, PASSWORD).await.unwrap();
        let last = world.accounts.refresh(next.refresh_token.expose(), &client()).await.unwrap();
        world.accounts.refresh(last.refresh_token.expose(), &client()).await.unwrap();
        world.advance(seconds(10));
        assert_eq!(refusal(world.accounts.refresh(next.refresh_token.expose(), &elsewhere()).await), "Invalid");
        world.sql("DELETE FROM audit_events");
        let (kind, place, _) = told(world).await;
        assert_eq!((kind, place), ("refresh_reused", Place::default()));
    }
}
