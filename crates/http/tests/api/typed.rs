//! What people type and paste is cleaned up on pages; the API takes texts literally.

use serde_json::json;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

/// With a space and a mark of a right-to-left page before, and a mark, a no-break space and a line break after.
fn pasted(text: &str) -> String {
    format!("+%E2%80%AB{}%E2%80%AC%C2%A0%0D%0A", text.replace('@', "%40"))
}

on_both_stores! {
    async fn a_code_is_understood_in_the_digits_of_any_keyboard(world: World) {
        for (email, zero, between) in [
            ("arabic@example.org", '٠', ""), ("persian@example.org", '۰', " "), ("wide@example.org", '０', "-"), ("hindi@example.org", '०', "\u{200f}"),
        ] {
            let mut browser = Browser::default();
            browser.fills(&world, "/signup", &format!("email={email}&password={PASSWORD}")).await;
            let code = world.newest_mail(email).await.code.unwrap();
            let digit = |ascii: char| char::from_u32(u32::from(zero) + ascii.to_digit(10).unwrap()).unwrap();
            let typed = code.chars().map(digit).map(String::from).collect::<Vec<_>>().join(between);
            let strict = world.sends_code(email, PASSWORD, &typed).await;
            assert_eq!(strict.field_errors(), ["/code code_malformed"], "{typed}: the API stays strict (S7)");
            browser.get(&world, "/check-mail").await;
            let typed = serde_urlencoded::to_string([("code", typed)]).unwrap();
            assert_eq!(browser.submit(&world, "/check-mail", &typed).await.leads_to(), "/account", "{email}");
        }
    }

    async fn what_a_copy_brings_along_is_left_out(world: World) {
        let (email, name) = (pasted(ADA), pasted("countess"));
        for text in [format!(" {ADA}"), format!("{ADA}\u{200f}")] {
            let strict = world.post("/v1/signup", json!({"email": text, "password": PASSWORD})).await;
            assert_eq!(strict.field_errors(), ["/email email_invalid"], "the API takes it as it is");
        }
        let mut browser = Browser::default();
        let signed_up = browser.fills(&world, "/signup", &format!("email={email}&user_name={name}&password={PASSWORD}")).await;
        assert_eq!(signed_up.leads_to(), "/check-mail");
        let mail = world.newest_mail(ADA).await;
        let mut other = Browser::default();
        assert_eq!(other.fills(&world, "/forgot", &format!("email={email}")).await.status, 200);
        assert_eq!(other.submit(&world, "/confirm/resend", &format!("email={email}")).await.status, 200);
        let token = pasted(mail.link.unwrap().split_once("token=").unwrap().1);
        let confirmed = other.submit(&world, "/confirm", &format!("token={token}&password={PASSWORD}")).await;
        assert_eq!(confirmed.leads_to(), "/account?said=active");
        for login in [email.as_str(), name.as_str()] {
            let mut browser = Browser::default();
            let answer = browser.fills(&world, "/login", &format!("login={login}&password={PASSWORD}")).await;
            assert_eq!(answer.leads_to(), "/account", "{login}");
        }
        assert!(other.get(&world, "/account").await.text.contains("value=\"countess\""));
        let changed = other.submit(&world, "/account/email", &format!("email={}&password={PASSWORD}", pasted("ada@example.com"))).await;
        assert_eq!(changed.leads_to(), "/account?said=email#email");
    }

    // P2: a space is a character of a password.
    async fn a_password_is_taken_as_it_was_typed(world: World) {
        let mut browser = Browser::default();
        let spaced = format!("+{PASSWORD}+");
        browser.fills(&world, "/signup", &format!("email={ADA}&password={spaced}")).await;
        let code = world.newest_mail(ADA).await.code.unwrap();
        browser.get(&world, "/check-mail").await;
        assert_eq!(browser.submit(&world, "/check-mail", &format!("code={code}")).await.leads_to(), "/account");
        for (typed, status) in [(PASSWORD, 422), (spaced.as_str(), 303)] {
            let answer = Browser::default().fills(&world, "/login", &format!("login={ADA}&password={typed}")).await;
            assert_eq!(answer.status, status, "{typed:?}");
        }
    }

    async fn a_search_is_understood_as_it_was_pasted(world: World) {
        world.has_admin("root@example.org").await;
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, "root@example.org").await;
        let page = browser.get(&world, &format!("/admin/users?q={}", pasted("ada"))).await;
        assert!(page.status == 200 && page.text.contains("<bdi>ada@example.org</bdi>"), "{}", page.text);
        let token = world.access_token("root@example.org").await;
        assert_eq!(world.get_as("/v1/admin/users?q=+ada", &token).await.json()["items"], json!([]));
    }

    async fn a_name_of_two_letters_without_case_signs_up_and_in(world: World) {
        let mut browser = Browser::default();
        browser.fills(&world, "/signup", &format!("email={ADA}&password={PASSWORD}&user_name=%E6%9D%8E%E6%98%8E")).await;
        let code = world.newest_mail(ADA).await.code.unwrap();
        browser.get(&world, "/check-mail").await;
        assert_eq!(browser.submit(&world, "/check-mail", &format!("code={code}")).await.leads_to(), "/account");
        let body = json!({"user_name": "李明", "password": PASSWORD});
        assert_eq!(world.post("/v1/login", body).await.json()["user"]["user_name"], "李明");
        let taken = world.post("/v1/signup", json!({"email": "bob@example.org", "password": PASSWORD, "user_name": "李明"})).await;
        assert_eq!(taken.problem(), (409, "user_name_taken".to_owned()));
    }
}
