//! Mails to send, and servers on loopback that receive them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use vestibule::{Mail, MailContent, Place, Secret, SecurityEvent, Timestamp};
use vestibule_mail::{Letter, Look, Mailer, MailerConfig, Transport};

pub(crate) const LINK: &str = "https://example.org/confirm?a=1&b=<2>#token=sEcReT'\"";
pub(crate) const CODE: &str = "4711";
pub(crate) const ESCAPED_LINK: &str =
    "https://example.org/confirm?a=1&amp;b=&lt;2&gt;#token=sEcReT&#39;&quot;";
pub(crate) const SIGN_IN: &str = "https://example.net/sign-in";
pub(crate) const FORGOT: &str = "https://example.net/forgot";
pub(crate) const ACCOUNT: &str = "https://example.net/account";
pub(crate) const PASSKEY: &str = "Ada's <phone>";
pub(crate) const ESCAPED_PASSKEY: &str = "Ada&#39;s &lt;phone&gt;";
pub(crate) const APPLICATION: &str = "Field <Notes>";
pub(crate) const ESCAPED_APPLICATION: &str = "Field &lt;Notes&gt;";
pub(crate) const OWN_SCOPE: &str = "orders:<read>";
pub(crate) const DEVICE: &str = "Firefox · Linux";
pub(crate) const IP: &str = "203.0.113.7";
/// The languages of the mails.
pub(crate) const LOCALES: [&str; 5] = ["ar", "de", "en", "es", "fr"];

pub(crate) fn mail(to: &str, locale: Option<&str>, content: MailContent) -> Mail {
    Mail {
        id: "msg_0123456789abcdefghijklmno0".parse().unwrap(),
        to: to.parse().unwrap(),
        locale: locale.map(str::to_owned),
        created_at: Timestamp::from_millis(1_700_000_000_123),
        content,
    }
}

pub(crate) fn confirm() -> MailContent {
    MailContent::Confirm {
        link: Some(Secret::from(LINK)),
        code: Some(Secret::from(CODE)),
        code_lifetime: Duration::from_mins(1),
        link_expires_at: Timestamp::from_millis(1_700_086_400_000),
    }
}

pub(crate) fn contents() -> Vec<MailContent> {
    let sign_in = || SIGN_IN.to_owned();
    let mut contents = vec![
        confirm(),
        MailContent::AlreadyRegistered { sign_in: sign_in() },
        MailContent::Welcome { sign_in: sign_in() },
        MailContent::Test,
    ];
    contents.extend(alarms(&place()));
    contents.extend(links(LINK));
    contents.extend(events().map(notice));
    contents.push(factor_due());
    contents
}

/// Everything that a notice can be about, with few recovery codes left and with many.
pub(crate) fn events() -> [SecurityEvent; 12] {
    let passkey = || PASSKEY.to_owned();
    [
        SecurityEvent::PasskeyAdded(passkey()),
        SecurityEvent::PasskeyRemoved(passkey()),
        SecurityEvent::PasskeyCounterWentBack(passkey()),
        SecurityEvent::AuthenticatorAdded,
        SecurityEvent::AuthenticatorRemoved,
        SecurityEvent::RecoveryCodesMade,
        SecurityEvent::RecoveryCodeUsed(3),
        SecurityEvent::RecoveryCodeUsed(4),
        SecurityEvent::PasswordRemoved,
        SecurityEvent::FactorsReset,
        SecurityEvent::SecondFactorFailed,
        allowed(),
    ]
}

/// An application was let in, for everything there is and for something of its own.
pub(crate) fn allowed() -> SecurityEvent {
    let scopes = ["email", "offline_access", "openid", OWN_SCOPE, "profile"].map(str::to_owned).to_vec();
    SecurityEvent::ApplicationAllowed { name: APPLICATION.to_owned(), scopes }
}

/// The notice about it, from a place that is known.
pub(crate) fn notice(event: SecurityEvent) -> MailContent {
    let (account, forgot) = (ACCOUNT.to_owned(), FORGOT.to_owned());
    MailContent::SecurityNotice { event, place: place(), account, forgot }
}

/// [`DEVICE`] at [`IP`].
pub(crate) fn place() -> Place {
    let device = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    Place { device: Some(device.to_owned()), ip: Some(IP.to_owned()) }
}

/// What the owner of an account is told at once.
pub(crate) fn alarms(place: &Place) -> [MailContent; 3] {
    let forgot = || FORGOT.to_owned();
    [
        MailContent::PasswordChanged { place: place.clone(), forgot: forgot() },
        MailContent::FailedSignIns { place: place.clone(), forgot: forgot() },
        MailContent::RefreshReused { place: place.clone(), forgot: forgot() },
    ]
}

/// A second factor is due the day after.
pub(crate) fn factor_due() -> MailContent {
    let due_at = Timestamp::from_millis(1_700_086_400_000);
    MailContent::SecondFactorDue { due_at, account: ACCOUNT.to_owned() }
}

/// The mails that are useless without their link.
pub(crate) fn links(link: &str) -> [MailContent; 7] {
    let link = || Secret::from(link);
    let link_expires_at = Timestamp::from_millis(1_700_086_400_000);
    [
        MailContent::PasswordReset { link: link(), link_expires_at, place: place() },
        MailContent::EmailChange { link: link(), link_expires_at },
        MailContent::EmailUndo { link: link(), link_expires_at, place: place() },
        MailContent::Invitation { link: link(), link_expires_at },
        MailContent::ChoosePassword { link: link(), link_expires_at },
        MailContent::MoveIn { link: link(), link_expires_at },
        MailContent::Enrolment { link: link(), link_expires_at },
    ]
}

pub(crate) fn confirmation() -> Mail {
    mail("ada@example.org", None, confirm())
}

pub(crate) fn config() -> MailerConfig {
    MailerConfig {
        from: "Exämple, Inc. <no-reply@example.net>".parse().unwrap(),
        site_name: "Fish & Chips".to_owned(),
        public_url: "https://example.net/".to_owned(),
        look: Look::default(),
        templates: None,
    }
}

pub(crate) fn mailer(url: &str) -> Mailer {
    Mailer::new(config(), Transport::from_url(&Secret::from(url)).unwrap()).unwrap()
}

pub(crate) fn render(mail: &Mail) -> Letter {
    mailer("memory:").render(mail).unwrap()
}

/// A relay that answers by a script and records what it receives.
pub(crate) struct Relay {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

/// Closes the connection instead of answering.
pub(crate) const DROP: &str = "DROP";
/// Never answers.
pub(crate) const SILENCE: &str = "SILENCE";

impl Relay {
    /// Answers `250 ok` unless the script has an answer for the verb; `HELLO` is the greeting, `BODY` the end of a
    /// message, `MAIL AGAIN` a further message on the same connection.
    pub(crate) async fn start(script: &[(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let script: HashMap<_, _> = script.iter().copied().collect();
        tokio::spawn(serve(listener, script, Arc::clone(&seen)));
        Self { port, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Every line received, `*` for a new connection.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(
    listener: TcpListener,
    script: HashMap<&'static str, &'static str>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        seen.lock().unwrap().push("*".to_owned());
        tokio::spawn(talk(stream, script.clone(), Arc::clone(&seen)));
    }
}

async fn talk(stream: TcpStream, script: HashMap<&'static str, &'static str>, seen: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    let (mut verb, mut messages) = ("HELLO".to_owned(), 0);
    loop {
        let usual = match verb.as_str() {
            "HELLO" => "220 relay.example.org",
            "EHLO" => "250-relay.example.org\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => "235 ok",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        let again = script.get(format!("{verb} AGAIN").as_str()).filter(|_| messages > 0);
        let answer = *again.or(script.get(verb.as_str())).unwrap_or(&usual);
        messages += i32::from(verb == "BODY");
        if answer == SILENCE {
            std::future::pending::<()>().await;
        }
        if answer == DROP || stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
        let in_message = answer.starts_with("354");
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            seen.lock().unwrap().push(line.trim_end().to_owned());
            if !in_message || line == ".\r\n" {
                break;
            }
        }
        verb = if in_message { "BODY".to_owned() } else { line[..4].to_ascii_uppercase() };
    }
}

/// One request as a provider sees it.
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

/// A provider that gives one answer and returns the request.
pub(crate) struct Provider {
    pub(crate) address: String,
    request: tokio::task::JoinHandle<Request>,
}

impl Provider {
    pub(crate) async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let request = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let request = read(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            request
        });
        Self { address, request }
    }

    /// Whether nobody has sent it a request.
    pub(crate) fn was_not_asked(&self) -> bool {
        !self.request.is_finished()
    }

    pub(crate) async fn request(self) -> Request {
        self.request.await.unwrap()
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Request {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let line = lines.remove(0);
    let headers = lines.iter().filter_map(|line| line.split_once(": "));
    let headers: HashMap<_, _> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    Request { line, headers, body: String::from_utf8(body).unwrap() }
}
