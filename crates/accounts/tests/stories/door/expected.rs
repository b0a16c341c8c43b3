//! What must come of each way in, in each state, with each kind of factor, under each policy.

use vestibule::Way;

/// What happens to the account before the way is tried, or during the session.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Active,
    Disabled,
    Deleted,
    PasswordChanged,
    AddressChanged,
    WrongPasswords,
}

pub(super) const STATES: [(State, &str); 6] = [
    (State::Active, "active"),
    (State::Disabled, "disabled"),
    (State::Deleted, "deleted"),
    (State::PasswordChanged, "password changed since"),
    (State::AddressChanged, "address changed since"),
    (State::WrongPasswords, "six wrong passwords before"),
];

/// What the user has beside the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factors {
    None,
    App,
    Passkey,
    Both,
}

pub(super) const FACTORS: [(Factors, &str); 4] = [
    (Factors::None, "no second factor"),
    (Factors::App, "authenticator app"),
    (Factors::Passkey, "passkey"),
    (Factors::Both, "app and passkey"),
];

/// What the settings say.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rules {
    Default,
    SignUpClosed,
    FactorDue,
    FactorOverdue,
}

pub(super) const RULES: [(Rules, &str); 4] = [
    (Rules::Default, "defaults"),
    (Rules::SignUpClosed, "sign-up closed"),
    (Rules::FactorDue, "factor required, in grace"),
    (Rules::FactorOverdue, "factor required, overdue"),
];

/// What goes on with a session.
#[derive(Clone, Copy, Debug)]
pub(super) enum Continuation {
    AccessToken,
    RefreshToken,
    BrowserCookie,
    ApplicationToken,
    ApplicationRefresh,
}

pub(super) const CONTINUATIONS: [Continuation; 5] = [
    Continuation::AccessToken,
    Continuation::RefreshToken,
    Continuation::BrowserCookie,
    Continuation::ApplicationToken,
    Continuation::ApplicationRefresh,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Session,
    Asked,
    EnrolmentMailed,
    Refused,
    Disabled,
    Limited,
    NotOffered,
}

impl Outcome {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Asked => "asked for a factor",
            Self::EnrolmentMailed => "enrolment link mailed",
            Self::Refused => "refused",
            Self::Disabled => "told that it is disabled",
            Self::Limited => "must wait",
            Self::NotOffered => "–",
        }
    }
}

/// What must come of a way whose factor the user has, where it may be used.
pub(super) const fn in_state(way: Way, state: State) -> Outcome {
    match (way, state) {
        (
            Way::Password
            | Way::Confirmation
            | Way::Passkey
            | Way::PasswordAndCode
            | Way::PasswordAndPasskey
            | Way::PasswordAndRecoveryCode
            | Way::Enrolment
            | Way::Application,
            State::Active,
        )
        // These give no password now, so nobody keeps them out by guessing.
        | (
            Way::Confirmation
            | Way::Passkey
            | Way::PasswordAndCode
            | Way::PasswordAndPasskey
            | Way::PasswordAndRecoveryCode
            | Way::Application,
            State::WrongPasswords,
        )
        // A passkey is of the account, whatever its password and its address are.
        | (Way::Passkey, State::PasswordChanged | State::AddressChanged) => Outcome::Session,
        (Way::Password | Way::Passkey, State::Disabled) => Outcome::Disabled,
        (Way::Password | Way::Enrolment, State::WrongPasswords) => Outcome::Limited,
        (
            Way::Confirmation
            | Way::PasswordAndCode
            | Way::PasswordAndPasskey
            | Way::PasswordAndRecoveryCode
            | Way::Enrolment
            | Way::Application,
            State::Disabled | State::Deleted | State::PasswordChanged | State::AddressChanged,
        )
        | (Way::Password, State::Deleted | State::PasswordChanged | State::AddressChanged)
        | (Way::Passkey, State::Deleted) => Outcome::Refused,
    }
}

/// What must come of a way for an active user with these factors. Closing sign-up keeps nobody out who has an account.
pub(super) const fn with_factors(way: Way, factors: Factors, rules: Rules) -> Outcome {
    match (way, factors, rules) {
        (Way::Password, Factors::None, Rules::FactorOverdue) => Outcome::EnrolmentMailed,
        (
            Way::Password | Way::Confirmation | Way::Application,
            Factors::None,
            Rules::Default | Rules::SignUpClosed | Rules::FactorDue,
        )
        | (Way::Password, Factors::Passkey, Rules::Default | Rules::SignUpClosed)
        | (Way::Passkey, Factors::Passkey | Factors::Both, _)
        | (Way::PasswordAndCode | Way::PasswordAndRecoveryCode, Factors::App | Factors::Both, _)
        | (Way::PasswordAndPasskey, Factors::Both, _)
        | (Way::PasswordAndPasskey, Factors::Passkey, Rules::FactorDue | Rules::FactorOverdue)
        | (Way::Enrolment, Factors::None, Rules::FactorOverdue)
        // The browser's session has every factor that there is.
        | (Way::Application, Factors::App | Factors::Passkey | Factors::Both, _) => Outcome::Session,
        (Way::Password, Factors::App | Factors::Both, _)
        | (Way::Password, Factors::Passkey, Rules::FactorDue | Rules::FactorOverdue) => Outcome::Asked,
        // What was proven before a factor was added counts no longer.
        (Way::Confirmation, Factors::App | Factors::Passkey | Factors::Both, _)
        | (Way::Confirmation, Factors::None, Rules::FactorOverdue) => Outcome::Refused,
        (Way::Passkey | Way::PasswordAndPasskey, Factors::None | Factors::App, _)
        | (Way::PasswordAndCode | Way::PasswordAndRecoveryCode, Factors::None | Factors::Passkey, _)
        | (Way::PasswordAndPasskey, Factors::Passkey, Rules::Default | Rules::SignUpClosed)
        | (Way::Enrolment, Factors::App | Factors::Passkey | Factors::Both, _)
        | (Way::Application, Factors::None, Rules::FactorOverdue)
        | (Way::Enrolment, Factors::None, Rules::Default | Rules::SignUpClosed | Rules::FactorDue) => {
            Outcome::NotOffered
        }
    }
}

/// What must come of a session that is there.
pub(super) const fn of_continuation(continuation: Continuation, state: State) -> Outcome {
    match (continuation, state) {
        (
            Continuation::AccessToken
            | Continuation::RefreshToken
            | Continuation::BrowserCookie
            | Continuation::ApplicationToken
            | Continuation::ApplicationRefresh,
            State::Active | State::WrongPasswords,
        ) => Outcome::Session,
        (
            Continuation::AccessToken
            | Continuation::RefreshToken
            | Continuation::BrowserCookie
            | Continuation::ApplicationToken
            | Continuation::ApplicationRefresh,
            State::Disabled | State::Deleted | State::PasswordChanged | State::AddressChanged,
        ) => Outcome::Refused,
    }
}
