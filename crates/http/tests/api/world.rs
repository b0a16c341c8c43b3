//! A server without a socket: the router, a stopped clock, a mailbox.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::Response;
use data_encoding::BASE64;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vestibule::{
    Accounts, Actor, Env, Mail, MailContent, MailTransport, ManualClock, Migrator, NewUser, Operator,
    OperatorName, Policy, SecretKey, SendAttempt, SendError, Settings, Timestamp, UserOrder, UserQuery,
};
use vestibule_http::{DevFault, DevMail, DevMailbox, HttpOptions, TrustedProxies, UnknownPeer};
use vestibule_testing::TestDatabase;

pub(crate) const URL: &str = "https://accounts.example.org";
pub(crate) const PASSWORD: &str = "violet-otter-maps-42";
pub(crate) const ADA: &str = "ada@example.org";

pub(crate) struct World {
    pub(crate) accounts: Accounts,
    pub(crate) clock: ManualClock,
    pub(crate) mailbox: Mailbox,
    router: Router,
    settings: Settings,
    _database: Database,
}

enum Database {
    Sqlite { _folder: tempfile::TempDir },
    Postgres { _database: TestDatabase },
}

/// The answer of a server.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Brings an empty database to the newest version.
fn migrated(url: &str) {
    let migrate = async { Migrator::connect(&url.into()).await.unwrap().up(None).await.unwrap() };
    tokio::runtime::Runtime::new().unwrap().block_on(migrate);
}

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("vestibule.db").display());
        Self::open(&url, Database::Sqlite { _folder: folder }, SecretKey::generate()).await
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = vestibule_testing::database_like(migrated);
        let url = database.url().to_owned();
        Self::open(&url, Database::Postgres { _database: database }, SecretKey::generate()).await
    }

    async fn open(database_url: &str, database: Database, secret_key: SecretKey) -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_800_000_000_000));
        let settings = Settings {
            database_url: database_url.into(),
            secret_key,
            previous_secret_key: None,
            public_url: URL.to_owned(),
            policy: Policy::default(),
            env: Env::manual(&clock),
        };
        let accounts = Accounts::open(settings.clone()).await.unwrap();
        let mailbox = Mailbox::default();
        let router = vestibule_http::router(accounts.clone(), options(&mailbox));
        Self { accounts, clock, mailbox, router, settings, _database: database }
    }

    /// The same store and mailbox with another policy.
    pub(crate) async fn follows(&mut self, change: impl FnOnce(&mut Policy)) {
        change(&mut self.settings.policy);
        self.accounts = Accounts::open(self.settings.clone()).await.unwrap();
        self.router = vestibule_http::router(self.accounts.clone(), options(&self.mailbox));
    }

    /// The same store and mailbox at another public URL.
    pub(crate) async fn moves_to(&mut self, url: &str) {
        url.clone_into(&mut self.settings.public_url);
        self.follows(|_| {}).await;
    }

    /// The same accounts, as a command of this account of the operating system changes them.
    pub(crate) async fn operated_by(&self, name: &str) -> Accounts {
        let operator = Operator { name: OperatorName::new(name).unwrap(), reason: None };
        let env = self.settings.env.clone().operated_by(operator);
        Accounts::open(Settings { env, ..self.settings.clone() }).await.unwrap()
    }

    /// The same accounts behind a router with other options.
    pub(crate) fn router_with(&mut self, options: HttpOptions) {
        self.router = vestibule_http::router(self.accounts.clone(), options);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_text(path, body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn post_with(&self, path: &str, body: Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    pub(crate) async fn post_form(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(body.to_owned().into()).unwrap()).await
    }

    pub(crate) async fn get_as(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post_as(&self, path: &str, token: &str) -> Answer {
        let request = Request::post(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A request with a token, and optionally a JSON body.
    pub(crate) async fn send_as(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or(Body::empty(), |body| body.to_string().into());
        self.send(request.body(body).unwrap()).await
    }

    /// Sends a code with HTTP Basic.
    pub(crate) async fn sends_code(&self, email: &str, password: &str, code: &str) -> Answer {
        let body = json!({"code": code}).to_string();
        let request = Request::post("/v1/confirm/code")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, basic(&format!("{email}:{password}")));
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Signs up; returns the mail.
    pub(crate) async fn signs_up(&self, email: &str) -> DevMail {
        let answer = self.post("/v1/signup", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        self.newest_mail(email).await
    }

    /// The newest mail to this address, after all mails were sent. Mails sent together are in no particular order.
    pub(crate) async fn newest_mail(&self, to: &str) -> DevMail {
        self.deliver().await;
        self.mailbox.list().into_iter().find(|mail| mail.to == to).expect("a mail")
    }

    /// An active account.
    pub(crate) async fn has_account(&self, email: &str) {
        let mail = self.signs_up(email).await;
        let answer = self.sends_code(email, PASSWORD, &mail.code.unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.deliver().await;
    }

    /// An active account with the role `admin`.
    pub(crate) async fn has_admin(&self, email: &str) {
        self.has_user(email, &["admin"]).await;
    }

    /// An active account with these roles.
    pub(crate) async fn has_user(&self, email: &str, roles: &[&str]) {
        let user = NewUser {
            display_name: None,
            email: email.parse().unwrap(),
            password: vestibule::Password::new(PASSWORD).unwrap(),
            user_name: None,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        self.accounts.create_user(Actor::Operator, user).await.unwrap();
    }

    /// The body of a successful sign-in.
    pub(crate) async fn signs_in(&self, email: &str) -> Value {
        let answer = self.post("/v1/login", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn access_token(&self, email: &str) -> String {
        self.signs_in(email).await["access_token"].as_str().unwrap().to_owned()
    }

    /// The token of the newest mail of this kind to this address, after all mails were sent.
    pub(crate) async fn mailed_token(&self, kind: &str, to: &str) -> String {
        self.deliver().await;
        let mail = self.mailbox.list().into_iter().find(|mail| mail.to == to && mail.subject == kind);
        let link = mail.unwrap_or_else(|| panic!("no {kind} to {to}")).link.unwrap();
        link.split_once("?token=").unwrap().1.to_owned()
    }

    /// The address of the account that was created first.
    pub(crate) async fn accounts_email(&self) -> String {
        let query = UserQuery { order: UserOrder::Oldest, ..UserQuery::default() };
        let page = self.accounts.list_users(Actor::Operator, &query).await.unwrap();
        page.items[0].account.email.as_str().to_owned()
    }

    /// The mails of this kind to this address so far.
    pub(crate) async fn mails(&self, kind: &str, to: &str) -> usize {
        self.deliver().await;
        self.mailbox.list().into_iter().filter(|mail| mail.to == to && mail.subject == kind).count()
    }

    /// Runs the mail worker until nothing is due.
    pub(crate) async fn deliver(&self) {
        while self.accounts.deliver(&self.mailbox).await.unwrap().sent > 0 {}
    }
}

impl Answer {
    /// Reads a response, which must not be an internal error.
    pub(crate) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let answer = Self { status: parts.status.as_u16(), headers: parts.headers, text };
        assert!(answer.status < 500, "{} {}", answer.status, answer.text);
        answer
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("JSON, not {:?}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is a complete problem and returns its status and code.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let body = self.json();
        let code = body["code"].as_str().unwrap().to_owned();
        assert_eq!(body["type"], format!("{URL}/docs/errors/{code}"));
        assert_eq!(body["status"], self.status);
        assert_eq!(body["request_id"], self.header("x-request-id"));
        assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
        (self.status, code)
    }

    /// The pointers and codes of a `validation_failed`, as `/email email_invalid`, sorted.
    pub(crate) fn field_errors(&self) -> Vec<String> {
        assert_eq!(self.problem(), (422, "validation_failed".to_owned()));
        let errors = self.json()["errors"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut errors: Vec<_> = errors
            .iter()
            .map(|error| format!("{} {}", text(&error["pointer"]), text(&error["code"])))
            .collect();
        errors.sort();
        errors
    }
}

/// The value of a Basic header.
pub(crate) fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64.encode(credentials.as_bytes()))
}

/// A request of a client with this address.
pub(crate) fn from(peer: &str, mut request: Request<Body>) -> Request<Body> {
    let peer: SocketAddr = format!("{peer}:4711").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("accounts.example.org"));
    request
}

/// Keeps its mails, newest first.
#[derive(Clone)]
pub(crate) struct Mailbox(Arc<Mutex<Vec<DevMail>>>, Arc<Mutex<DevFault>>);

impl Default for Mailbox {
    fn default() -> Self {
        Self(Arc::default(), Arc::new(Mutex::new(DevFault::None)))
    }
}

impl MailTransport for Mailbox {
    async fn send(&self, mail: &Mail, _: &SendAttempt) -> Result<(), SendError> {
        let (code, link) = match &mail.content {
            MailContent::Confirm { code, link, .. } => (code.clone(), link.clone()),
            MailContent::PasswordReset { link, .. }
            | MailContent::EmailChange { link, .. }
            | MailContent::EmailUndo { link, .. }
            | MailContent::Invitation { link, .. }
            | MailContent::Enrolment { link, .. }
            | MailContent::MoveIn { link, .. }
            | MailContent::ChoosePassword { link, .. } => (None, Some(link.clone())),
            _ => (None, None),
        };
        let text = |secret: vestibule::Secret| secret.expose().to_owned();
        let kept = DevMail {
            number: u64::try_from(self.0.lock().unwrap().len()).unwrap() + 1,
            to: mail.to.as_str().to_owned(),
            subject: mail.content.kind().to_owned(),
            text: "The text of the mail.".to_owned(),
            html: "<p>The HTML of the mail.</p>".to_owned(),
            source: "Subject: x".to_owned(),
            created_at: mail.created_at,
            code: code.map(text),
            link: link.map(text),
        };
        self.0.lock().unwrap().insert(0, kept);
        Ok(())
    }
}

impl DevMailbox for Mailbox {
    fn list(&self) -> Vec<DevMail> {
        self.0.lock().unwrap().clone()
    }

    fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    fn fault(&self) -> DevFault {
        *self.1.lock().unwrap()
    }

    fn set_fault(&self, fault: DevFault) {
        *self.1.lock().unwrap() = fault;
    }

    fn latest<'a>(
        &'a self,
        to: &'a str,
        _: Duration,
    ) -> Pin<Box<dyn Future<Output = Option<DevMail>> + Send + 'a>> {
        Box::pin(async move { self.list().into_iter().find(|mail| mail.to == to) })
    }
}

/// Most requests of the tests have no peer address; [`from`] sets one.
pub(crate) fn proxies() -> TrustedProxies {
    TrustedProxies::parse(&["10.0.0.0/8"]).unwrap().with_unknown_peers(UnknownPeer::IsUnlimited)
}

/// The options of the worlds of the tests.
pub(crate) fn options(mailbox: &Mailbox) -> HttpOptions {
    HttpOptions { dev: Some(Arc::new(mailbox.clone())), ..without_mailbox() }
}

/// The options of a server in production.
pub(crate) fn without_mailbox() -> HttpOptions {
    HttpOptions { trusted_proxies: proxies(), ..HttpOptions::default() }
}
