//! Invitations (hole B28) and cursors (hole B29) that we did not make.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::{EVE, encoded, opens, refused, state, text};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const ROOT: &str = "root@example.org";

/// Everything that differs from a value that works: each octet of it in turn, and what is cut off or added.
pub(super) fn forgeries(value: &str) -> Vec<String> {
    let bytes = BASE64URL_NOPAD.decode(value.as_bytes()).unwrap();
    let mut all: Vec<Vec<u8>> = Vec::new();
    for at in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        all.push(forged);
    }
    all.push(bytes[1..].to_vec());
    all.push(bytes[..bytes.len() - 1].to_vec());
    all.push([bytes.as_slice(), b"\0"].concat());
    all.push(vec![0; bytes.len()]);
    let mut all: Vec<String> = all.iter().map(|bytes| BASE64URL_NOPAD.encode(bytes)).collect();
    all.extend([
        String::new(),
        format!("{value}="),
        format!("{value}A"),
        value[1..].to_owned(),
        value.to_lowercase(),
    ]);
    all
}

on_both_stores! {
    async fn hole_b28_an_invitation_that_we_did_not_send_is_none(world: World) {
        world.has_admin(ROOT).await;
        world.has_account(ADA).await;
        let (root, ada) = (world.access_token(ROOT).await, world.access_token(ADA).await);
        let invites = async |email: &str| world.send_as("POST", "/v1/admin/users", &root, Some(json!({"email": email, "roles": ["editor"]}))).await;
        // Whoever is no administrator invites nobody, and an answer to who is does not contain the link.
        for token in [ada.as_str(), "", "x"] {
            let body = json!({"email": EVE, "roles": ["admin"]});
            refused(&world.send_as("POST", "/v1/admin/users", token, Some(body)).await, "invites");
        }
        assert_eq!(invites(EVE).await.status, 202);
        let old = world.mailed_token("invitation", EVE).await;
        world.clock.advance(std::time::Duration::from_mins(2));
        let made = invites(EVE).await;
        let token = world.mailed_token("invitation", EVE).await;
        assert!(token != old && !made.text.contains(&token));
        let accepts = async |token: &str| world.post("/v1/invitation/accept", json!({"token": token, "password": PASSWORD})).await;
        let (root, id) = (world.access_token(ROOT).await, text(&made.json()["id"]));
        let before = state(&world, &root).await;
        let mut browser = Browser::default();
        for forged in forgeries(&token).iter().chain([&old, &id, &EVE.to_owned()]) {
            assert_eq!(accepts(forged).await.problem(), (410, "link_expired".to_owned()), "{forged}");
            browser.get(&world, "/login").await;
            let page = browser.submit(&world, "/invitation", &format!("token={forged}&password={PASSWORD}")).await;
            refused(&page, forged);
            assert_ne!(page.status, 403, "not for its form token");
        }
        // Whoever accepts chooses neither the address nor the roles.
        for (field, value) in [("email", json!("mallory@example.org")), ("roles", json!(["admin"])), ("id", json!(id))] {
            let body = json!({"token": token, "password": PASSWORD, field: value});
            refused(&world.post("/v1/invitation/accept", body).await, field);
        }
        assert_eq!(state(&world, &root).await, before);
        let form = format!("token={token}&password={PASSWORD}");
        for more in ["&email=mallory@example.org", "&roles=admin", "&roles=admin&email=mallory@example.org"] {
            refused(&browser.submit(&world, "/invitation", &format!("{form}{more}")).await, more);
        }
        assert_eq!(browser.submit(&world, "/invitation", &form).await.status, 303);
        let eve = world.signs_in(EVE).await;
        assert_eq!(eve["user"]["roles"], json!(["editor"]));
        refused(&accepts(&token).await, "a second time");
        assert!(!opens(&world, "mallory@example.org", PASSWORD).await);
    }

    async fn hole_b29_a_cursor_that_we_did_not_make_reads_nothing(world: World) {
        world.has_admin(ROOT).await;
        for name in ["ada", "bob", "carol"] {
            world.has_account(&format!("{name}@example.org")).await;
            world.signs_up(&format!("{name}@example.net")).await;
        }
        let root = world.access_token(ROOT).await;
        let mut pages = Browser::signed_in(&world, ROOT).await;
        let mut cursors = Vec::new();
        for list in ["users", "registrations", "audit", "mail"] {
            let page = world.get_as(&format!("/v1/admin/{list}?limit=1"), &root).await.json();
            cursors.push((list, text(&page["next_cursor"])));
        }
        let sealless = |place: &str| BASE64URL_NOPAD.encode(place.as_bytes());
        let sql = ["' OR 1=1 --", "0; DROP TABLE users; --", "' UNION SELECT password_hash FROM users --", "1)", "\\", "%", "\u{0}"];
        let before = state(&world, &root).await;
        for (list, own) in &cursors {
            let mut forged = forgeries(own);
            forged.retain(|cursor| !cursor.is_empty());
            // What we sealed, with another place; no seal; and the plain text.
            let sealed = BASE64URL_NOPAD.decode(own.as_bytes()).unwrap()[..16].to_vec();
            for place in sql {
                forged.push(BASE64URL_NOPAD.encode(&[&sealed, place.as_bytes()].concat()));
                forged.push(sealless(place));
                forged.push(sealless(place).replace('-', "+"));
                forged.push(encoded(place));
            }
            forged.extend(cursors.iter().filter(|(other, _)| other != list).map(|(_, cursor)| cursor.clone()));
            for cursor in &forged {
                let answer = world.get_as(&format!("/v1/admin/{list}?limit=1&cursor={cursor}"), &root).await;
                let told = answer.field_errors();
                let invalid = told == ["/cursor cursor_invalid"] || told == ["/cursor text_invalid"];
                assert!(invalid, "{list} {cursor}: {}", answer.text);
                let page = pages.get(&world, &format!("/admin/{list}?cursor={cursor}")).await;
                assert!((400..500).contains(&page.status), "{list} {cursor}: {} {}", page.status, page.text);
            }
            // A cursor belongs to the conditions of its list.
            let condition = ["status=active", "state=sent", "kind=signed_in", "q=a"];
            for condition in condition {
                let answer = world.get_as(&format!("/v1/admin/{list}?limit=1&{condition}&cursor={own}"), &root).await;
                assert_eq!(answer.status, 422, "{list} {condition}: {}", answer.text);
            }
            assert_eq!(world.get_as(&format!("/v1/admin/{list}?limit=1&cursor={own}"), &root).await.status, 200);
        }
        assert_eq!(state(&world, &root).await, before);
    }

    async fn hole_b29_an_error_is_text_and_no_script(world: World) {
        let mark = "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E";
        let root = crate::admin_users_page::root(&world).await;
        for name in ["error", "error_description", "error_hint", "error_debug", "said", "message", "cursor", "lang", "code", "return_to"] {
            for path in ["/login", "/signup", "/forgot", "/docs/errors", "/docs/errors/x", "/nowhere", "/admin/users", "/admin/audit", "/v1/me", "/v1/admin/users"] {
                for cookies in [root.cookies.clone(), std::collections::BTreeMap::new()] {
                    let mut browser = Browser { cookies, ..Browser::default() };
                    let page = browser.get(&world, &format!("{path}?{name}={mark}")).await;
                    let html = page.header("content-type").starts_with("text/html");
                    assert!(!html || !page.text.contains("<img src=x"), "{path} {name}: {}", page.text);
                    assert_eq!(page.header("x-content-type-options"), "nosniff", "{path} {name}");
                }
            }
        }
        for path in ["/docs/errors/", "/", "/admin/users/", "/assets/", "/v1/"] {
            let page = Browser::default().get(&world, &format!("{path}{mark}")).await;
            let html = page.header("content-type").starts_with("text/html");
            assert!(!html || !page.text.contains("<img src=x"), "{path}: {}", page.text);
        }
    }
}
