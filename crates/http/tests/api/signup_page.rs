use serde_json::json;
use vestibule::SignUpMode;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

on_both_stores! {
    async fn the_page_signs_up_and_leads_to_the_mailbox(world: World) {
        let mut browser = Browser::default();
        let page = browser.get(&world, "/signup").await;
        assert!(page.text.contains("autocomplete=\"new-password\"") && page.text.contains("autocomplete=\"username\""));
        let answer = browser.submit(&world, "/signup", &format!("email=ada%40example.org&password={PASSWORD}&user_name=")).await;
        assert_eq!(answer.leads_to(), "/check-mail");
        let cookie = answer.cookie("__Host-vestibule_signup").unwrap();
        assert!(cookie.ends_with("; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        let waiting = browser.get(&world, "/check-mail").await;
        assert!(waiting.text.contains("<bdi>ada@example.org</bdi>") && waiting.text.contains("one-time-code"));
        assert_eq!(world.mails("confirm", ADA).await, 1);
    }

    // Also for a browser that still has the form, and for clients of the API.
    async fn closed_sign_ups_are_told(world: World) {
        let mut world = world;
        for (mode, told) in [
            (SignUpMode::Invitation, "You need an invitation"), (SignUpMode::Closed, "We’re not taking new accounts"),
        ] {
            let mut browser = Browser::default();
            world.follows(|policy| policy.sign_up.mode = SignUpMode::Open).await;
            assert!(browser.get(&world, "/login").await.text.contains("href=\"/signup\""));
            browser.get(&world, "/signup").await;
            world.follows(|policy| policy.sign_up.mode = mode).await;
            let refused = browser.submit(&world, "/signup", &format!("email={ADA}&password={PASSWORD}")).await;
            assert!(refused.status == 403 && refused.text.contains(told) && !refused.text.contains("id=\"email\""), "{}", refused.text);
            let page = browser.get(&world, "/signup").await;
            assert!(page.status == 200 && page.text.contains(told), "{}", page.text);
            for path in ["/", "/login"] {
                assert!(!browser.get(&world, path).await.text.contains("href=\"/signup\""), "{path}");
            }
            assert!(!world.get("/").await.text.contains("Sign up"));
            let answer = world.post("/v1/signup", json!({"email": ADA, "password": PASSWORD})).await;
            assert_eq!(answer.problem(), (403, "sign_up_closed".to_owned()));
        }
        world.deliver().await;
        assert_eq!(world.mails("confirm", ADA).await, 0);
    }

    async fn what_is_wrong_is_told_at_its_field(world: World) {
        let mut browser = Browser::default();
        let form = "email=%22%3E%3Cscript%3E&password=short&user_name=%3Cb%3E";
        let page = browser.fills(&world, "/signup", form).await;
        assert_eq!(page.status, 422);
        assert!(page.text.contains("<title>Error: Create your account"));
        for part in [
            "href=\"#email\"", "href=\"#password\"", "href=\"#user_name\"", "aria-describedby=\"email-mistake email-hint\"",
            "aria-invalid=\"true\"", "role=\"alert\"", "at least 8 characters", "&lt;script&gt;", "&lt;b&gt;",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert!(!page.text.contains("<script>") && !page.text.contains("value=\"short\""), "no password comes back");
        let json = world.post("/signup", serde_json::json!({"email": ADA})).await;
        assert_eq!(json.problem(), (415, "unsupported_media_type".to_owned()));
    }

    // S2, S3: a free and a taken address, from the form to the end of the wait.
    async fn a_taken_address_looks_like_a_free_one(world: World) {
        world.has_account(ADA).await;
        let mut seen = Vec::new();
        for email in [ADA, "eve@example.org"] {
            let mut browser = Browser::default();
            let signed_up = browser.fills(&world, "/signup", &format!("email={email}&password={PASSWORD}")).await;
            let length = signed_up.cookie("__Host-vestibule_signup").unwrap().len();
            world.deliver().await;
            let mut steps = vec![format!("{} {length}", signed_up.leads_to())];
            let visit = async |browser: &mut Browser, steps: &mut Vec<String>, path: &str| {
                let page = browser.get(&world, path).await;
                let text = page.text.replace(email, "x").replace(&browser.form_token, "t");
                steps.push(format!("{} {text}", page.status));
            };
            visit(&mut browser, &mut steps, "/check-mail").await;
            visit(&mut browser, &mut steps, "/check-mail/state").await;
            for (path, form) in [
                ("/check-mail", "code=0000"), ("/check-mail", "code=0001"), ("/check-mail", "code=0002"),
                ("/check-mail", "code=0003"), ("/check-mail/resend", ""), ("/check-mail/continue", ""),
            ] {
                let answer = browser.submit(&world, path, form).await;
                let text = answer.text.replace(email, "x").replace(&browser.form_token, "t");
                steps.push(format!("{path} {} {} {text}", answer.status, answer.header("location")));
            }
            world.clock.advance(std::time::Duration::from_hours(1));
            let answer = browser.submit(&world, "/check-mail/resend", "").await;
            steps.push(answer.leads_to().to_owned());
            world.deliver().await;
            visit(&mut browser, &mut steps, "/check-mail?said=sent").await;
            world.clock.advance(std::time::Duration::from_hours(23));
            visit(&mut browser, &mut steps, "/check-mail").await;
            seen.push(steps);
        }
        assert!(seen[0][1].contains("Check your email") && seen[0].last().unwrap().contains("has ended"));
        for (taken, free) in seen[0].iter().zip(&seen[1]) {
            assert_eq!(taken, free);
        }
    }
}
