//! The world of a story: accounts on a private database, a clock that the story moves, and a mailbox.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use vestibule::{
    Account, Accounts, Actor, Client, Code, ConfirmError, Email, Env, Expected, Login, Mail, MailContent,
    MailTransport, ManualClock, Migrator, NewUser, Password, Pending, Policy, SecretKey, SendAttempt,
    SendError, Settings, SignInError, SignUp, SignUpError, SignedIn, Terms, Timestamp, Tokens, UserRef,
};
use vestibule_testing::TestDatabase;

/// A password that every rule accepts.
pub(crate) const PASSWORD: &str = "violet-otter-maps-42";
/// Another one.
pub(crate) const OTHER_PASSWORD: &str = "copper-lamp-river-77";

pub(crate) struct World {
    pub(crate) accounts: Accounts,
    pub(crate) clock: ManualClock,
    pub(crate) mailbox: Mailbox,
    pub(crate) settings: Settings,
    /// Kept until the end: dropping its guard drops a database.
    database: Database,
}

enum Database {
    Sqlite(tempfile::TempDir),
    Postgres(TestDatabase),
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
        Self::open(&url, Database::Sqlite(folder)).await
    }

    pub(crate) async fn on_postgres() -> Self {
        Self::on(vestibule_testing::database_like(migrated)).await
    }

    pub(crate) async fn on(database: TestDatabase) -> Self {
        let url = database.url().to_owned();
        Self::open(&url, Database::Postgres(database)).await
    }

    /// On a database reached by another URL than its own, with another policy.
    pub(crate) async fn reached_by(
        url: &str,
        database: TestDatabase,
        change: impl FnOnce(&mut Policy),
    ) -> Self {
        Self::open_with(url, Database::Postgres(database), change).await
    }

    async fn open(url: &str, database: Database) -> Self {
        Self::open_with(url, database, |_| {}).await
    }

    async fn open_with(url: &str, database: Database, change: impl FnOnce(&mut Policy)) -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_800_000_000_000));
        let mut policy = Policy::default();
        // No story should be refused because the machine is busy; the story of a full queue sets its own.
        policy.hash.queue = 1000;
        change(&mut policy);
        let settings = Settings {
            database_url: url.into(),
            secret_key: SecretKey::generate(),
            previous_secret_key: None,
            public_url: "https://accounts.example.org".to_owned(),
            policy,
            env: Env::manual(&clock),
        };
        let accounts = Accounts::open(settings.clone()).await.unwrap();
        Self { accounts, clock, mailbox: Mailbox::default(), settings, database }
    }

    /// Another instance on the same database: with its own memory, as after a restart or on another machine.
    pub(crate) async fn another_instance(&self) -> Accounts {
        self.instance_with(|_| {}).await
    }

    /// Another instance whose policy differs.
    pub(crate) async fn instance_with(&self, change: impl FnOnce(&mut Policy)) -> Accounts {
        let mut settings = self.settings.clone();
        change(&mut settings.policy);
        Accounts::open(settings).await.unwrap()
    }

    /// The underlying PostgreSQL database, for stories about PostgreSQL.
    pub(crate) fn postgres(&self) -> &TestDatabase {
        match &self.database {
            Database::Postgres(database) => database,
            Database::Sqlite(_) => panic!("this world is on SQLite"),
        }
    }

    /// Runs one statement bypassing the library, and counts the rows it returns.
    pub(crate) fn sql(&self, statement: &str) -> usize {
        match &self.database {
            Database::Postgres(database) => database.rows(statement).len(),
            Database::Sqlite(folder) => {
                let connection = rusqlite::Connection::open(folder.path().join("vestibule.db")).unwrap();
                let mut prepared = connection.prepare(statement).unwrap();
                let mut rows = prepared.query([]).unwrap();
                std::iter::from_fn(|| rows.next().unwrap().map(|_| ())).count()
            }
        }
    }

    /// A literal of bytes in the database's SQL dialect.
    pub(crate) fn bytes(&self, hex: &str) -> String {
        match &self.database {
            Database::Postgres(_) => format!("'\\x{hex}'"),
            Database::Sqlite(_) => format!("x'{hex}'"),
        }
    }

    /// No story ends with a message that was queued and not sent, or sent and not looked at.
    pub(crate) async fn finish(self) {
        let waiting = self.accounts.health().await.unwrap().mails_waiting;
        assert_eq!(waiting, 0, "the story left messages in the outbox");
        let unread: Vec<_> =
            self.mailbox.0.lock().unwrap().mails.iter().map(|mail| mail.content.kind()).collect();
        assert!(unread.is_empty(), "the story left mail unread: {unread:?}");
    }

    pub(crate) async fn signs_up_with(&self, email: &str, password: &str) -> Result<Pending, SignUpError> {
        let pending = self.accounts.sign_up(wish(email, password), &client()).await;
        self.deliver().await;
        pending
    }

    pub(crate) async fn signs_up(&self, email: &str) -> Letter {
        self.signs_up_with(email, PASSWORD).await.unwrap();
        self.letter_to(email)
    }

    /// Creates an account, from sign-up to welcome.
    pub(crate) async fn has_account(&self, email: &str) -> Account {
        let letter = self.signs_up(email).await;
        let account = self.confirms(email, PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(self.kinds_to(email), ["welcome"]);
        account
    }

    /// The operator makes an administrator, who signs in.
    pub(crate) async fn has_administrator(&self) -> SignedIn {
        let email = "root@example.org";
        let new = NewUser {
            email: address(email),
            password: password(PASSWORD),
            user_name: None,
            display_name: None,
            roles: vec!["admin".to_owned()],
        };
        self.accounts.create_user(Actor::Operator, new).await.unwrap();
        self.session_of(email).await
    }

    /// The operator deletes the user of the address.
    pub(crate) async fn deletes(&self, email: &str) {
        let user = UserRef::Email(address(email));
        self.accounts.delete_user(Actor::Operator, &user, &Expected::Any, None).await.unwrap();
    }

    pub(crate) async fn confirms(
        &self,
        email: &str,
        password: &str,
        code: &str,
    ) -> Result<Account, ConfirmError> {
        let confirmed = confirm(&self.accounts, email, password, code).await;
        self.deliver().await;
        confirmed
    }

    pub(crate) async fn clicks(&self, token: &str, password: Option<&str>) -> Result<Account, ConfirmError> {
        let password = password.map(self::password);
        let confirmed =
            self.accounts.confirm_by_link(token, password.as_ref(), None, Terms::Unanswered, &client()).await;
        self.deliver().await;
        confirmed
    }

    pub(crate) async fn asks_again(&self, email: &str) {
        self.accounts.resend(&address(email), &client()).await.unwrap();
        self.deliver().await;
    }

    pub(crate) async fn signs_in(&self, email: &str, password: &str) -> Result<Tokens, SignInError> {
        self.accounts.sign_in(&Login::Email(address(email)), &self::password(password), &client()).await
    }

    /// Runs the mail worker until nothing is due.
    pub(crate) async fn deliver(&self) {
        loop {
            let step = self.accounts.deliver(&self.mailbox).await.unwrap();
            if step.sent + step.dropped + step.delayed + step.failed == 0 {
                break;
            }
        }
    }

    /// The one unread confirmation mail to this address.
    pub(crate) fn letter_to(&self, email: &str) -> Letter {
        let mut mails = self.take_mails_to(email);
        assert_eq!(mails.len(), 1, "one mail to {email}");
        Letter::from(mails.remove(0))
    }

    /// The kinds of the unread mails to this address, oldest first.
    pub(crate) fn kinds_to(&self, email: &str) -> Vec<&'static str> {
        self.take_mails_to(email).iter().map(|mail| mail.content.kind()).collect()
    }

    pub(crate) fn take_mails_to(&self, email: &str) -> Vec<Mail> {
        let mut box_ = self.mailbox.0.lock().unwrap();
        let (taken, kept) = box_.mails.drain(..).partition(|mail| mail.to == address(email));
        box_.mails = kept;
        taken
    }

    pub(crate) fn advance(&self, length: Duration) {
        self.clock.advance(length);
    }
}

/// The contents of a confirmation mail.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) token: Option<String>,
    code: Option<String>,
    pub(crate) mail: Mail,
}

impl Letter {
    pub(crate) fn code(&self) -> String {
        self.code.clone().expect("the mail carries a code")
    }

    pub(crate) fn has_code(&self) -> bool {
        self.code.is_some()
    }

    pub(crate) fn token(&self) -> String {
        self.token.clone().expect("the mail carries a link")
    }

    /// A code of the same length that is not this one.
    pub(crate) fn wrong_code(&self) -> String {
        let right: u32 = self.code().parse().unwrap();
        format!("{:04}", (right + 1) % 10_000)
    }
}

impl From<Mail> for Letter {
    fn from(mail: Mail) -> Self {
        let MailContent::Confirm { link, code, .. } = &mail.content else {
            panic!("a confirmation mail, not {:?}", mail.content.kind());
        };
        let base = "https://accounts.example.org/confirm?token=";
        let token = link.as_ref().map(|link| link.expose().strip_prefix(base).unwrap().to_owned());
        let code = code.as_ref().map(|code| code.expose().to_owned());
        Self { token, code, mail }
    }
}

/// A transport that keeps its mails, or fails as told.
#[derive(Clone, Default)]
pub(crate) struct Mailbox(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    mails: Vec<Mail>,
    fault: Option<SendError>,
}

impl Mailbox {
    pub(crate) fn fails(&self, fault: SendError) {
        self.0.lock().unwrap().fault = Some(fault);
    }

    pub(crate) fn put(&self, mail: &Mail) {
        self.0.lock().unwrap().mails.push(mail.clone());
    }

    pub(crate) fn works_again(&self) {
        self.0.lock().unwrap().fault = None;
    }
}

impl MailTransport for Mailbox {
    async fn send(&self, mail: &Mail, attempt: &SendAttempt) -> Result<(), SendError> {
        let fault = self.0.lock().unwrap().fault.clone();
        if let Some(fault) = fault {
            return Err(fault);
        }
        attempt.leaves().await?;
        self.put(mail);
        Ok(())
    }
}

pub(crate) async fn confirm(
    accounts: &Accounts,
    email: &str,
    password: &str,
    code: &str,
) -> Result<Account, ConfirmError> {
    let code: Code = code.parse().unwrap();
    accounts.confirm_by_code(&address(email), &self::password(password), &code, None, &client()).await
}

pub(crate) fn wish(email: &str, password: &str) -> SignUp {
    SignUp {
        email: address(email),
        password: self::password(password),
        user_name: None,
        display_name: None,
        locale: None,
        data: serde_json::Map::new(),
        terms: Terms::Unanswered,
        idempotency_key: None,
    }
}

pub(crate) fn address(text: &str) -> Email {
    text.parse().unwrap()
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

pub(crate) fn client() -> Client {
    client_at("192.0.2.1")
}

pub(crate) fn client_at(ip: &str) -> Client {
    Client { ip: Some(ip.parse().unwrap()), user_agent: Some("story".to_owned()), device_token: None }
}

/// The error of a refused operation, by its name and figures.
pub(crate) fn refusal<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, E>) -> String {
    let error = format!("{:?}", result.unwrap_err());
    // The sign-up behind an `Unconfirmed` differs each time.
    if error.starts_with("Unconfirmed(") { "Unconfirmed".to_owned() } else { error }
}

pub(crate) const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

pub(crate) const fn hours(number: u64) -> Duration {
    Duration::from_secs(number * 3600)
}
