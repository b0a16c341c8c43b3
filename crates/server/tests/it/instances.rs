//! Several instances on one PostgreSQL act as one server: what begins at one continues at another, and limits are
//! shared.

use serde_json::json;
use vestibule_testing::{Client, Site};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "plover-tundra-saffron-61";

#[test]
fn a_person_goes_from_one_instance_to_the_other() {
    let site = Site::postgres();
    let (first, second) = (site.serve(), site.serve());
    let (here, there) = (first.http(), second.http());
    here.sign_up(EMAIL, PASSWORD);
    there.confirm(EMAIL, PASSWORD, &first.mail(EMAIL).code());
    let session = here.try_password(EMAIL, PASSWORD).json(200);
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(there.me(token)["email"], EMAIL);
    // Both have seen the token by now; the end of its session takes effect immediately at both.
    here.me(token);
    let bearer = format!("Bearer {token}");
    assert_eq!(there.post("/v1/logout", Some(&bearer), &json!({})).status, 204);
    for server in [&here, &there] {
        assert_eq!(server.get("/v1/me", Some(&bearer)).json(401)["code"], "invalid_token");
    }
}

// C3: three guesses in all, at whichever instance.
#[test]
fn guesses_at_both_instances_are_counted_together() {
    let site = Site::postgres();
    let (first, second) = (site.serve(), site.serve());
    first.http().sign_up(EMAIL, PASSWORD);
    let code = first.mail(EMAIL).code();
    let wrong = if code == "0000" { "0001" } else { "0000" };
    let guess = |at: &Client, code: &str| at.try_code(EMAIL, PASSWORD, code);
    for (server, left) in [(&first, 2), (&second, 1), (&first, 0)] {
        assert_eq!(guess(&server.http(), wrong).json(422)["attempts_left"], left);
    }
    for server in [&first, &second] {
        assert_eq!(guess(&server.http(), &code).json(410)["code"], "code_expired");
    }
}

// L2: the fifth wrong password costs a wait, although no single instance has seen five.
#[test]
fn wrong_passwords_at_both_instances_are_counted_together() {
    let site = Site::postgres();
    let (first, second) = (site.serve(), site.serve());
    // On a slow machine a wait may be over before the next attempt; it doubles each time, so this happens rarely.
    let mut wrong = 0;
    let refused = [&first, &second].into_iter().cycle().take(8).find_map(|server| {
        let answer = server.http().try_password(EMAIL, "wren-gorge-mustard-17");
        wrong += usize::from(answer.status == 401);
        (answer.status != 401).then_some(answer)
    });
    let refused = refused.expect("a wait after at most eight");
    assert_eq!(refused.json(429)["code"], "too_many_requests");
    assert!(refused.header("retry-after").parse::<u64>().is_ok(), "{refused:?}");
    assert!((5..=7).contains(&wrong), "{wrong}: at most four at each");
}
