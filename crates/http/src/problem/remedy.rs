//! What would have worked instead of a refused request: for developers, who see it in development mode.

use crate::catalogue::Code;

/// What to do about a refusal. Requests are those of described routes, as method and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The mistake is not the sender's.
    Nothing,
    /// The same request, as its route is described.
    Same(&'static str),
    /// Another request.
    Request(&'static str, &'static str, &'static str),
    /// A command of the program.
    Command(&'static str, &'static str),
    /// The role that is missing, given by a command.
    Role,
    /// The described route whose path is nearest.
    Nearest,
    /// The same path with a method that it knows.
    Methods,
    /// Patience, or another setting.
    Wait,
    /// The same request with other values in the fields that were refused.
    Fields,
    /// For a field: a value, as JSON, or what to do with it.
    Value(&'static str),
}

const MAILBOX: &str = "/dev/mail/latest?to=ada@example.org";
const OPTIONS: &str = "/v1/login/passkey/options";

/// Declares the remedy for each code. The list is closed: a new code does not compile without one.
macro_rules! remedies {
    ($($($code:ident)|+ => $remedy:expr;)*) => {
        /// The remedy for a code.
        pub(crate) const fn remedy(code: Code) -> Remedy {
            use Remedy::{Command, Fields, Methods, Nearest, Nothing, Request, Role, Same, Value, Wait};
            match code { $($(Code::$code)|+ => $remedy,)* }
        }
    };
}

remedies! {
    MalformedJson => Same("send one JSON object in UTF-8");
    InvalidRequest => Same("send each header and each parameter once");
    AuthenticationRequired | InvalidToken =>
        Request("POST", "/v1/login", "sign in, and send the `access_token` as `Authorization: Bearer …`");
    InvalidCredentials =>
        Command("vestibule user create --email ada@example.org", "sign in as somebody with a confirmed address");
    InvalidClient => Command(
        "vestibule client add shop --name Shop --redirect-uri https://shop.example.org/callback",
        "authenticate as a registered client, e.g. with HTTP Basic; this registers one and shows its secret");
    InsufficientScope =>
        Request("POST", "/v1/login", "use the `access_token` of a sign-in to this service instead of a client's");
    ReauthenticationRequired => Request("POST", "/v1/me/verify", "prove who you are, and repeat the request");
    SecondFactorRequired =>
        Request("POST", "/v1/login/second-factor", "answer `challenge` with one of `methods`");
    SecondFactorInvalid => Same("wait for the next code of the app");
    PasskeyUnknown => Request("POST", "/v1/login", "sign in with the password, and add the passkey again");
    PasskeyInvalid => Request("POST", OPTIONS, "begin a new ceremony on a page of this server");
    EmailNotConfirmed => Request("GET", MAILBOX, "take code or link of the confirmation mail");
    Forbidden => Role;
    FormExpired => Request("GET", "/login", "open the page in a browser, and send the form that it shows");
    AccountDisabled | UserDisabled => Command("vestibule user enable ada@example.org", "enable the user");
    SecondFactorEnrolmentRequired =>
        Request("GET", MAILBOX, "use the link that was mailed to set up a second factor");
    SignUpClosed => Command("VESTIBULE_SIGNUP_MODE=open vestibule serve --dev", "let people sign up");
    NotFound => Nearest;
    MethodNotAllowed => Methods;
    NotAcceptable => Same("leave `Accept` out, or send `Accept: application/json`");
    RequestTimeout => Same("send the whole body within 10 seconds");
    EmailTaken => Request("POST", "/v1/login", "sign in, or use another address");
    UserNameTaken => Same("choose another `user_name`, e.g. `ada-2`");
    LastAdmin =>
        Command("vestibule user update bob@example.org --add-role admin", "make somebody else administrator first");
    LastWayIn => Request("POST", "/v1/me/passkeys/options", "add another way to sign in first");
    AuthenticatorExists =>
        Request("DELETE", "/v1/me/authenticator", "remove the present authenticator app first");
    PasskeyExists => Request("POST", OPTIONS, "sign in with that passkey");
    PasskeysTooMany => Request("DELETE", "/v1/me/passkeys/{id}", "remove a passkey first");
    PasswordRemoved => Request("POST", OPTIONS, "sign in with the passkey, and set a password then");
    AlreadyActive | LinkUsed => Request("POST", "/v1/login", "it is done; sign in");
    SignUpDecoy =>
        Command("vestibule user reset-link ada@example.org", "help the owner into the account there is");
    ClientTaken => Request("GET", "/v1/admin/clients", "choose another `id`; these are there");
    ClientInSettings => Same("change it under [[clients]] of the settings file, and restart the server; others are changed here");
    ClientIsPublic =>
        Request("POST", "/v1/admin/clients", "remove it, and register it again as `confidential`");
    ClientsTooMany => Request("DELETE", "/v1/admin/clients/{id}", "remove those that are not used");
    MailSent => Request("GET", MAILBOX, "look into the mailbox");
    LinkExpired => Request("GET", MAILBOX, "take the whole link of the newest mail");
    CodeExpired => Request("POST", "/v1/confirm/resend", "ask for a new code, which works for a minute");
    ChallengeExpired => Request("POST", "/v1/login", "sign in again for a new `challenge`");
    PreconditionFailed | PreconditionRequired =>
        Request("GET", "/v1/admin/users/{id}", "read the user, and send its `ETag` as `If-Match` with the change");
    BodyTooLarge => Same("send at most 16 KiB");
    UriTooLong => Same("send an address of at most 4 KiB");
    UnsupportedMediaType => Same("name the type of the body, and do not compress it");
    ValidationFailed => Fields;
    CodeInvalid => Request("GET", MAILBOX, "take the code of the newest mail, or the next one of the app");
    PasskeyRefused =>
        Request("POST", "/v1/me/passkeys/options", "begin a new ceremony on a page of this server");
    IdempotencyKeyReused => Same("send a new `Idempotency-Key`, or none");
    HeadersTooLarge => Same("send at most 16 KiB of headers, and a token of at most 8 KiB");
    TooManyRequests => Wait;
    InternalError | TransferCodingUnknown | TemporarilyOverloaded | Unavailable => Nothing;
    Required => Value("add it");
    UnknownField | Exclusive => Value("leave it out");
    WrongType => Value("send the type that `/docs` names");
    EmailInvalid | EmailTooLong => Value("\"ada@example.org\"");
    PasswordTooShort | PasswordTooLong | PasswordInvalid | PasswordTooCommon | PasswordContextual | PasswordUnchanged | PasswordGuessable =>
        Value("\"copper-lamp-river-77\"");
    PasswordWrong =>
        Value("send the present password; `vestibule user set-password ada@example.org` sets one");
    UserNameInvalid | UserNameLength | UserNameReserved => Value("\"ada-2\"");
    TermsNotAccepted => Value("true");
    TextInvalid | TextTooLong => Value("\"asked for it by phone\"");
    RoleInvalid => Value("\"editor\"");
    FactorStatusInvalid => Value("\"none\"");
    SortInvalid => Value("\"-last_sign_in\"");
    PeriodInvalid => Value("30");
    TimeInvalid => Value("\"2026-03-01T09:30:00Z\"");
    LastSignInInvalid => Value("\"never\"");
    RolesTooMany => Value("[\"editor\"]");
    LocaleInvalid => Value("\"en\"");
    RecoveryCodeMalformed => Value("\"7k2m-9xqa-03hd-v5rt\"");
    PasskeyMalformed => Value("send what `PublicKeyCredential.toJSON()` gives, unchanged");
    DisplayNameInvalid => Value("\"Ada Lovelace\"");
    DataTooLarge => Value("keep less than 4 KiB");
    DataInvalid => Value("send what its `detail` asks for");
    PasskeyNameInvalid => Value("\"My phone\"");
    CodeMalformed => Value("\"0421\"");
    IdInvalid => Value("\"usr_06nq8sd5c9u7d1p4v0g2k8m3e4\"");
    KindInvalid => Value("\"signed_in\"");
    StatusInvalid => Value("\"active\"");
    StateInvalid => Value("\"failed\"");
    LimitInvalid => Value("50");
    CursorInvalid => Value("send `next_cursor` as it came, or leave it out");
    ClientIdInvalid => Value("\"shop\"");
    ClientNameInvalid => Value("\"Example Shop\"");
    ClientKindInvalid => Value("\"confidential\"");
    ClientSecretNeeded => Value("leave it out, or register the client as `confidential`");
    RedirectUriInvalid => Value("[\"https://shop.example.org/callback\"]");
    WebAddressInvalid => Value("\"https://api.example.org\"");
    ScopeInvalid => Value("[\"orders:read\"]");
    ClaimInvalid => Value("{\"plan\": \"app.plan\"}");
    JwksInvalid => Value("{\"keys\": [{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"x\": \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}");
    ConsentInvalid | ConsentNeeded => Value("\"ask\"");
    ListTooLong => Value("send at most 16");
    BooleanInvalid => Value("true");
}
