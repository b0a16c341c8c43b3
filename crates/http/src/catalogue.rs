//! Every error code, declared once: the basis of problems, the `OpenAPI` enum, the pages under `/docs/errors` and the
//! command `vestibule errors list`.

mod meaning;
mod text;

/// What an error code means, for people.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code itself.
    pub code: Code,
    /// The status of the answer.
    pub status: u16,
    /// A short name; always the same for one code (RFC 9457 §3.1.3).
    pub title: &'static str,
    /// What causes it.
    pub cause: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// Whether it appears in the `errors` of a `validation_failed` and not on its own.
    pub of_a_field: bool,
}

/// All error codes, in the order of their statuses.
pub fn catalogue() -> &'static [Entry] {
    CATALOGUE
}

macro_rules! codes {
    ($($kind:ident { $($name:ident $status:literal $text:literal: $title:literal, $cause:literal, $fix:literal;)* })*) => {
        /// A stable name for an error. The list is closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $title] $name,)*)*
        }

        const CATALOGUE: &[Entry] = &[$($(
            Entry {
                code: Code::$name,
                status: $status,
                title: $title,
                cause: $cause,
                fix: $fix,
                of_a_field: codes!(@ $kind),
            },
        )*)*];

        impl Code {
            /// The code as it is sent.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$name => $text,)*)* }
            }
        }
    };
    (@ answers) => { false };
    (@ fields) => { true };
}

codes! {
answers {
    MalformedJson 400 "malformed_json": "The body is not valid JSON",
        "The body has a syntax error, a key twice in one object, more than 16 levels, characters that are not UTF-8, or something after its end.",
        "Send one JSON object, encoded as UTF-8 without a byte order mark.";
    InvalidRequest 400 "invalid_request": "The request contradicts itself",
        "A header or parameter that may appear once appears twice, is missing, or cannot be read.",
        "Send each header and each parameter once.";
    AuthenticationRequired 401 "authentication_required": "Sign in first",
        "The resource belongs to somebody, and the request carries no credentials.",
        "Send `Authorization: Bearer <access_token>`; `POST /v1/login` gives the token. On the code route send HTTP Basic with the email address and the password of the sign-up.";
    InvalidToken 401 "invalid_token": "The access token is not valid",
        "The token has expired, was changed, was not made here, or its session has ended.",
        "Get a new one with the refresh token at `POST /v1/token`, or sign in again.";
    InvalidCredentials 401 "invalid_credentials": "The name or the password is wrong",
        "No account, or no open sign-up, has this name and this password. Which of the two is wrong is not told.",
        "Check both. After a sign-up use the password of that sign-up.";
    InvalidClient 401 "invalid_client": "The client is unknown, or its secret is wrong",
        "No client is registered with this `client_id`, its secret is another one, or it has none and sent one.",
        "Send `client_id` and `client_secret` as they were given out: with HTTP Basic or in the form; or a `client_assertion` that a key of its registration has signed. A public client sends its `client_id` alone.";
    ReauthenticationRequired 401 "reauthentication_required": "Prove again who you are",
        "This needs a proof that is only minutes old: the password, or a second factor where the account has one. The access token is fine.",
        "Give the proof with `POST /v1/me/verify` and repeat the request, or sign in again.";
    SecondFactorRequired 401 "second_factor_required": "A second factor is needed",
        "The password is right. `methods` names what the account can answer `challenge` with, until `expires_at`.",
        "Send the challenge with a code, a recovery code or a passkey to `POST /v1/login/second-factor`.";
    SecondFactorInvalid 401 "second_factor_invalid": "The second factor is wrong",
        "The code, the recovery code or the passkey is not of this account, or was used before. `attempts_left` says how many answers remain before there is a wait.",
        "Wait for the next code of the app, or use another method.";
    PasskeyUnknown 401 "passkey_unknown": "Nobody here has this passkey",
        "The passkey was removed from its account, or belongs to another server.",
        "Sign in in another way. A page tells the browser with `signalUnknownCredential`, so that it stops offering the passkey.";
    PasskeyInvalid 401 "passkey_invalid": "The passkey proves nothing",
        "The ceremony is over, was answered before or was begun for something else; or the passkey was not used for it on a page of this server, with the user verified.",
        "Begin a new ceremony.";
    EmailNotConfirmed 403 "email_not_confirmed": "The email address is not confirmed yet",
        "The password is right, but the sign-up still waits for its confirmation.",
        "Use the link or the code of the confirmation mail; `POST /v1/confirm/resend` asks for another.";
    Forbidden 403 "forbidden": "This is not allowed",
        "The account does not have the role that this resource asks for, or the form of a page was sent from another site.",
        "Ask an administrator for the role `admin`. A form: open its page and press the button there.";
    InsufficientScope 403 "insufficient_scope": "The token is not for this",
        "The access token was issued to a client. It opens what its scopes name, and nothing of the account itself.",
        "Use a token of a sign-in to this service itself, or one with the scope that `WWW-Authenticate` names.";
    FormExpired 403 "form_expired": "The form is too old",
        "The form of a page was not shown in this browser session, or the browser does not keep its cookies. Nothing was done.",
        "The answer is the form again, with what was typed but passwords: send that one. Let this site keep cookies.";
    AccountDisabled 403 "account_disabled": "The account is disabled",
        "The password is right, but an administrator has disabled the account.",
        "Ask an administrator.";
    SecondFactorEnrolmentRequired 403 "second_factor_enrolment_required": "A second factor must be set up first",
        "The password is right, but this account must have a second factor by now, and has none. A link to set one up was mailed.",
        "Use the link of that mail, together with the password.";
    SignUpClosed 403 "sign_up_closed": "Nobody can sign up here",
        "Accounts are made by invitation only, or not at present (`signup.mode`).",
        "Ask whoever runs this for an invitation. Who has an account signs in as ever.";
    NotFound 404 "not_found": "There is nothing here",
        "No resource has this address. Addresses are exact: case, slashes and encoding count.",
        "Compare the address with `/docs`.";
    MethodNotAllowed 405 "method_not_allowed": "The resource does not know this method",
        "The address exists, but not for this method.",
        "Use one of the methods in the `Allow` header.";
    NotAcceptable 406 "not_acceptable": "Only JSON is available",
        "The `Accept` header leaves out `application/json`.",
        "Send `Accept: application/json` or leave the header out.";
    RequestTimeout 408 "request_timeout": "The body took too long",
        "The body was not complete after 10 seconds.",
        "Send it again over a better connection.";
    EmailTaken 409 "email_taken": "The email address has an account",
        "Another user has this address.",
        "Sign in, or use another address.";
    UserNameTaken 409 "user_name_taken": "The user name is taken",
        "Another user has this name, or one that looks like it.",
        "Choose another. At confirmation send it as `user_name`.";
    LastAdmin 409 "last_admin": "This is the last administrator",
        "It would leave nobody who can administrate.",
        "Give another user the role `admin` first.";
    LastWayIn 409 "last_way_in": "Nobody could sign in any more",
        "It is the last way to sign in, or the last second factor of an account that must have one.",
        "Add another one first.";
    AuthenticatorExists 409 "authenticator_exists": "There is an authenticator app already",
        "An account has one authenticator app.",
        "Remove the present one first.";
    PasskeyExists 409 "passkey_exists": "The passkey belongs to an account already",
        "An account here has a passkey with this credential id.",
        "Use that passkey, or make another one.";
    PasskeysTooMany 409 "passkeys_too_many": "There are too many passkeys",
        "An account has at most 20.",
        "Remove one that is not used any more.";
    PasswordRemoved 409 "password_removed": "The account has no password",
        "Its owner has removed the password and signs in with a passkey. The mailbox alone is not enough to set one.",
        "Sign in with the passkey and set a password on the account page.";
    AlreadyActive 409 "already_active": "The sign-up was confirmed before",
        "The sign-up has become a user.",
        "Nothing is left to do: the person can sign in.";
    SignUpDecoy 409 "sign_up_decoy": "The sign-up cannot become a user",
        "The address had an account already when somebody signed up with it, or has got one since.",
        "Help the owner into the account there is, e.g. with a link to set a new password.";
    MailSent 409 "mail_sent": "The message was handed over before",
        "The relay has taken the message.",
        "Look for it at the relay, or have another one sent.";
    ClientTaken 409 "client_taken": "There is a client with this id",
        "Another client has the id, in the database or in the settings file.",
        "Choose another id, or change that client.";
    ClientInSettings 409 "client_in_settings": "The client is in the settings file",
        "Clients of the settings file are shown here, and changed there.",
        "Change the `[[clients]]` of the settings file, and restart the servers.";
    ClientIsPublic 409 "client_is_public": "A public client has no secret",
        "The client was registered as one that cannot keep a secret, and what it is cannot be changed.",
        "Remove it and register it as `confidential`.";
    ClientsTooMany 409 "clients_too_many": "There are too many clients",
        "There are 500 clients in the database already.",
        "Remove those that are not used.";
    UserDisabled 409 "user_disabled": "The user is disabled",
        "A link would be of no use to a user who may not sign in.",
        "Enable the user first.";
    LinkExpired 410 "link_expired": "The link does not work any more",
        "The link is too old, was replaced by a newer one, was made for something else, or is not complete; or the password or the address was changed since.",
        "Copy the whole link from the newest mail, or ask for a new one.";
    LinkUsed 410 "link_used": "The link was used before",
        "It has done its work: the account is active, or the change is made.",
        "Sign in. For another change ask for a new link.";
    CodeExpired 410 "code_expired": "The code does not work any more",
        "The code is older than a minute, was tried too often, was replaced or was used.",
        "Ask for a new one with `POST /v1/confirm/resend`.";
    ChallengeExpired 410 "challenge_expired": "The challenge does not stand any more",
        "It was answered, is older than five minutes, or password, address or factors were changed since.",
        "Sign in again.";
    PreconditionFailed 412 "precondition_failed": "Somebody else was faster",
        "The resource is in another state than `If-Match` names: it was changed since it was read.",
        "Read it again and decide anew with its present `ETag`.";
    BodyTooLarge 413 "body_too_large": "The body is too large",
        "A body may have 16 KiB.",
        "Send less.";
    UriTooLong 414 "uri_too_long": "The address is too long",
        "An address may have 4 KiB, its query included.",
        "Send a shorter one.";
    UnsupportedMediaType 415 "unsupported_media_type": "The body has the wrong type",
        "`Content-Type` is missing or not the one this resource reads, its charset is not UTF-8, or the body is compressed.",
        "Send `Content-Type: application/json` (at `/v1/token`, `/v1/token/revoke` and `/v1/introspect` `application/x-www-form-urlencoded`) and no `Content-Encoding`.";
    ValidationFailed 422 "validation_failed": "Some fields are not as they must be",
        "At least one field is missing, unknown, of the wrong type or not allowed. `errors` names each.",
        "Correct the fields that `errors` points to.";
    CodeInvalid 422 "code_invalid": "The code is wrong",
        "The digits are not those of the newest mail, or of the authenticator app at this moment. `attempts_left` says how many guesses remain.",
        "Read the newest mail again, or wait for the next code of the app.";
    PasskeyRefused 422 "passkey_refused": "The passkey cannot be used",
        "The passkey was not made or used in this ceremony on a page of this server, or breaks a rule of Web Authentication. `detail` says which.",
        "Begin a new ceremony and repeat it with a browser.";
    IdempotencyKeyReused 422 "idempotency_key_reused": "The idempotency key belongs to another request",
        "The same `Idempotency-Key` came with another body before.",
        "Make a new key for every sign-up; repeat a key only with the same body.";
    PreconditionRequired 428 "precondition_required": "Say which state the change is meant for",
        "The change needs the header `If-Match`, so that nobody else's change is lost.",
        "Read the resource, and send its `ETag` as `If-Match`.";
    HeadersTooLarge 431 "headers_too_large": "The headers are too large",
        "Header fields may have 16 KiB together, and an access token 8 KiB.",
        "Send less.";
    TooManyRequests 429 "too_many_requests": "Too many attempts",
        "A limit was reached. `Retry-After` says when the next attempt makes sense.",
        "Wait that long.";
    InternalError 500 "internal_error": "The server made a mistake",
        "A defect in the program. The log has it under the request id.",
        "Report it to the operator with the request id.";
    TransferCodingUnknown 501 "transfer_coding_unknown": "The body is encoded in a way that is not understood",
        "`Transfer-Encoding` is something else than `chunked`. The connection was closed.",
        "Send the body as it is, with a `Content-Length` or in chunks.";
    TemporarilyOverloaded 503 "temporarily_overloaded": "Too much to do right now",
        "More passwords wait to be checked than the machine can do in about a second.",
        "Try again after the time in `Retry-After`.";
    Unavailable 503 "unavailable": "Not available right now",
        "The database does not answer, or the request took too long.",
        "Try again after the time in `Retry-After`. Operators: the log has the cause.";
}
fields {
    Required 422 "required": "The field is missing",
        "The request leaves out a field that must be there.",
        "Add it.";
    UnknownField 422 "unknown_field": "There is no such field",
        "The request has a field that this resource does not know.",
        "Leave it out, or correct its spelling.";
    WrongType 422 "wrong_type": "The field has the wrong type",
        "Nothing is converted: a number in quotes is not a number, and `null` is not a text.",
        "Send the type that `/docs` names.";
    Exclusive 422 "exclusive": "The field excludes another",
        "Two fields were sent of which only one may be there.",
        "Leave one of them out.";
    EmailInvalid 422 "email_invalid": "Not an email address",
        "The text is not of the form name@domain.example.",
        "Correct the address.";
    EmailTooLong 422 "email_too_long": "The email address is too long",
        "Mail systems accept 64 octets before the @ and 254 in all.",
        "Use a shorter address.";
    PasswordTooShort 422 "password_too_short": "The password is too short",
        "The password has fewer characters than `params.min`.",
        "Use a longer one: several words make it easy.";
    PasswordTooLong 422 "password_too_long": "The password is too long",
        "The password has more characters than `params.max`, or more than 1024 bytes.",
        "Use a shorter one. It is never cut.";
    PasswordInvalid 422 "password_invalid": "The password has characters that cannot be used",
        "The password has a control character or one that Unicode has not assigned.",
        "Leave it out. Spaces and all letters of all languages are fine.";
    PasswordTooCommon 422 "password_too_common": "The password is too common",
        "The password is on the lists that attackers try first.",
        "Choose one that nobody else uses.";
    PasswordContextual 422 "password_contextual": "The password is a name",
        "The password is the name of the service, the user name, or a part of the email address.",
        "Choose one that says nothing about you.";
    PasswordUnchanged 422 "password_unchanged": "The password is the present one",
        "The new password is the one the account has already.",
        "Choose another.";
    PasswordGuessable 422 "password_guessable": "The password is easy to guess",
        "A guessing program would find the password in fewer than a million tries.",
        "Add a word or two.";
    PasswordWrong 422 "password_wrong": "The password is wrong",
        "The change needs the present password of the account, and this is another. The access token is fine.",
        "Give the present password again. After several wrong ones there is a wait (`too_many_requests`).";
    UserNameInvalid 422 "user_name_invalid": "The user name has characters that cannot be used",
        "User names are made of letters of one script, digits, and . _ - between them.",
        "Leave out other characters.";
    UserNameLength 422 "user_name_length": "The user name is too short or too long",
        "User names have 3 to 32 characters. In a script without capitals, such as Arabic or Chinese, 2 letters are enough.",
        "Choose another length.";
    UserNameReserved 422 "user_name_reserved": "The user name is reserved",
        "The name would pass for the operator's.",
        "Choose another name.";
    TermsNotAccepted 422 "terms_not_accepted": "The terms must be accepted",
        "This server makes accounts only for people who accept its operator's terms (`signup.consent`), and the request does not say that they do.",
        "Ask them, and send `true`.";
    TextInvalid 422 "text_invalid": "The text has control characters",
        "The text has a control character, such as a line break.",
        "Leave it out.";
    TextTooLong 422 "text_too_long": "The text is too long",
        "The text has more characters than this field takes; a reason has at most 200.",
        "Write a shorter one.";
    RoleInvalid 422 "role_invalid": "Not the name of a role",
        "A role is 1 to 32 of a-z, 0-9, _ and -, and begins with a letter.",
        "Correct the name.";
    RolesTooMany 422 "roles_too_many": "Too many roles",
        "A user has at most 16 roles.",
        "Leave some out.";
    LocaleInvalid 422 "locale_invalid": "Not a language tag",
        "The text is not a language tag (BCP 47) such as `en` or `pt-BR`.",
        "Correct it or leave it out.";
    RecoveryCodeMalformed 422 "recovery_code_malformed": "Not a recovery code",
        "A recovery code has the form xxxx-xxxx-xxxx-xxxx, in lower case.",
        "Send it as it was shown.";
    PasskeyMalformed 422 "passkey_malformed": "Not a credential",
        "The object is not what `PublicKeyCredential.toJSON()` gives, or is too long.",
        "Send what the browser gave, unchanged.";
    DisplayNameInvalid 422 "display_name_invalid": "Not a display name",
        "A display name has at most 100 characters, all of which can be seen, and at least one.",
        "Choose another spelling.";
    DataTooLarge 422 "data_too_large": "Too much data",
        "The object would have more than 4 KiB, written without spaces.",
        "Leave members out, or remove others with `null`.";
    DataInvalid 422 "data_invalid": "Not what may be kept",
        "The schema of this server (`user_data.schema`) does not allow the member, or asks for one that would be missing.",
        "Send what the detail of the error asks for.";
    PasskeyNameInvalid 422 "passkey_name_invalid": "Not a name for a passkey",
        "A name has 1 to 64 characters that can be seen.",
        "Choose another name.";
    CodeMalformed 422 "code_malformed": "Not a code",
        "A code is made of 4 to 8 digits, 6 for that of an authenticator app, sent as a text. Nothing else is read: no spaces, no numbers without quotes.",
        "Send the digits of the mail.";
    IdInvalid 422 "id_invalid": "Not an id",
        "The text is not an id of the kind that is asked for, such as `usr_` and 26 characters.",
        "Copy the whole id as it was given out.";
    KindInvalid 422 "kind_invalid": "Not a kind of event",
        "The audit trail has no entries of this kind.",
        "Send a `kind` as entries of the trail have it, such as `signed_in`.";
    StatusInvalid 422 "status_invalid": "Not a status",
        "A user is `active` or `disabled`.",
        "Send one of them.";
    FactorStatusInvalid 422 "factor_status_invalid": "Not a condition on second factors",
        "Users are listed by `none`, who have no second factor, by `any`, who have at least one, by `passkey` or by `authenticator`.",
        "Send one of them.";
    SortInvalid 422 "sort_invalid": "Not an order of the list",
        "Users are sorted by `created`, `email` or `last_sign_in`, from the end with a hyphen before it.",
        "Send one of them, such as `-last_sign_in`.";
    PeriodInvalid 422 "period_invalid": "Not a period of the statistics",
        "The statistics cover 7, 30 or 90 days.",
        "Send one of these numbers.";
    TimeInvalid 422 "time_invalid": "Not a time",
        "A time is written with its offset (RFC 3339), such as `2026-03-01T09:30:00Z`, or is a date, which stands for midnight UTC.",
        "Send such a time. In an address a `+` is written `%2B`.";
    LastSignInInvalid 422 "last_sign_in_invalid": "Not a condition on the last sign-in",
        "The parameter is `never`, and then there is no `last_sign_in_from` or `last_sign_in_before` beside it.",
        "Send `never`, or the times of a range.";
    StateInvalid 422 "state_invalid": "Not a state of a message",
        "A message is `waiting`, `sent` or `failed`.",
        "Send one of them.";
    LimitInvalid 422 "limit_invalid": "Not a page size",
        "A page has 1 to 200 entries.",
        "Send a number from 1 to 200.";
    CursorInvalid 422 "cursor_invalid": "The cursor does not belong here",
        "The cursor was not made here, or for a list with other conditions.",
        "Send `next_cursor` as it came, with the same other parameters.";
    ClientIdInvalid 422 "client_id_invalid": "Not an id for a client",
        "A client id is 2 to 64 of a-z, 0-9, -, _ and ., begins with a letter or digit, and is not `vestibule`.",
        "Choose another id.";
    ClientNameInvalid 422 "client_name_invalid": "Not a name for a client",
        "A name has 1 to 64 characters that can be seen, and no space at either end.",
        "Write what people call the application.";
    ClientKindInvalid 422 "client_kind_invalid": "Not a kind of client",
        "A client is `public` or `confidential`.",
        "Send `confidential` for a server, which can keep a secret, and `public` for everything else.";
    ClientSecretNeeded 422 "client_secret_needed": "Only a confidential client may do this",
        "A token without a user needs a client that proves itself with a secret.",
        "Register the client as `confidential`, or leave `machine_scopes` out.";
    RedirectUriInvalid 422 "redirect_uri_invalid": "Answers cannot go to this address",
        "An address for answers is `https://…`, `http://` on this machine, or has a scheme in reverse domain order; it has no fragment, user name or password.",
        "Write the whole address as the application sends it.";
    WebAddressInvalid 422 "web_address_invalid": "Not a web address",
        "The text is not an absolute `https` address without a fragment, of at most 512 characters.",
        "Write the whole address, which begins with https://.";
    ScopeInvalid 422 "scope_invalid": "Not a scope that can be given here",
        "A scope is a name of 1 to 64 visible ASCII characters, there are at most 32, and `openid`, `profile`, `email` and `offline_access` are not listed.",
        "Correct the name, or leave it out.";
    ClaimInvalid 422 "claim_invalid": "Not a claim that tokens can have here",
        "The name of a claim is 1 to 128 visible ASCII characters and none that is registered; its value comes from `app.` or `data.` and a member, or from `roles`. There are at most 16.",
        "Choose another name, e.g. `plan`, and a place, e.g. `app.plan`.";
    JwksInvalid 422 "jwks_invalid": "Not keys that a client can have here",
        "The keys of a confidential client are a JWK Set of 1 to 4 public keys, Ed25519 or P-256, of at most 4 KiB. A client without a secret has at least one.",
        "Send the public keys alone, without `d`.";
    ConsentInvalid 422 "consent_invalid": "Neither ask nor never",
        "Users are asked (`ask`), or not (`never`).", "Send one of them.";
    ConsentNeeded 422 "consent_needed": "Users of this client must be asked",
        "Any program of a device could claim a loopback address or a scheme of its own, so a public client with such an address asks (RFC 8252 §8.6).",
        "Send `ask`, or use an `https` address.";
    ListTooLong 422 "list_too_long": "The list is too long",
        "There are at most 16 addresses of a kind.",
        "Leave out those that are not used.";
    BooleanInvalid 422 "boolean_invalid": "Not a yes or no",
        "The parameter is `true` or `false`.",
        "Send one of them.";
}
}

#[cfg(test)]
mod tests;
