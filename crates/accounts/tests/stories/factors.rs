//! What users have beside their passwords, for the stories about it.

use crate::world::*;
use vestibule::{
    Factor, MailContent, NewAuthenticator, PasskeyAssertion, PasskeyCeremony, PasskeyRegistration,
    RecoveryCode, SecondFactorChallenge, SecurityEvent, SignInError, SignedIn, TotpCode,
};
use vestibule_testing::webauthn::{Asked, Authenticator};

/// Where the pages of these stories are.
pub(crate) const ORIGIN: &str = "https://accounts.example.org";

/// An authenticator app and what came with it.
pub(crate) struct App {
    pub(crate) secret: String,
    pub(crate) recovery_codes: Vec<RecoveryCode>,
}

impl World {
    /// A session that has just begun with the password alone.
    pub(crate) async fn session_of(&self, email: &str) -> SignedIn {
        let tokens = self.signs_in(email, PASSWORD).await.unwrap();
        self.who_is(tokens.access_token.expose()).await
    }

    pub(crate) async fn who_is(&self, token: &str) -> SignedIn {
        self.accounts.authenticate(token).await.unwrap()
    }

    /// What the app shows now.
    pub(crate) fn code_of(&self, secret: &str) -> TotpCode {
        vestibule_testing::totp(secret, self.clock.now().as_seconds()).parse().unwrap()
    }

    /// Adds an authenticator app in this session, and reads the notice.
    pub(crate) async fn adds_app(&self, who: &SignedIn) -> App {
        let NewAuthenticator { secret, .. } =
            self.accounts.begin_authenticator(who, &client()).await.unwrap();
        let code = self.code_of(secret.expose());
        let recovery_codes = self.accounts.confirm_authenticator(who, &code, &client()).await.unwrap();
        self.notified(who.account.email.as_str(), &SecurityEvent::AuthenticatorAdded).await;
        // The code is spent: the next one is another.
        self.advance(seconds(30));
        App { secret: secret.expose().to_owned(), recovery_codes }
    }

    /// Adds a passkey in this session, and reads the notice.
    pub(crate) async fn adds_passkey(&self, who: &SignedIn) -> Authenticator {
        let asked = self.accounts.begin_passkey(who, &client()).await.unwrap();
        let (passkey, registration) = makes(&asked);
        let added = self.accounts.add_passkey(who, &registration, None, &client()).await.unwrap();
        self.notified(who.account.email.as_str(), &SecurityEvent::PasskeyAdded(added.name)).await;
        passkey
    }

    /// The one unread mail to this address is a notice of this.
    pub(crate) async fn notified(&self, email: &str, event: &SecurityEvent) {
        self.deliver().await;
        let mails = self.take_mails_to(email);
        let [mail] = mails.as_slice() else { panic!("one notice, not {mails:?}") };
        let MailContent::SecurityNotice { event: told, place, .. } = &mail.content else {
            panic!("{:?}", mail.content)
        };
        assert_eq!(
            (told, place.device.as_deref(), place.ip.as_deref()),
            (event, Some("story"), Some("192.0.2.1"))
        );
    }

    /// The password is right, and a second factor is asked for.
    pub(crate) async fn is_asked(&self, email: &str) -> SecondFactorChallenge {
        match self.signs_in(email, PASSWORD).await.unwrap_err() {
            SignInError::SecondFactorRequired(challenge) => challenge,
            other => panic!("{other:?}"),
        }
    }

    /// Signs in with the passkey alone.
    pub(crate) async fn passkey_session(&self, passkey: &Authenticator) -> SignedIn {
        let asked = self.accounts.begin_passkey_sign_in(None).await.unwrap();
        let tokens = self.accounts.sign_in_with_passkey(&uses(passkey, &asked), &client()).await.unwrap();
        self.who_is(tokens.access_token.expose()).await
    }
}

/// A new passkey, as this ceremony asks for it.
pub(crate) fn makes(asked: &PasskeyCeremony) -> (Authenticator, PasskeyRegistration) {
    let mut passkey = Authenticator::new(-7);
    let handle = asked.public_key["user"]["id"].as_str().unwrap();
    passkey.user_handle = Some(data_encoding::BASE64URL_NOPAD.decode(handle.as_bytes()).unwrap());
    let credential = passkey.registers(&Asked::new(&asked.public_key, ORIGIN)).to_string();
    let registration = PasskeyRegistration::new(asked.ceremony.expose(), &credential).unwrap();
    (passkey, registration)
}

/// The passkey is used as this ceremony asks for it.
pub(crate) fn uses(passkey: &Authenticator, asked: &PasskeyCeremony) -> PasskeyAssertion {
    let credential = passkey.asserts(&Asked::new(&asked.public_key, ORIGIN)).to_string();
    PasskeyAssertion::new(asked.ceremony.expose(), &credential).unwrap()
}

/// The methods of a challenge.
pub(crate) fn methods(challenge: &SecondFactorChallenge) -> Vec<&'static str> {
    challenge.methods.iter().copied().map(Factor::name).collect()
}
