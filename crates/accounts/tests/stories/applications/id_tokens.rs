//! ID tokens: what they say, and what an application that gives one back means by it.

use aws_lc_rs::digest;

use super::*;
use crate::on_both_stores;

on_both_stores! {
    // OpenID Connect Core §2, §3.1.2.1, §3.1.3.6
    async fn an_id_token_tells_of_one_sign_in(world: &World) {
        let account = world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        let tokens_for = async |change: &dyn Fn(&mut AuthorizationParameters)| {
            let mut asked = asks(&shop(), "openid");
            change(&mut asked);
            let AuthorizationStep::Done(address) = world.decides(&world.request(asked).await, Some(&who)).await else {
                panic!("nobody is asked")
            };
            world.exchanges(&by, &parameter(&address, "code").unwrap()).await.unwrap()
        };
        let tokens = tokens_for(&|asked| asked.max_age = Some("60".to_owned())).await;
        let id = claims(tokens.id_token.as_ref().unwrap());
        assert_eq!((&id["iss"], &id["sub"]), (&"https://accounts.example.org".into(), &account.id.to_string().into()));
        assert_eq!((&id["aud"], &id["azp"], &id["nonce"]), (&"shop".into(), &"shop".into(), &"n-1".into()));
        assert_eq!(id["auth_time"], who.auth_time.as_seconds());
        assert_eq!(id["iat"], who.auth_time.as_seconds(), "the clock stands still");
        assert_eq!(id["exp"], who.auth_time.as_seconds() + 600);
        // The left half of the hash of the signature's algorithm: Ed25519 hashes with SHA-512.
        let hash = digest::digest(&digest::SHA512, tokens.access_token.expose().as_bytes());
        assert_eq!(id["at_hash"], BASE64URL_NOPAD.encode(&hash.as_ref()[..32]));
        let without = tokens_for(&|asked| asked.nonce = None).await;
        assert_eq!(claims(without.id_token.as_ref().unwrap()).get("nonce"), None);
    }

    // OpenID Connect Core §3.1.2.1: whoever is signed in is the one that is meant, or the answer is an error.
    async fn a_hint_names_the_only_user_who_may_answer(world: &World) {
        world.has_account("ada@example.org").await;
        world.has_account("bob@example.org").await;
        let (ada, bob) = (world.session_of("ada@example.org").await, world.session_of("bob@example.org").await);
        let by = world.has_application(&shop()).await;
        let tokens = world.shops(&by, "openid", &ada).await;
        let hint = tokens.id_token.unwrap().expose().to_owned();
        // An ID token names its user for longer than it is valid.
        world.advance(hours(2));
        for prompt in [None, Some("none".to_owned())] {
            let hinted = AuthorizationParameters {
                id_token_hint: Some(hint.clone()),
                prompt: prompt.clone(),
                ..asks(&shop(), "openid")
            };
            let request = world.request(hinted).await;
            for (who, error) in [(&ada, None), (&bob, Some("login_required"))] {
                let AuthorizationStep::Done(address) = world.decides(&request, Some(who)).await else { panic!() };
                assert_eq!(parameter(&address, "error").as_deref(), error, "{address}");
                assert_eq!(parameter(&address, "code").is_some(), error.is_none());
            }
            let of_nobody = world.decides(&request, None).await;
            assert_eq!(matches!(of_nobody, AuthorizationStep::SignIn), prompt.is_none(), "{of_nobody:?}");
        }
        // The token of another application names nobody here, and an access token is none.
        let other = Application { id: "other".parse().unwrap(), ..shop() };
        world.has_application(&other).await;
        for (application, token) in [(&other, hint.as_str()), (&shop(), tokens.access_token.expose())] {
            let asked = AuthorizationParameters { id_token_hint: Some(token.to_owned()), ..asks(application, "openid") };
            let refused = refusal(world.accounts.check_authorization(asked).await);
            assert!(refused.contains("error=invalid_request"), "{refused}");
        }
    }
}
