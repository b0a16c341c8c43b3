//! Applications that speak for themselves.

use super::*;
use crate::on_both_stores;
use vestibule::{Scopes, Secret};

on_both_stores! {
    // B17, RFC 6749 §4.4: only what is registered, and only as long as it is.
    async fn a_machine_gets_what_it_is_registered_for(world: &World) {
        let by = world.has_application(&shop()).await;
        let tokens = world.accounts.machine_token(&by, None, Some(API.to_owned())).await.unwrap();
        assert!(tokens.refresh_token.is_none() && tokens.id_token.is_none());
        let machine = claims(&tokens.access_token);
        assert_eq!((&machine["sub"], &machine["client_id"]), (&"shop".into(), &"shop".into()));
        assert_eq!((&machine["aud"], &machine["scope"]), (&API.into(), &"stock".into()));
        assert!(machine.get("sid").is_none());
        let access = world.accounts.authenticate_access(tokens.access_token.expose()).await.unwrap();
        assert!(access.user.is_none());
        // A machine is nobody's account.
        assert_eq!(refusal(world.accounts.authenticate(tokens.access_token.expose()).await), "Invalid");
        assert_eq!(refusal(world.accounts.user_info(tokens.access_token.expose()).await), "InsufficientScope");
        let asks = |scopes: &str| scopes.parse::<Scopes>().unwrap();
        let more = world.accounts.machine_token(&by, Some(&asks("stock orders")), None).await;
        assert_eq!(refusal(more), "Scope");
        assert_eq!(refusal(world.accounts.machine_token(&by, Some(&asks("openid")), None).await), "Scope");
        let elsewhere = world.accounts.machine_token(&by, None, Some("https://evil.example".to_owned())).await;
        assert_eq!(refusal(elsewhere), "Target");
        let less = Application { machine_scopes: asks("reports"), ..shop() };
        world.accounts.update_application(Actor::Operator, less).await.unwrap();
        assert_eq!(refusal(world.accounts.authenticate_access(tokens.access_token.expose()).await), "Invalid");
    }

    async fn a_public_application_speaks_for_nobody(world: &World) {
        let by = world.has_application(&game()).await;
        assert_eq!(refusal(world.accounts.machine_token(&by, None, None).await), "Unauthorized");
    }

    // Two secrets at a time, so that one can be exchanged without a gap.
    async fn a_secret_is_exchanged_without_a_gap(world: &World) {
        let id = shop().id;
        let first = world.accounts.create_application(Actor::Operator, shop()).await.unwrap().unwrap();
        let is = |secret: &Secret| {
            let (accounts, secret) = (world.accounts.clone(), secret.clone());
            async move { accounts.authenticate_application("shop", Some(&secret)).await.is_ok() }
        };
        let rotate = || world.accounts.rotate_application_secret(Actor::Operator, &id);
        world.advance(seconds(1));
        let second = rotate().await.unwrap();
        assert!(is(&first).await && is(&second).await);
        world.advance(seconds(1));
        let third = rotate().await.unwrap();
        assert!(!is(&first).await && is(&second).await && is(&third).await);
        world.accounts.drop_old_application_secret(Actor::Operator, &id).await.unwrap();
        assert!(!is(&second).await && is(&third).await);
        assert!(world.accounts.authenticate_application("shop", None).await.is_err());
        assert!(world.accounts.authenticate_application("shop", Some(&"".into())).await.is_err());
        assert!(world.accounts.authenticate_application("unknown", Some(&third)).await.is_err());
    }
}
