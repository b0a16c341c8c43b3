//! What a browser may be made to do: ways back and types of bodies (hole B21), script in pages (hole B23).

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::methods::{described, filled, pages};
use super::{NEW_PASSWORD, SESSION, encoded, opens, refused, state};
use crate::admin_overview_page::Failing;
use crate::browser::Browser;
use crate::cross_site::{FORMS, MEMBERS};
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

/// Markup for any place in a page: after a text, in an attribute with either quote, in an address.
const MARKUP: &str = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>";

/// The tags of a page, each without its brackets. A value that is escaped has none of them.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<').skip(1).filter_map(|rest| rest.split('>').next())
}

/// The names of the attributes of a tag: what is outside of its quotes.
fn attributes(tag: &str) -> String {
    tag.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}

/// Nothing in the page runs but scripts of ours, and nothing is sent without a button.
#[track_caller]
fn is_inert(page: &Answer, what: &str) {
    if !page.header("content-type").starts_with("text/html") {
        return;
    }
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("script-src 'self'") && policy.contains("default-src 'none'"),
        "{what}: {policy}"
    );
    let scripts = policy.split(';').find(|part| part.contains("script-src")).unwrap();
    assert!(
        !["unsafe", "nonce", "*", "data:", "http"].iter().any(|open| scripts.contains(open)),
        "{what}: {policy}"
    );
    assert!(!page.text.contains("<img src=x") && !page.text.contains("<script>"), "{what}: {}", page.text);
    for tag in tags(&page.text) {
        let name = tag.split_whitespace().next().unwrap_or_default();
        let handler = |part: &str| part.to_lowercase().starts_with("on") && part.contains('=');
        assert!(!attributes(tag).split_whitespace().any(handler), "{what}: {tag}");
        assert!(tag.matches('"').count() % 2 == 0, "{what}: {tag}");
        assert!(!tag.to_lowercase().contains("javascript:") && !tag.contains("http-equiv"), "{what}: {tag}");
        assert!(name != "script" || tag.contains(" src=\"/"), "{what}: {tag}");
        assert!(name != "form" || tag.contains("action=\"/") || !tag.contains("action="), "{what}: {tag}");
    }
    for script in page.text.split("<script").skip(1) {
        assert!(script.split_once('>').unwrap().1.starts_with("</script>"), "{what}: inline script");
    }
}

/// Fills every text that a page may show again, and that others may have chosen.
async fn marked(world: &World) -> Browser {
    let mut root = crate::admin_users_page::root(world).await;
    world.post("/v1/signup", json!({"email": "x'&y@example.org", "password": PASSWORD})).await;
    world.accounts.deliver(&Failing(vestibule::SendError::Permanent(format!("550 {MARKUP}")))).await.unwrap();
    world.has_user("a'&b@example.org", &["editor"]).await;
    let id = crate::admin_users_page::id_of(world, "a'&b@example.org").await;
    let agents = [("user-agent", MARKUP), ("x-forwarded-for", MARKUP), ("accept-language", MARKUP)];
    let body = json!({"email": "a'&b@example.org", "password": PASSWORD});
    world.post_with("/v1/login", body, &agents).await;
    root.get(world, &format!("/admin/users/{id}")).await;
    let done = root
        .submit(world, &format!("/admin/users/{id}/sign-out"), &format!("reason={}", encoded(MARKUP)))
        .await;
    assert_eq!(done.status, 303, "{}", done.text);
    root
}

on_both_stores! {
    async fn hole_b21_a_way_back_is_a_path_of_ours(world: World) {
        world.has_account(ADA).await;
        for bad in ["//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%2Fevil.example", "/%5Cevil.example",
            "/./\\evil.example", "/a/..//evil.example", "/\t/evil.example", "/\n/evil.example", " //evil.example", "https:evil.example",
            "https://accounts.example.org@evil.example", "https://accounts.example.org.evil.example", "javascript:alert(1)", "evil.example"] {
            let to = encoded(bad);
            let mut browser = Browser::default();
            browser.get(&world, &format!("/login?return_to={to}")).await;
            let form = format!("login={ADA}&password={PASSWORD}&return_to={to}");
            let answer = browser.submit(&world, &format!("/login?return_to={to}"), &form).await;
            assert_eq!(answer.leads_to(), "/account", "{bad}");
        }
        // A path that looks like a host leads nowhere either, not even by way of a page for members.
        for path in ["//evil.example", "//evil.example/account", "/account//evil.example"] {
            let answer = Browser::default().get(&world, path).await;
            let location = answer.header("location");
            assert!(!location.starts_with("//") && !location.starts_with("http"), "{path}: {location}");
        }
    }

    async fn hole_b21_a_type_that_contains_json_is_not_json(world: World) {
        world.has_admin("root@example.org").await;
        world.has_account(ADA).await;
        let root = world.access_token("root@example.org").await;
        let ada = crate::admin_users_page::id_of(&world, ADA).await;
        let browser = Browser::signed_in(&world, ADA).await;
        let before = state(&world, &root).await;
        // Those that a form of another site can send come first.
        let types = ["text/plain", "text/plain; charset=application/json", "text/plain;application/json", "multipart/form-data; boundary=application/json",
            "application/x-www-form-urlencoded; x=application/json", "application/x-www-form-urlencoded", "text/json", "application/jsonx", "xapplication/json",
            "application/json+x", "application/ld+json", "application/json, text/plain", "application/jsonp", ""];
        let mut tried = 0;
        for (path, method, operation) in described() {
            if operation["requestBody"]["content"]["application/json"].is_null() {
                continue;
            }
            for kind in types {
                let request = Request::builder().method(method.as_str()).uri(filled(&path, &ada)).header("content-type", kind);
                let authorization = if path == "/v1/confirm/code" { crate::world::basic(&format!("{ADA}:{PASSWORD}")) } else { format!("Bearer {root}") };
                let answer = world.send(request.header("authorization", authorization).body(Body::from("{}")).unwrap()).await;
                assert_eq!(answer.problem(), (415, "unsupported_media_type".to_owned()), "{method} {path} {kind}");
                tried += 1;
            }
        }
        assert!(tried > 300, "{tried}");
        // A form of another site with the cookie of whoever is signed in here.
        let body = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD}).to_string();
        for kind in types.into_iter().chain(["application/json"]) {
            let request = Request::post("/v1/me/password").header("content-type", kind).header("sec-fetch-site", "cross-site");
            let request = request.header("cookie", format!("{SESSION}={}", browser.cookies[SESSION]));
            refused(&world.send(request.body(Body::from(body.clone())).unwrap()).await, kind);
        }
        // Nor is a form of a page sent as something else.
        for path in FORMS {
            for kind in types.into_iter().chain(["application/json"]).filter(|kind| *kind != "application/x-www-form-urlencoded") {
                let request = Request::post(path).header("content-type", kind).header("sec-fetch-site", "same-origin");
                let answer = world.send(request.body(Body::from(format!("login={ADA}&password={PASSWORD}"))).unwrap()).await;
                let away = path.starts_with("/check-mail") && answer.status == 303;
                assert!(away || answer.status == 415, "{path} {kind}: {} {}", answer.status, answer.text);
            }
        }
        assert_eq!(state(&world, &root).await, before);
        assert!(opens(&world, ADA, PASSWORD).await);
    }

    async fn hole_b23_no_page_runs_or_sends_what_others_wrote(world: World) {
        let mut root = marked(&world).await;
        let ada = crate::admin_users_page::id_of(&world, "a'&b@example.org").await;
        let names = ["q", "status", "state", "cursor", "kind", "email", "user", "user_id", "token", "return_to", "said", "lang", "code", "login"];
        let mut shown = 0;
        for (path, methods) in pages().into_iter().chain(described().into_iter().map(|(path, method, _)| (path, [method].into()))) {
            if !methods.contains("GET") || path.starts_with("/v1/") || path.contains("assets") {
                continue;
            }
            let path = filled(&path, &ada);
            let queries = names.iter().map(|name| format!("?{name}={}", encoded(MARKUP)));
            for query in queries.chain([String::new()]) {
                let address = format!("{path}{query}");
                for page in [root.get(&world, &address).await, Browser::default().get(&world, &address).await] {
                    is_inert(&page, &address);
                    shown += usize::from(page.text.contains("&lt;img src=x onerror=alert(1)&gt;"));
                }
            }
        }
        assert!(shown > 20, "the markup is shown, as text: {shown}");
        let users = root.get(&world, "/admin/users").await.text;
        assert!(users.contains("a&#x27;&amp;b@example.org") && !users.contains("'&b@"), "{users}");
        for list in ["mail", "audit"] {
            let page = root.get(&world, &format!("/admin/{list}")).await.text;
            assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "{list}: {page}");
        }
    }

    async fn hole_b23_what_was_typed_comes_back_as_text(world: World) {
        let mut root = marked(&world).await;
        let ada = crate::admin_users_page::id_of(&world, "a'&b@example.org").await;
        let names = ["email", "login", "user_name", "password", "new_password", "current_password", "own_password", "token", "code", "locale",
            "roles", "reason", "revision", "session", "state", "return_to"];
        let fields: Vec<_> = names.iter().map(|name| format!("{name}={}", encoded(MARKUP))).collect();
        let mut stranger = Browser::default();
        stranger.fills(&world, "/signup", &format!("email=bob@example.org&password={PASSWORD}")).await;
        let mut shown = 0;
        for (browser, paths, page) in [(&mut stranger, FORMS.as_slice(), "/login"), (&mut root, MEMBERS.as_slice(), "/account")] {
            for path in paths.iter().filter(|path| **path != "/logout") {
                let path = path.replace("usr_00000000000000000000000000", &ada);
                browser.get(&world, page).await;
                for with_token in [true, false] {
                    let own = [("sec-fetch-site", "same-origin")];
                    let token = if with_token { browser.form_token.clone() } else { String::new() };
                    let form = format!("form_token={token}&{}", fields.join("&"));
                    let answer = browser.post(&world, &path, &form, &own).await;
                    is_inert(&answer, &path);
                    shown += usize::from(answer.text.contains("&lt;img src=x"));
                }
            }
        }
        assert!(shown > 15, "{shown}");
    }

    async fn hole_b23_our_script_sends_a_form_only_for_a_person(world: World) {
        let page = world.get("/login").await.text;
        let path = page.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#x2f;", "/");
        let script = world.get(&path).await.text;
        for never in [".submit()", "eval(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "new Function"] {
            assert!(!script.contains(never), "{never}");
        }
        // It clicks on one thing: the file of recovery codes, after a click on its button.
        let clicks: Vec<&str> = script.lines().filter(|line| line.contains(".click()")).collect();
        assert!(clicks.len() == 1 && clicks[0].contains("download: codes.dataset.file"), "{clicks:?}");
        // Five calls send a form: after a click on another language, after the last digit of a code, where the page of a sign-up learns that it is confirmed,
        // and two where somebody has chosen a passkey, or there is none to choose.
        let calls: Vec<&str> = script.lines().map(str::trim).filter(|line| line.contains("requestSubmit(")).collect();
        assert_eq!(calls, [
            "inHand.requestSubmit(button);",
            "if (digits() === cells.length && bare.length === cells.length && !others) field.form.requestSubmit();",
            "if (state === \"confirmed\") waiting.querySelector(\"form[action$='/continue']\").requestSubmit();",
            "if (!answer.ok) return mediation || form.requestSubmit();",
            "form.requestSubmit();",
        ]);
        let mut browser = Browser::default();
        browser.fills(&world, "/signup", &format!("email={ADA}&password={PASSWORD}")).await;
        let page = browser.get(&world, "/check-mail").await.text;
        let form = page.split("action=\"/check-mail/continue\"").nth(1).unwrap().split("</form>").next().unwrap();
        assert_eq!(form.matches("name=").count(), 1, "the form token alone: {form}");
    }
}
