use crate::on_both_stores;
use crate::world::*;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vestibule::{Accounts, Env, Settings};

/// The parts of a JWT, decoded.
fn parts(token: &str) -> (Value, Value, String) {
    let mut parts = token.split('.');
    let mut next = || parts.next().unwrap().to_owned();
    let json =
        |text: String| serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()).unwrap();
    (json(next()), json(next()), next())
}

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

async fn token(world: &World) -> String {
    world.has_account("ada@example.org").await;
    world.signs_in("ada@example.org", PASSWORD).await.unwrap().access_token.expose().to_owned()
}

async fn is_valid(accounts: &Accounts, token: &str) -> bool {
    accounts.authenticate(token).await.is_ok()
}

on_both_stores! {
    // J2, J3, RFC 9068 §2
    async fn an_access_token_says_what_the_profile_asks_for(world: &World) {
        let (header, claims, _) = parts(&token(world).await);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
        let jwks: Value = serde_json::from_str(&world.accounts.jwks()).unwrap();
        assert_eq!(jwks["keys"][0]["kid"], header["kid"]);
        assert_eq!(jwks["keys"][0]["crv"], "Ed25519");
        assert!(jwks["keys"][0].get("d").is_none());
        let now = world.clock.now().as_seconds();
        assert_eq!(claims["iss"], "https://accounts.example.org");
        assert_eq!(claims["aud"], "https://accounts.example.org");
        assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(now), Some(now + 600)));
        assert!(claims["sub"].as_str().unwrap().starts_with("usr_"));
        assert!(claims["sid"].as_str().unwrap().starts_with("ses_"));
        assert_eq!((&claims["auth_time"], &claims["roles"]), (&json!(now), &json!([])));
        assert!(claims["jti"].as_str().unwrap().len() >= 22 && claims["client_id"].is_string());
        assert!(!claims.to_string().contains("ada@"), "the address is not in the token");
    }

    // J4: 600 s, with 5 s for clocks that differ.
    async fn an_access_token_works_for_ten_minutes(world: &World) {
        let token = token(world).await;
        world.advance(seconds(604));
        assert!(is_valid(&world.accounts, &token).await);
        world.advance(seconds(1));
        assert!(!is_valid(&world.accounts, &token).await);
        assert!(!is_valid(&world.another_instance().await, &token).await);
    }

    // J4: not before it was issued, either.
    async fn a_token_from_the_future_is_refused(world: &World) {
        world.has_account("ada@example.org").await;
        let ahead = vestibule::ManualClock::new(world.clock.now() + seconds(60));
        let settings = Settings { env: Env::manual(&ahead), ..world.settings.clone() };
        let fast = Accounts::open(settings).await.unwrap();
        let login = vestibule::Login::Email(address("ada@example.org"));
        let tokens = fast.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
        assert!(!is_valid(&world.accounts, tokens.access_token.expose()).await);
        world.advance(seconds(60));
        assert!(is_valid(&world.accounts, tokens.access_token.expose()).await);
    }

    // J5: immediately, on every instance, even though the token was verified and cached before.
    async fn a_sign_out_counts_at_once_everywhere(world: &World) {
        let token = token(world).await;
        let other_session = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let other = world.another_instance().await;
        assert!(is_valid(&other, &token).await);
        let who = world.accounts.authenticate(&token).await.unwrap();
        world.accounts.sign_out(&who, false, &client()).await.unwrap();
        assert!(!is_valid(&world.accounts, &token).await);
        assert!(!is_valid(&other, &token).await);
        assert!(is_valid(&other, other_session.access_token.expose()).await);
        // Signing out twice is not an error.
        other.sign_out(&who, true, &client()).await.unwrap();
        assert!(!is_valid(&world.accounts, other_session.access_token.expose()).await);
        assert!(world.accounts.refresh(other_session.refresh_token.expose(), &client()).await.is_err());
    }

    // J1, RFC 8725 §3.1: no signature, another algorithm, another key.
    async fn forged_signatures_are_refused(world: &World) {
        let token = token(world).await;
        let (header, claims, signature) = parts(&token);
        assert!(is_valid(&world.accounts, &token).await);
        let with = |change: &dyn Fn(&mut Value)| {
            let mut header = header.clone();
            change(&mut header);
            encoded(&header)
        };
        let body = encoded(&claims);
        let public_key = serde_json::from_str::<Value>(&world.accounts.jwks()).unwrap()["keys"][0]["x"].clone();
        let key = aws_lc_rs::hmac::Key::new(
            aws_lc_rs::hmac::HMAC_SHA256,
            &BASE64URL_NOPAD.decode(public_key.as_str().unwrap().as_bytes()).unwrap(),
        );
        let hs256 = with(&|header| header["alg"] = json!("HS256"));
        let mac = aws_lc_rs::hmac::sign(&key, format!("{hs256}.{body}").as_bytes());
        let stranger = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
        let same = with(&|_| {});
        let foreign = BASE64URL_NOPAD.encode(stranger.sign(format!("{same}.{body}").as_bytes()).as_ref());
        let forged = [
            format!("{}.{body}.", with(&|header| header["alg"] = json!("none"))),
            format!("{}.{body}.{signature}", with(&|header| header["alg"] = json!("none"))),
            format!("{}.{body}.{signature}", with(&|header| header["alg"] = json!("nOnE"))),
            format!("{hs256}.{body}.{}", BASE64URL_NOPAD.encode(mac.as_ref())),
            format!("{}.{body}.{signature}", with(&|header| header["alg"] = json!("ES256"))),
            format!("{same}.{body}.{foreign}"),
            format!("{same}.{body}."),
            format!("{same}.{body}"),
            format!("{same}.{}.{signature}", encoded(&{ let mut c = claims.clone(); c["roles"] = json!(["admin"]); c })),
        ];
        for forgery in forged {
            assert!(!is_valid(&world.accounts, &forgery).await, "{forgery}");
        }
    }

    // J2: headers that would make a careless verifier fetch or use another key. They also change the signed text, so
    // this shows that none of them is followed and none causes an error of ours.
    async fn hostile_headers_and_broken_texts_are_refused(world: &World) {
        let token = token(world).await;
        let (header, claims, signature) = parts(&token);
        let body = encoded(&claims);
        let hostile: [(&str, Value); 8] = [
            ("kid", json!("../../etc/passwd")),
            ("kid", json!("x".repeat(5000))),
            ("kid", json!("' OR 1=1 --")),
            ("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" })),
            ("jku", json!("https://attacker.example/jwks.json")),
            ("x5u", json!("https://attacker.example/cert.pem")),
            ("crit", json!(["exp"])),
            ("typ", json!("JWT")),
        ];
        for (name, value) in hostile {
            let mut header = header.clone();
            header[name] = value;
            assert!(!is_valid(&world.accounts, &format!("{}.{body}.{signature}", encoded(&header))).await, "{name}");
        }
        let json_form = json!({ "payload": body, "protected": encoded(&header), "signature": signature }).to_string();
        for text in ["", ".", "..", "...", "a.b.c", "ä.ö.ü", &token[1..], &format!("{token}="), &format!("{token}.{token}"),
            &format!(" {token}"), &json_form, &"a.".repeat(5000), "\0"] {
            assert!(!is_valid(&world.accounts, text).await, "{text}");
        }
    }

    // A token of another issuer that shares the database and the keys is refused, and so is one for another audience.
    async fn issuer_and_audience_are_checked(world: &World) {
        let token = token(world).await;
        let renamed = Settings { public_url: "https://other.example.org".to_owned(), ..world.settings.clone() };
        assert!(!is_valid(&Accounts::open(renamed).await.unwrap(), &token).await);
        let other_audience = world.instance_with(|policy| policy.tokens.audience = Some("https://api.example.org".into())).await;
        assert!(!is_valid(&other_audience, &token).await);
    }
}
