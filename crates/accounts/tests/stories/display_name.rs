//! A name that people may spell as they like.

use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Actor, DisplayName, Edit, Expected, NewUser, ProfileChange, SignUp, UserChange, UserRef,
};

const ADA: &str = "ada@example.org";

fn called(name: &str) -> DisplayName {
    name.parse().unwrap()
}

fn name_of(account: &Account) -> Option<&str> {
    account.display_name.as_ref().map(DisplayName::as_str)
}

fn change(name: Edit<DisplayName>) -> ProfileChange {
    ProfileChange { display_name: name, ..ProfileChange::default() }
}

on_both_stores! {
    // What a sign-up says is nobody's before it is activated.
    async fn a_sign_up_brings_the_name_along(world: &World) {
        let wish = SignUp { display_name: Some(called(" Ada, Countess of Lovelace ")), ..wish(ADA, PASSWORD) };
        world.accounts.sign_up(wish, &client()).await.unwrap();
        world.deliver().await;
        let letter = world.letter_to(ADA);
        let account = world.confirms(ADA, PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(name_of(&account), Some("Ada, Countess of Lovelace"));
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
        let found = world.accounts.find_user(Actor::Operator, &UserRef::Id(account.id)).await.unwrap();
        assert_eq!(found, account);
    }

    // Nobody is called what a stranger typed: who chooses the password at the link begins without a name.
    async fn a_stranger_names_nobody(world: &World) {
        for n in 0..4 {
            let wish = wish(ADA, &format!("a-strangers-password-{n}"));
            let wish = SignUp { display_name: Some(called("Call +1 555 0100 now")), ..wish };
            world.accounts.sign_up(wish, &client()).await.unwrap();
            world.deliver().await;
        }
        let mails = world.take_mails_to(ADA);
        let vestibule::MailContent::ChoosePassword { link, .. } = &mails[3].content else { panic!("{mails:?}") };
        let token = link.expose().split_once("token=").unwrap().1;
        let account = world.clicks(token, Some(PASSWORD)).await.unwrap();
        assert_eq!(name_of(&account), None);
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    async fn the_owner_sets_and_removes_it(world: &World) {
        world.has_account(ADA).await;
        let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
        let who = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        let update = async |name| world.accounts.update_profile(&who, change(name), &client()).await.unwrap();
        assert_eq!(name_of(&update(Edit::Set(called("李 Ada"))).await), Some("李 Ada"));
        assert_eq!(name_of(&update(Edit::Keep).await), Some("李 Ada"));
        assert_eq!(name_of(&update(Edit::Remove).await), None);
        // It is nobody's alone.
        let bob = NewUser {
            email: address("bob@example.org"), password: password(PASSWORD), user_name: None,
            display_name: Some(called("Ada")), roles: vec![],
        };
        world.accounts.create_user(Actor::Operator, bob).await.unwrap();
        assert_eq!(name_of(&update(Edit::Set(called("Ada"))).await), Some("Ada"));
    }

    async fn an_administrator_changes_it(world: &World) {
        let ada = world.has_account(ADA).await;
        let user = UserRef::Id(ada.id);
        let set = UserChange { display_name: Edit::Set(called("Ada")), ..UserChange::default() };
        let expected = Expected::OneOf(vec![ada.revision()]);
        let changed = world.accounts.change_user(Actor::Operator, &user, &expected, set.clone(), None).await.unwrap();
        assert_eq!(name_of(&changed), Some("Ada"));
        let stale = world.accounts.change_user(Actor::Operator, &user, &expected, set, None).await;
        assert_eq!(refusal(stale), "Changed");
        let query = vestibule::AuditQuery { user: Some(ada.id), ..Default::default() };
        let trail = world.accounts.list_audit(Actor::Operator, &query).await.unwrap();
        assert_eq!(trail.items[0].detail.as_deref(), Some("display name"));
    }
}
