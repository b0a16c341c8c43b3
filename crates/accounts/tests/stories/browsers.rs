use vestibule::{
    Actor, AuditKind, AuthenticateError, BrowserSession, ChangeError, Client, Code, ConfirmError, LinkProof,
    Login, Secret, SignInError, SignedIn, Terms, Waiting,
};

use crate::on_both_stores;
use crate::world::*;

const ADA: &str = "ada@example.org";

impl World {
    async fn opens_session(&self, email: &str) -> Result<BrowserSession, SignInError> {
        self.opens_session_on(&client(), email, PASSWORD).await
    }

    async fn opens_session_on(
        &self,
        device: &Client,
        email: &str,
        secret: &str,
    ) -> Result<BrowserSession, SignInError> {
        let login = Login::Email(address(email));
        self.accounts.sign_in_browser(&login, &password(secret), None, device).await
    }

    async fn is_signed_in(&self, session: &BrowserSession) -> bool {
        match self.accounts.authenticate_browser(session.secret.expose()).await {
            Ok(who) => who.account.id == session.account.id,
            Err(AuthenticateError::Invalid) => false,
            Err(error) => panic!("{error}"),
        }
    }

    async fn who(&self, session: &BrowserSession) -> SignedIn {
        self.accounts.authenticate_browser(session.secret.expose()).await.unwrap()
    }

    /// The use of a session is recorded in the background: polls until it is.
    async fn notes_use_of(&self, session: &BrowserSession) {
        let who = self.who(session).await;
        loop {
            let sessions = self.accounts.list_sessions(&who).await.unwrap();
            let own = sessions.into_iter().find(|one| one.id == who.session_id).unwrap();
            if own.last_seen_at == self.clock.now() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// The proof that the browser gets; takes the mail.
    async fn signs_up_in_browser(&self, email: &str) -> Secret {
        let (_, proof) = self.accounts.sign_up_in_browser(wish(email, PASSWORD), &client()).await.unwrap();
        self.deliver().await;
        proof
    }

    async fn continues(&self, proof: &Secret) -> Option<BrowserSession> {
        self.accounts.continue_in_browser(proof.expose(), None, &client()).await.unwrap()
    }

    async fn sends_code(&self, proof: &Secret, code: &str) -> Result<Option<BrowserSession>, ConfirmError> {
        let code: Code = code.parse().unwrap();
        let sent =
            self.accounts.confirm_by_code_in_browser(proof.expose(), &code, None, None, &client()).await;
        self.deliver().await;
        sent
    }

    async fn clicks_with(
        &self,
        token: &str,
        proof: LinkProof<'_>,
    ) -> Result<Option<BrowserSession>, ConfirmError> {
        let sent = self
            .accounts
            .confirm_by_link_in_browser(token, proof, None, Terms::Unanswered, None, &client())
            .await;
        self.deliver().await;
        sent
    }
}

on_both_stores! {
    // R1: idle and absolute lifetime.
    async fn a_session_of_a_browser_lives_as_long_as_it_is_used(world: &World) {
        world.has_account(ADA).await;
        let used = world.opens_session(ADA).await.unwrap();
        let unused = world.opens_session(ADA).await.unwrap();
        for _ in 0..2 {
            world.advance(hours(13 * 24));
            assert!(world.is_signed_in(&used).await);
            world.notes_use_of(&used).await;
        }
        assert!(!world.is_signed_in(&unused).await, "unused for 26 days");
        world.advance(seconds(4 * 24 * 3600 - 1));
        assert!(world.is_signed_in(&used).await);
        world.advance(seconds(1));
        assert!(!world.is_signed_in(&used).await, "30 days are over");
    }

    // R4: a new sign-in has a new secret, and the previous one no longer works.
    async fn signing_in_again_replaces_the_session_of_the_browser(world: &World) {
        world.has_account(ADA).await;
        let first = world.opens_session(ADA).await.unwrap();
        let (login, held) = (Login::Email(address(ADA)), Some(first.secret.expose()));
        let second = world.accounts.sign_in_browser(&login, &password(PASSWORD), held, &client()).await.unwrap();
        assert_ne!(first.secret.expose(), second.secret.expose());
        assert!(!world.is_signed_in(&first).await && world.is_signed_in(&second).await);
    }

    // R6, J5: whatever ends sessions also ends those of browsers.
    async fn everything_that_ends_sessions_ends_those_of_browsers(world: &World) {
        world.has_account(ADA).await;
        let (one, other) = (world.opens_session(ADA).await.unwrap(),
            world.opens_session(ADA).await.unwrap());
        assert_eq!(world.accounts.list_sessions(&world.who(&one).await).await.unwrap().len(), 2);
        world.accounts.end_other_sessions(&world.who(&one).await, &client()).await.unwrap();
        assert!(world.is_signed_in(&one).await && !world.is_signed_in(&other).await);
        let other = world.opens_session(ADA).await.unwrap();
        let who = world.who(&one).await;
        world.accounts.change_password(&who, &password(PASSWORD), &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert!(world.is_signed_in(&one).await && !world.is_signed_in(&other).await);
        world.accounts.sign_out(&who, false, &client()).await.unwrap();
        assert!(!world.is_signed_in(&one).await);
        assert_eq!(world.kinds_to(ADA), ["password_changed"]);
    }

    // T5: no secret is accepted as one of another kind.
    async fn a_browser_session_is_no_token(world: &World) {
        world.has_account(ADA).await;
        let session = world.opens_session(ADA).await.unwrap();
        let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
        let secret = session.secret.expose();
        assert!(world.accounts.authenticate(secret).await.is_err());
        assert!(world.accounts.refresh(secret, &client()).await.is_err());
        let device = session.device_token.as_ref().unwrap();
        for token in [tokens.access_token.expose(), tokens.refresh_token.expose(), device.expose(), ""] {
            assert!(world.accounts.authenticate_browser(token).await.is_err());
        }
        world.accounts.revoke(secret, &client()).await.unwrap();
        assert!(world.is_signed_in(&session).await);
    }

    // L4: strangers' failures do not lock out the browser that has signed in before; it has its own counter.
    async fn a_known_browser_is_not_locked_out_by_strangers(world: &World) {
        world.has_account(ADA).await;
        let known = world.opens_session(ADA).await.unwrap();
        for n in 0..8 {
            let stranger = client_at(&format!("198.51.100.{n}"));
            assert!(world.opens_session_on(&stranger, ADA, "not-the-password").await.is_err());
        }
        assert!(matches!(world.opens_session(ADA).await, Err(SignInError::Limited { .. })));
        let device = Client { device_token: known.device_token, ..client() };
        let again = world.opens_session_on(&device, ADA, PASSWORD).await.unwrap();
        assert!(again.device_token.is_none(), "the browser is known already");
        for _ in 0..5 {
            let refused = world.opens_session_on(&device, ADA, "not-the-password").await;
            assert!(matches!(refused, Err(SignInError::Refused)));
        }
        let limited = world.opens_session_on(&device, ADA, PASSWORD).await;
        assert!(matches!(limited, Err(SignInError::Limited { .. })));
        world.has_account("eve@example.org").await;
        let eve = world.opens_session_on(&device, "eve@example.org", PASSWORD).await.unwrap();
        assert!(eve.device_token.is_some(), "another account's device and counter");
    }

    async fn the_browser_that_signed_up_needs_no_password_again(world: &World) {
        let proof = world.signs_up_in_browser(ADA).await;
        let token = world.letter_to(ADA).token();
        assert!(world.accounts.is_own_link(&token, proof.expose()));
        let session = world.clicks_with(&token, LinkProof::Browser(proof.expose())).await.unwrap().unwrap();
        assert!(world.is_signed_in(&session).await);
        assert!(world.continues(&proof).await.is_none(), "once");
        let again = world.clicks_with(&token, LinkProof::Browser(proof.expose())).await;
        assert!(matches!(again, Err(ConfirmError::LinkUsed)));
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // S4: the proof is valid for its own sign-up only. An attacker who signs up with the victim's address and makes the
    // victim click gets no account.
    async fn a_proof_of_another_sign_up_proves_nothing(world: &World) {
        let other = world.signs_up_in_browser("eve@example.org").await;
        world.take_mails_to("eve@example.org");
        world.signs_up_in_browser(ADA).await;
        let token = world.letter_to(ADA).token();
        assert!(!world.accounts.is_own_link(&token, other.expose()));
        for proof in [other.expose(), token.as_str(), "", "x"] {
            assert!(!world.accounts.is_own_link(&token, proof));
            let refused = world.clicks_with(&token, LinkProof::Browser(proof)).await;
            assert!(matches!(refused, Err(ConfirmError::Refused)), "{proof}");
        }
        assert!(matches!(world.clicks_with(&token, LinkProof::Nothing).await, Err(ConfirmError::Refused)));
    }

    async fn the_waiting_browser_goes_on_when_another_confirms(world: &World) {
        let proof = world.signs_up_in_browser(ADA).await;
        let token = world.letter_to(ADA).token();
        assert!(world.continues(&proof).await.is_none(), "not yet");
        assert!(matches!(world.accounts.waiting(proof.expose()).await.unwrap(), Some(Waiting::Open { .. })));
        let phone = world.clicks_with(&token, LinkProof::Password(&password(PASSWORD))).await.unwrap().unwrap();
        let confirmed = Waiting::Confirmed { email: address(ADA) };
        assert_eq!(world.accounts.waiting(proof.expose()).await.unwrap(), Some(confirmed));
        let laptop = world.continues(&proof).await.unwrap();
        assert!(world.is_signed_in(&phone).await && world.is_signed_in(&laptop).await);
        assert!(world.continues(&proof).await.is_none(), "once");
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // R6, T2: changing the password voids the proof.
    async fn a_proof_does_not_outlive_the_password(world: &World) {
        let proof = world.signs_up_in_browser(ADA).await;
        let token = world.letter_to(ADA).token();
        let phone = world.clicks_with(&token, LinkProof::Password(&password(PASSWORD))).await.unwrap().unwrap();
        let who = world.who(&phone).await;
        world.accounts.change_password(&who, &password(PASSWORD), &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert!(world.continues(&proof).await.is_none());
        assert_eq!(world.kinds_to(ADA), ["welcome", "password_changed"]);
    }

    async fn a_code_is_enough_in_the_browser_that_signed_up(world: &World) {
        let proof = world.signs_up_in_browser(ADA).await;
        let letter = world.letter_to(ADA);
        let wrong = world.sends_code(&proof, &letter.wrong_code()).await;
        assert!(matches!(wrong, Err(ConfirmError::CodeInvalid { attempts_left: 2 })));
        let session = world.sends_code(&proof, &letter.code()).await.unwrap().unwrap();
        assert!(world.is_signed_in(&session).await);
        assert!(matches!(world.sends_code(&proof, &letter.code()).await, Err(ConfirmError::CodeExpired)));
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // S3: the same at every step.
    async fn a_decoy_waits_like_a_sign_up(world: &World) {
        world.has_account("taken@example.org").await;
        let taken = world.signs_up_in_browser("taken@example.org").await;
        let free = world.signs_up_in_browser("free@example.org").await;
        let seen = async |proof: &Secret, minutes: u64| {
            let state = world.accounts.waiting(proof.expose()).await.unwrap();
            let codes = [refusal(world.sends_code(proof, "0000").await), refusal(world.sends_code(proof, "0001").await)];
            (format!("{state:?}").replace("taken@", "free@"), codes, world.continues(proof).await.is_none(), minutes)
        };
        for minutes in [0, 1, 5] {
            assert_eq!(seen(&taken, minutes).await, seen(&free, minutes).await);
            world.advance(seconds(60 * minutes));
        }
        for email in ["taken@example.org", "free@example.org"] {
            world.asks_again(email).await;
        }
        assert_eq!(seen(&taken, 6).await, seen(&free, 6).await);
        world.advance(hours(24));
        assert_eq!(seen(&taken, 7).await, seen(&free, 7).await);
        assert_eq!(world.accounts.waiting(taken.expose()).await.unwrap(), Some(Waiting::Ended));
        world.take_mails_to("taken@example.org");
        world.take_mails_to("free@example.org");
    }

    async fn an_asked_for_address_is_shown_and_can_be_forgotten(world: &World) {
        world.has_account(ADA).await;
        let session = world.opens_session(ADA).await.unwrap();
        let who = world.who(&session).await;
        assert_eq!(world.accounts.pending_email(&who).await.unwrap(), None);
        let new = address("ada@example.com");
        let wrong = world.accounts.change_email(&who, &new, &password("not-the-password"), &client()).await;
        assert!(matches!(wrong, Err(ChangeError::Refused)));
        world.accounts.change_email(&who, &new, &password(PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.accounts.pending_email(&who).await.unwrap().unwrap().0, new);
        world.accounts.cancel_email_change(&who, &client()).await.unwrap();
        assert_eq!(world.accounts.pending_email(&who).await.unwrap(), None);
        assert_eq!(world.kinds_to("ada@example.com"), ["email_change"]);
        assert_eq!(world.kinds_to(ADA), ["email_undo"]);
    }

    // O2: actions of browsers are in the trail, each once.
    async fn browsers_leave_their_trail(world: &World) {
        let proof = world.signs_up_in_browser(ADA).await;
        let letter = world.letter_to(ADA);
        assert!(world.sends_code(&proof, &letter.wrong_code()).await.is_err());
        let phone = world.sends_code(&proof, &letter.code()).await.unwrap().unwrap();
        assert!(world.continues(&proof).await.is_none(), "once");
        assert!(world.opens_session_on(&client(), ADA, OTHER_PASSWORD).await.is_err());
        let laptop = world.opens_session(ADA).await.unwrap();
        let who = world.who(&laptop).await;
        for _ in 0..2 {
            world.accounts.end_other_sessions(&who, &client()).await.unwrap();
        }
        assert!(!world.is_signed_in(&phone).await);
        let new = address("ada@example.com");
        world.accounts.change_email(&who, &new, &password(PASSWORD), &client()).await.unwrap();
        for _ in 0..2 {
            world.accounts.cancel_email_change(&who, &client()).await.unwrap();
        }
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["welcome", "email_undo"]);
        let events = world.accounts.audit_after(Actor::Operator, None, None).await.unwrap();
        let seen: Vec<_> = events.iter().map(|event| (event.kind, event.detail.clone().unwrap_or_default())).collect();
        assert_eq!(seen, [
            (AuditKind::SignedUp, String::new()),
            (AuditKind::ConfirmFailed, "wrong code".to_owned()),
            (AuditKind::Activated, "by code".to_owned()),
            (AuditKind::SignedIn, "after the confirmation".to_owned()),
            (AuditKind::SignInFailed, String::new()),
            (AuditKind::SignedIn, String::new()),
            (AuditKind::SignedOut, format!("all sessions but {}", who.session_id)),
            (AuditKind::EmailChangeRequested, "to a***@example.com".to_owned()),
            (AuditKind::EmailChangeUndone, "to a***@example.com, not confirmed".to_owned()),
        ]);
        assert!(events.iter().all(|event| event.ip.as_deref() == Some("192.0.2.1")));
        let text = format!("{events:?}");
        for secret in [proof.expose(), phone.secret.expose(), laptop.secret.expose(), &letter.code()] {
            assert!(!text.contains(secret), "{secret}");
        }
    }

    // S4, R4: a click on another device is recorded with its way, and so is the browser that continues after it.
    async fn a_link_and_the_browser_that_waited_leave_their_trail(world: &World) {
        let proof = world.signs_up_in_browser(ADA).await;
        let token = world.letter_to(ADA).token();
        assert!(world.clicks_with(&token, LinkProof::Password(&password(OTHER_PASSWORD))).await.is_err());
        world.clicks_with(&token, LinkProof::Password(&password(PASSWORD))).await.unwrap().unwrap();
        assert!(world.continues(&proof).await.is_some());
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
        let other = world.signs_up_in_browser("eve@example.org").await;
        let token = world.letter_to("eve@example.org").token();
        world.clicks_with(&token, LinkProof::Browser(other.expose())).await.unwrap().unwrap();
        assert_eq!(world.kinds_to("eve@example.org"), ["welcome"]);
        let events = world.accounts.audit_after(Actor::Operator, None, None).await.unwrap();
        let seen: Vec<_> = events.iter().map(|event| (event.kind.name(), event.detail.as_deref())).collect();
        assert_eq!(seen, [
            ("signed_up", None), ("confirm_failed", None), ("activated", Some("by link")),
            ("signed_in", Some("after the confirmation")), ("signed_in", Some("after the confirmation")),
            ("signed_up", None), ("activated", Some("by link")), ("signed_in", Some("after the confirmation")),
        ]);
    }

    // L1, S4: the password of an open sign-up gives the same access as the browser that signed up; nothing else does.
    async fn the_right_password_of_a_sign_up_goes_on_with_it(world: &World) {
        let letter = world.signs_up(ADA).await;
        for wrong in [OTHER_PASSWORD, "not-the-password-9"] {
            assert!(matches!(world.opens_session_on(&client(), ADA, wrong).await, Err(SignInError::Refused)));
        }
        let Err(SignInError::Unconfirmed(waiting)) = world.opens_session(ADA).await else { panic!("not confirmed") };
        assert_eq!(waiting.expires_at, world.clock.now() + hours(24));
        let Some(Waiting::Open { email, expires_at, .. }) = world.accounts.waiting(waiting.proof.expose()).await.unwrap() else { panic!("open") };
        assert_eq!((email.as_str(), expires_at), (ADA, waiting.expires_at));
        assert!(world.continues(&waiting.proof).await.is_none(), "it signs nobody in by itself");
        let session = world.sends_code(&waiting.proof, &letter.code()).await.unwrap().unwrap();
        assert!(world.is_signed_in(&session).await);
        assert!(world.opens_session(ADA).await.is_ok());
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // S3: for a taken address it looks the same and leads nowhere.
    async fn the_password_of_a_decoy_goes_on_like_that_of_a_sign_up(world: &World) {
        world.has_account(ADA).await;
        let mut seen = Vec::new();
        for email in [ADA, "free@example.org"] {
            let pending = world.signs_up_with(email, OTHER_PASSWORD).await.unwrap();
            drop(world.take_mails_to(email));
            let Err(SignInError::Unconfirmed(waiting)) = world.opens_session_on(&client(), email, OTHER_PASSWORD).await else { panic!("{email}") };
            assert_eq!(waiting.expires_at, pending.expires_at);
            let Some(Waiting::Open { resend_after, .. }) = world.accounts.waiting(waiting.proof.expose()).await.unwrap() else { panic!("{email}") };
            seen.push((waiting.proof.expose().len(), resend_after, refusal(world.sends_code(&waiting.proof, "99999").await.map(drop))));
        }
        assert_eq!(seen[0], seen[1]);
    }
}
