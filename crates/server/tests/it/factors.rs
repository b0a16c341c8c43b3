//! Second factors on the program as it runs in production: codes of `oathtool`, two instances that race, and the commands
//! for whoever has lost everything.

use std::sync::Barrier;
use std::thread;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vestibule_testing::webauthn::{Asked, Authenticator};
use vestibule_testing::{
    Client, Finished, PUBLIC_URL, SECRET_KEY, Server, Site, on_both_databases, system_program,
};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "plover-tundra-saffron-61";

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The code of another program than ours, so many half minutes from now.
fn oathtool(secret: &str, steps: i64) -> String {
    let now = format!("now {} seconds", 30 * steps);
    let output = system_program("/usr/bin/oathtool")
        .args(["--totp", "--base32", "--now", &now, secret])
        .output()
        .expect("oathtool runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("digits").trim().to_owned()
}

/// Sets an authenticator app up; its secret and the recovery codes. The code is of the half minute before, so that the
/// present one is not spent.
fn sets_up(http: &Client, token: &str) -> (String, Vec<String>) {
    let begun = http.post("/v1/me/authenticator", Some(&bearer(token)), &json!({})).json(200);
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let confirm = || {
        let body = json!({"code": oathtool(&secret, -1)});
        http.post("/v1/me/authenticator/confirm", Some(&bearer(token)), &body)
    };
    // The half minute may end between the two programs.
    let first = confirm();
    let made = if first.status == 200 { first } else { confirm() }.json(200);
    let codes = made["recovery_codes"].as_array().unwrap().iter();
    let codes = codes.map(|code| code.as_str().unwrap().to_owned()).collect();
    (secret, codes)
}

fn challenge(http: &Client) -> Value {
    let asked = http.try_password(EMAIL, PASSWORD).json(401);
    assert_eq!(asked["code"], "second_factor_required");
    asked["challenge"].clone()
}

#[test]
fn codes_of_another_program_sign_in() {
    on_both_databases(|site| {
        let server = site.serve();
        server.has_confirmed(EMAIL, PASSWORD);
        let http = server.http();
        let (secret, _) = sets_up(&http, &http.sign_in(EMAIL, PASSWORD));
        let answer = json!({"challenge": challenge(&http), "code": oathtool(&secret, 0)});
        let session = http.post("/v1/login/second-factor", None, &answer).json(200);
        assert_eq!(http.me(session["access_token"].as_str().unwrap())["email"], EMAIL);
    });
}

/// The statuses of what both instances answer at once, or everything they say where none of them succeeds.
fn race(instances: &[Client], path: &str, bodies: &[Value]) -> Vec<u16> {
    let start = Barrier::new(bodies.len());
    let ask = |(http, body): (&Client, &Value)| {
        start.wait();
        http.post(path, None, body)
    };
    thread::scope(|scope| {
        let asked: Vec<_> =
            instances.iter().cycle().zip(bodies).map(|pair| scope.spawn(move || ask(pair))).collect();
        let answers: Vec<_> = asked.into_iter().map(|one| one.join().unwrap()).collect();
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200, "{path}: {answers:?}");
        statuses
    })
}

// B26: one code, one recovery code, one ceremony, at two instances at once.
#[test]
fn of_two_instances_that_race_one_wins() {
    let site = Site::postgres();
    let (first, second) = (site.serve(), site.serve());
    first.has_confirmed(EMAIL, PASSWORD);
    let instances = [first.http(), second.http()];
    let token = instances[0].sign_in(EMAIL, PASSWORD);
    let asked = instances[0].post("/v1/me/passkeys/options", Some(&bearer(&token)), &json!({})).json(200);
    let mut passkey = Authenticator::new(-7);
    let handle = asked["public_key"]["user"]["id"].as_str().unwrap();
    passkey.user_handle = Some(BASE64URL_NOPAD.decode(handle.as_bytes()).unwrap());
    let credential = passkey.registers(&Asked::new(&asked["public_key"], PUBLIC_URL));
    let added = json!({"ceremony": asked["ceremony"], "credential": credential});
    instances[0].post("/v1/me/passkeys", Some(&bearer(&token)), &added).json(201);
    let (secret, recovery) = sets_up(&instances[0], &token);

    let each = |what: Value| -> Vec<Value> {
        let with_challenge = || {
            let mut body = what.clone();
            body["challenge"] = challenge(&instances[0]);
            body
        };
        (0..4).map(|_| with_challenge()).collect()
    };
    let code = each(json!({"code": oathtool(&secret, 0)}));
    assert_eq!(race(&instances, "/v1/login/second-factor", &code), [200, 401, 401, 401]);
    let recovery_code = each(json!({"recovery_code": recovery[0]}));
    assert_eq!(race(&instances, "/v1/login/second-factor", &recovery_code), [200, 401, 401, 401]);
    let asked = instances[0].post("/v1/login/passkey/options", None, &json!({})).json(200);
    let credential = passkey.asserts(&Asked::new(&asked["public_key"], PUBLIC_URL));
    let used = vec![json!({"ceremony": asked["ceremony"], "credential": credential}); 4];
    assert_eq!(race(&instances, "/v1/login/passkey", &used), [200, 401, 401, 401]);
    // One challenge, several right answers: it is taken once.
    let one = challenge(&instances[0]);
    let answers: Vec<Value> =
        (1..5).map(|index| json!({"challenge": one, "recovery_code": recovery[index]})).collect();
    assert_eq!(race(&instances, "/v1/login/second-factor", &answers), [200, 410, 410, 410]);
}

#[test]
fn an_operator_helps_whoever_lost_everything() {
    on_both_databases(|site| {
        let server = site.serve();
        server.has_confirmed(EMAIL, PASSWORD);
        let http = server.http();
        let token = http.sign_in(EMAIL, PASSWORD);
        sets_up(&http, &token);
        let ways = site.run(&["user", "ways-in", "show", EMAIL, "--json"]).ok().json();
        assert_eq!((&ways[0]["password"], &ways[0]["recovery_codes_left"]), (&json!(true), &json!(10)));
        assert!(ways[0]["authenticator_confirmed_at"].is_string());
        let shown = site.run(&["user", "ways-in", "show", EMAIL]).ok().stdout;
        assert!(shown.contains("authenticator app") && shown.contains("10 left"), "{shown}");
        site.run(&["user", "ways-in", "reset", EMAIL]).refused(2, "--reason");
        site.run(&["user", "ways-in", "reset", EMAIL, "--reason", " "]).refused(2, "the reason is empty");
        site.run(&["user", "ways-in", "reset", "nobody@example.org", "--reason", "x"])
            .refused(5, "no such user");
        site.run(&["user", "ways-in", "reset", EMAIL, "--reason", "lost the phone"]).ok();
        assert_eq!(http.get("/v1/me", Some(&bearer(&token))).status, 401);
        http.sign_in(EMAIL, PASSWORD);
        let trail = site.run(&["audit", "tail", "--json"]).ok().json();
        let reset = trail.iter().find(|entry| entry["kind"] == "factors_reset").unwrap();
        assert_eq!(reset["detail"], "reason: lost the phone");
    });
}

/// A server with these keys, and none of a file.
fn serves_with(site: &Site, keys: &[(&str, &str)]) -> Server {
    let mut command = site.serving(keys);
    command.env_remove("VESTIBULE_SECRET_KEY_FILE");
    site.start(command)
}

// What is stored opens with the secret key only, and goes on opening when the secret key changes.
#[test]
fn an_app_survives_a_change_of_the_secret_key() {
    const NEXT_KEY: &str = "6d1e0b7f94c2a85330fa4b1c9e27d6584f0c3ab19d8e6275c41b90fe8a37d250";
    on_both_databases(|site| {
        let server = serves_with(site, &[("VESTIBULE_SECRET_KEY", SECRET_KEY)]);
        server.has_confirmed(EMAIL, PASSWORD);
        let http = server.http();
        let (secret, recovery) = sets_up(&http, &http.sign_in(EMAIL, PASSWORD));
        drop(server);
        let keys = [("VESTIBULE_SECRET_KEY", NEXT_KEY), ("VESTIBULE_SECRET_KEY_PREVIOUS", SECRET_KEY)];
        let server = serves_with(site, &keys);
        let http = server.http();
        let answer = json!({"challenge": challenge(&http), "code": oathtool(&secret, 0)});
        http.post("/v1/login/second-factor", None, &answer).json(200);
        let answer = json!({"challenge": challenge(&http), "recovery_code": recovery[0]});
        http.post("/v1/login/second-factor", None, &answer).json(200);
    });
}

#[test]
fn settings_that_would_lock_people_out_are_refused() {
    let site = Site::sqlite();
    let check = |name: &str, value: &str| {
        let mut command = site.command(&["check-config"]);
        command.env(name, value);
        Finished::of(&mut command)
    };
    check("VESTIBULE_PASSKEYS_RP_ID", "elsewhere.example").refused(3, "passkeys.rp_id");
    check("VESTIBULE_SECOND_FACTOR_REQUIRE", "everybody").refused(3, "second_factor.require");
    check("VESTIBULE_SECOND_FACTOR_GRACE", "1000d").refused(3, "90 days");
    check("VESTIBULE_TOKENS_STEP_UP", "2h").refused(3, "1 to 60 minutes");
}

// Nobody signs in: the server tells those concerned by itself, and the operator who they are.
#[test]
fn administrators_are_told_before_a_factor_is_demanded() {
    on_both_databases(|site| {
        drop(site.serve());
        site.has_user("root@example.org", &["--admin"]);
        site.has_user(EMAIL, &[]);
        let lacking =
            "second_factor.require demands a second factor of administrators; those who have none: 1";
        let check = |require: &str| {
            let mut command = site.command(&["check-config"]);
            command.env("VESTIBULE_SECOND_FACTOR_REQUIRE", require);
            Finished::of(&mut command).ok().stderr
        };
        assert!(check("admins").contains(lacking) && !check("off").contains("second_factor"));
        let server = site.serve_with(&[("VESTIBULE_SECOND_FACTOR_REQUIRE", "admins")]);
        server.logs(lacking);
        let letter = server.mail("root@example.org");
        assert!(letter.text.contains("takes a second step"), "{}", letter.text);
        assert!(letter.text.contains("/account#security"), "{}", letter.text);
        assert!(site.relay().letters_to(EMAIL).is_empty());
    });
}
