//! A browser as seen by the server: it keeps cookies and sends the forms it was shown.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};

use crate::world::{Answer, PASSWORD, World, from};

/// One browser, or one private window of it.
#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
    /// Its IP address; `None` unless a limit is being tested.
    pub(crate) ip: Option<&'static str>,
    /// The token of the last page shown.
    pub(crate) form_token: String,
}

impl Browser {
    /// A browser in which a user has just signed in.
    pub(crate) async fn signed_in(world: &World, email: &str) -> Self {
        let mut browser = Self::default();
        let answer = browser.fills(world, "/login", &format!("login={email}&password={PASSWORD}")).await;
        assert_eq!(answer.leads_to(), "/account");
        browser
    }

    pub(crate) async fn get(&mut self, world: &World, path: &str) -> Answer {
        self.ask(world, Request::get(path)).await
    }

    /// Sends a request from this browser, which is answered with a page.
    pub(crate) async fn ask(&mut self, world: &World, request: axum::http::request::Builder) -> Answer {
        let request = self.with_cookies(request).header(header::ACCEPT, "text/html,*/*;q=0.8");
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        self.keep(&answer);
        answer
    }

    /// Sends the form of the last page shown, and does not follow the redirect.
    pub(crate) async fn submit(&mut self, world: &World, path: &str, fields: &str) -> Answer {
        let form = format!("form_token={}&{fields}", self.form_token);
        self.post(world, path, &form, &[("sec-fetch-site", "same-origin"), ("origin", "null")]).await
    }

    /// Sends this form.
    pub(crate) async fn post(
        &mut self,
        world: &World,
        path: &str,
        form: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = self.with_cookies(request).body(Body::from(form.to_owned())).unwrap();
        let answer = world.send(self.ip.into_iter().fold(request, |request, ip| from(ip, request))).await;
        self.keep(&answer);
        answer
    }

    /// Opens a page and sends its form.
    pub(crate) async fn fills(&mut self, world: &World, path: &str, fields: &str) -> Answer {
        self.get(world, path).await;
        self.submit(world, path, fields).await
    }

    fn with_cookies(&self, request: axum::http::request::Builder) -> axum::http::request::Builder {
        let all: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if all.is_empty() { request } else { request.header(header::COOKIE, all.join("; ")) }
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = line.to_str().unwrap().split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let shown = answer.text.split_once("name=\"form_token\" value=\"");
        if let Some((_, rest)) = shown {
            rest.split('"').next().unwrap().clone_into(&mut self.form_token);
        }
    }
}

impl Answer {
    /// The cookie of this name in `Set-Cookie`.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        lines.into_iter().find(|line| line.starts_with(&format!("{name}=")))
    }

    /// The target of the redirect.
    #[track_caller]
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        self.header("location")
    }
}
