use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

async fn posts(world: &World, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

on_both_stores! {
    // B2: the forms of our pages are sent by our pages.
    async fn a_form_of_another_site_does_nothing(world: World) {
        let token = world.signs_up(ADA).await.link.unwrap().split_once("token=").unwrap().1.to_owned();
        let form = format!("token={token}&password={PASSWORD}&new_password={PASSWORD}&email={ADA}");
        for path in ["/confirm", "/confirm/resend", "/forgot", "/reset", "/email/confirm", "/email/undo", "/invitation", "/setup"] {
            for headers in [
                &[("sec-fetch-site", "cross-site")][..],
                &[("sec-fetch-site", "same-site")],
                &[("origin", "https://evil.example")],
                &[("origin", "https://accounts.example.org.evil.example")],
                &[("sec-fetch-site", "cross-site"), ("origin", "null")],
            ] {
                let answer = posts(&world, path, &form, headers).await;
                assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{path} {headers:?}");
            }
        }
        let login = world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!(login.problem().1, "email_not_confirmed");
        // What browsers send from our own page, whose referrer policy makes the origin `null`.
        let own = [("sec-fetch-site", "same-origin"), ("origin", "null")];
        assert_eq!(posts(&world, "/confirm", &form, &own).await.status, 200);
        for headers in [&[("origin", "https://accounts.example.org")][..], &[("origin", "null")], &[]] {
            assert_eq!(posts(&world, "/forgot", "email=ada@example.org", headers).await.status, 200, "{headers:?}");
        }
    }

    // A foreign page may open ours: that is what a mail on the web does.
    async fn a_page_opens_from_anywhere(world: World) {
        for path in ["/confirm?token=x", "/reset?token=x", "/email/confirm?token=x", "/email/undo?token=x", "/forgot"] {
            let request = Request::get(path).header("sec-fetch-site", "cross-site");
            assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 200, "{path}");
        }
    }
}
