//! Who has an account is told to nobody (hole B24), and an address is read alike everywhere (hole B25).

use data_encoding::{BASE32HEX_NOPAD, BASE64URL_NOPAD};
use serde_json::json;

use super::{NEW_PASSWORD, encoded, opens, text};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World, basic};

/// An answer without what differs between any two.
fn alike(answer: &Answer) -> Told {
    let headers =
        answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let headers =
        headers.filter(|(name, _)| !["x-request-id", "date", "set-cookie"].contains(&name.as_str()));
    let id = answer.header("x-request-id");
    (answer.status, answer.text.replace(id, "id"), headers.collect())
}

/// A token that differs in its last part, which proves it, from one that works.
fn tampered(token: &str) -> String {
    let (id, proof) = token.split_at(token.len() - 16);
    // Both letters are as good as the last one: the bits that no octet has are zero.
    let turned = |letter: char| if letter == 'A' { 'Q' } else { 'A' };
    format!("{id}{}", proof.chars().map(turned).collect::<String>())
}

type Told = (u16, String, Vec<(String, String)>);

/// What the API and the page say about a link for a new password.
async fn gives(world: &World, token: &str) -> (Told, String) {
    let answer =
        world.post("/v1/password/reset", json!({"token": token, "new_password": NEW_PASSWORD})).await;
    let page = world.get(&format!("/reset?token={token}")).await;
    (alike(&answer), without_form_token(&page.text).replace(token, "token"))
}

fn without_form_token(page: &str) -> String {
    match page.split("name=\"form_token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()) {
        Some(token) => page.replace(token, "form"),
        None => page.to_owned(),
    }
}

on_both_stores! {
    async fn hole_b24_a_reset_tells_nobody_who_exists(world: World) {
        world.has_account(ADA).await;
        world.has_account("disabled@example.org").await;
        world.has_admin("root@example.org").await;
        world.signs_up("waiting@example.org").await;
        let root = world.access_token("root@example.org").await;
        let id = crate::admin_users_page::id_of(&world, "disabled@example.org").await;
        let disabled = world.send_as("POST", &format!("/v1/admin/users/{id}/disable"), &root, None).await;
        assert!([200, 204].contains(&disabled.status), "{}", disabled.text);
        let everybody = [ADA, "disabled@example.org", "waiting@example.org", "nobody@example.org"];
        let mut told = Vec::new();
        for email in everybody {
            let answer = world.post("/v1/password/forgot", json!({"email": email})).await;
            let mut browser = Browser::default();
            browser.get(&world, "/forgot").await;
            let page = browser.submit(&world, "/forgot", &format!("email={email}")).await;
            let (status, page, headers) = alike(&page);
            let page = without_form_token(&page).replace(email, "address");
            told.push((alike(&answer), status, page, headers));
        }
        assert_eq!(told[0].0.0, 202);
        for (other, email) in told.iter().zip(everybody) {
            assert_eq!(other, &told[0], "{email}");
        }
        // A link with the id of somebody, or of a link that was mailed, tells no more than one with the id of nothing.
        let link = world.mailed_token("password_reset", ADA).await;
        let user = text(&world.signs_in(ADA).await["user"]["id"]);
        let id = BASE32HEX_NOPAD.decode(user["usr_".len()..].to_uppercase().as_bytes()).unwrap();
        let named = BASE64URL_NOPAD.encode(&[id, vec![0; 16]].concat());
        assert_eq!(named.len(), link.len());
        for (known, unknown) in [(named.as_str(), "A".repeat(link.len())), (&tampered(&link), "A".repeat(link.len())), (&user, "usr_qqqq".to_owned())] {
            let (known, unknown) = (gives(&world, known).await, gives(&world, &unknown).await);
            assert_eq!(known, unknown);
            assert!(known.0.0 == 410 && !known.1.contains("a***@") && !known.1.contains("example.org</bdi>"), "{}", known.1);
        }
        // Nobody else asks for a link of somebody by an id.
        let mut by_id = Vec::new();
        for id in [user.as_str(), "usr_00000000000000000000000000"] {
            let path = format!("/v1/admin/users/{id}/reset-link");
            let ada = world.access_token(ADA).await;
            let answers = [world.post(&path, json!({})).await, world.post_as(&path, &ada).await, world.get_as(&format!("/v1/admin/users/{id}"), &ada).await];
            by_id.push(answers.each_ref().map(|answer| (alike(answer).0, answer.problem().1)));
        }
        assert_eq!(by_id[0], by_id[1]);
        assert_eq!(by_id[0].each_ref().map(|(status, _)| *status), [401, 403, 403]);
    }

    async fn hole_b25_the_name_in_basic_is_read_as_a_login_reads_it(world: World) {
        // For each an account, and a sign-up that waits: the login is of the first, Basic of the second.
        let names = ["{}@example.org", "{}@EXAMPLE.ORG", "{}@Example.Org", "{}@bücher.example", "{}@BÜCHER.example",
            "{}@xn--bcher-kva.example", " {}@example.org", "{}@example.org ", "{}@example.org.", "{}@ｅxample.org",
            "{}@example．org", "<{}@example.org>", "{}", "mailto:{}@example.org", "{}@example.org,x@example.org", "{}+x@example.org"];
        let upper = |name: &str| name.replace("{}", "{UP}");
        let names: Vec<String> = names.iter().flat_map(|name| [(*name).to_owned(), upper(name)]).collect();
        let mut right = 0;
        for (number, name) in names.iter().enumerate() {
            let domain = if name.to_lowercase().contains("cher") { "bücher.example" } else { "example.org" };
            let (account, waiting) = (format!("user{number}"), format!("waits{number}"));
            let written = |local: &str| name.replace("{UP}", &local.to_uppercase()).replace("{}", local);
            world.has_user(&format!("{account}@{domain}"), &[]).await;
            world.post("/v1/signup", json!({"email": format!("{waiting}@{domain}"), "password": PASSWORD})).await;
            world.deliver().await;
            let login = world.post("/v1/login", json!({"email": written(&account), "password": PASSWORD})).await;
            let form = format!("username={}&password={PASSWORD}", encoded(&written(&account)));
            let token = world.post_form("/v1/token", &form).await;
            let code = world.sends_code(&written(&waiting), PASSWORD, "00000000").await;
            let known = code.problem().1 == "code_invalid";
            assert!(known || code.problem().1 == "invalid_credentials", "{name}: {}", code.text);
            assert_eq!((login.status == 200, token.status == 200), (known, known), "{name}: {} {} {}", login.text, token.text, code.text);
            right += usize::from(known);
        }
        assert!((8..=16).contains(&right), "{right}");
    }

    async fn hole_b25_one_address_is_one_account_in_any_case(world: World) {
        world.has_account(ADA).await;
        let ada = world.access_token(ADA).await;
        for written in ["ada@EXAMPLE.org", "ADA@example.org", "Ada@Example.Org"] {
            let answer = world.post("/v1/signup", json!({"email": written, "password": NEW_PASSWORD})).await;
            assert_eq!(answer.status, 202);
            assert!(!opens(&world, written, NEW_PASSWORD).await && opens(&world, written, PASSWORD).await);
            let signed_in = Browser::default().fills(&world, "/login", &format!("login={written}&password={PASSWORD}")).await;
            assert_eq!(signed_in.leads_to(), "/account");
            let new = world.accounts.find_user(vestibule::Actor::Operator, &vestibule::UserRef::Email(written.parse().unwrap())).await.unwrap();
            assert_eq!(json!(new.id.to_string()), world.get_as("/v1/me", &ada).await.json()["id"]);
        }
        assert_eq!(world.mails("confirm", ADA).await, 1, "the one of the account itself");
        world.clock.advance(std::time::Duration::from_hours(1));
        world.post("/v1/password/forgot", json!({"email": "ADA@EXAMPLE.ORG"})).await;
        assert_eq!(world.mails("password_reset", ADA).await, 1);
        let wrong = basic("ADA@EXAMPLE.ORG:not-the-password-1");
        for _ in 0..5 {
            world.post_with("/v1/confirm/code", json!({"code": "0000"}), &[("authorization", &wrong)]).await;
        }
        let locked = world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!(locked.problem().0, 429, "counted for the same address");
    }
}
