//! The mail worker's step: takes messages that are due, makes their secrets, hands them over, and remembers it.

use std::time::Duration;

use crate::accounts::Inner;
use crate::domain::challenge::Purpose;
use crate::domain::registration::Registration;
use crate::limits::{self, DAY, codes_allowed};
use crate::ops::retry::{Attempt, BATCH, LEASE};
use crate::ops::{challenge, invite};
use crate::store::limits::{Rule, count, lock, record};
use crate::store::outbox::{self, Taken};
use crate::store::registrations::{self, HandedOver};
use crate::store::{Tx, challenges, invitations, users};
use crate::token::challenge::{code, link_token};
use crate::{
    Accounts, Email, Fault, InvitationId, Mail, MailContent, MailTransport, RegistrationId, Secret,
    SendError, Timestamp, UserId,
};

/// After this long a message that could not be handed over is given up: its secret would have expired.
const GIVE_UP: Duration = DAY;

/// What one step of a worker that hands over did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Messages handed over.
    pub sent: usize,
    /// Messages that will be tried again.
    pub delayed: usize,
    /// Messages given up: dead letters.
    pub failed: usize,
    /// Messages nobody needs any more.
    pub dropped: usize,
    /// When the next message is due, if one waits.
    pub next_due: Option<Timestamp>,
}

/// What is to be done with a message that was taken.
enum Plan {
    /// Hand this over.
    Send(Box<Mail>),
    /// Behave as if it were handed over: the owner of a taken address was told enough today (S2, S3).
    Pretend,
    /// Forget it: the sign-up or the user is gone, or has what it needs.
    Drop,
}

/// How one message ended.
pub(super) enum Ending {
    Sent,
    Delayed,
    Failed,
    Dropped,
}

impl Delivered {
    pub(super) fn count(&mut self, ending: &Ending) {
        match ending {
            Ending::Sent => self.sent += 1,
            Ending::Delayed => self.delayed += 1,
            Ending::Failed => self.failed += 1,
            Ending::Dropped => self.dropped += 1,
        }
    }
}

impl Accounts {
    /// Hands over the messages that are due, at most 16, next to each other. Call it again at once while it moved any.
    ///
    /// At least once: a worker that dies between hand-over and its note repeats the message, under the same id, with the
    /// same link and code. Several workers, and several instances, may call it at the same time.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer; what was taken comes back when its lease ends.
    pub async fn deliver(&self, transport: &impl MailTransport) -> Result<Delivered, Fault> {
        let now = self.0.now();
        let taken = self.0.store.write(move |tx| outbox::take(tx, now, now + LEASE, BATCH)).await?;
        let planned =
            futures_util::future::join_all(taken.into_iter().map(|mail| self.plan(mail, now))).await;
        let planned: Vec<(Taken, Plan)> = planned.into_iter().collect::<Result<_, Fault>>()?;
        // What is only pretended waits for the others: their fate is its fate.
        let (pretended, real): (Vec<_>, Vec<_>) =
            planned.into_iter().partition(|(_, plan)| matches!(plan, Plan::Pretend));
        let mut delivered = Delivered::default();
        for group in [real, pretended] {
            let endings = group.into_iter().map(|(mail, plan)| self.carry_out(mail, plan, transport));
            for ending in futures_util::future::join_all(endings).await {
                delivered.count(&ending?);
            }
        }
        delivered.next_due = self.0.store.read(outbox::next_due).await?;
        Ok(delivered)
    }

    /// Waits until this instance has queued a message; returns at once when it has since the last call.
    pub async fn mail_queued(&self) {
        self.0.mail_queued.notified().await;
    }

    async fn plan(&self, taken: Taken, now: Timestamp) -> Result<(Taken, Plan), Fault> {
        let (inner, mail) = (self.0.clone(), taken.clone());
        let plan = self.0.store.write(move |tx| plan(tx, &inner, &mail, now)).await?;
        Ok((taken, plan))
    }

    async fn carry_out(
        &self,
        taken: Taken,
        plan: Plan,
        transport: &impl MailTransport,
    ) -> Result<Ending, Fault> {
        let told_owner = matches!(&plan, Plan::Send(mail) if mail.content.kind() == "already_registered");
        let result = match plan {
            Plan::Drop => {
                self.0.store.write(move |tx| outbox::drop(tx, &taken)).await?;
                return Ok(Ending::Dropped);
            }
            Plan::Send(mail) => {
                let result = transport.send(&mail).await;
                self.0.set_mail_error(result.as_ref().err().cloned());
                result
            }
            // While no message gets through, a pretended one must be stuck, too. What becomes of a single message, whose
            // address anybody may have chosen, says nothing of others.
            Plan::Pretend => self.outage().map_or(Ok(()), Err),
        };
        self.note(taken, result, told_owner).await
    }

    /// Remembers how a hand-over ended. The minute of a code starts here.
    async fn note(
        &self,
        taken: Taken,
        result: Result<(), SendError>,
        told_owner: bool,
    ) -> Result<Ending, Fault> {
        let inner = self.0.clone();
        let now = inner.now();
        let Err(failure) = result else {
            self.0.store.write(move |tx| note_sent(tx, &inner, &taken, told_owner, now)).await?;
            return Ok(Ending::Sent);
        };
        let attempt = Attempt {
            id: taken.id.as_bytes(),
            number: taken.attempts,
            since: taken.created_at,
            patience: GIVE_UP,
        };
        let next = attempt.next(&failure, now);
        let (give_up, cause) = (next.is_none(), failure.into_cause());
        tracing::warn!(mail = %taken.id, attempt = taken.attempts, give_up, cause, "a mail was not handed over");
        let note = move |tx: &mut Tx<'_>| match next {
            Some(due_at) => outbox::delay(tx, &taken, due_at, &cause),
            None => outbox::fail(tx, &taken, now, &cause),
        };
        self.0.store.write(note).await?;
        Ok(if give_up { Ending::Failed } else { Ending::Delayed })
    }
}

/// Decides what a message says now, right before it goes (T8).
fn plan(tx: &mut Tx<'_>, inner: &Inner, taken: &Taken, now: Timestamp) -> Result<Plan, Fault> {
    let sign_in = format!("{}/login", inner.settings.public_url);
    let forgot = format!("{}/forgot", inner.settings.public_url);
    match taken.kind.as_str() {
        "confirm" => plan_confirmation(tx, inner, taken, sign_in, now),
        "invitation" => plan_invitation(tx, inner, taken, now),
        "welcome" => plan_notice(tx, taken, MailContent::Welcome { sign_in }),
        "password_changed" => plan_notice(tx, taken, MailContent::PasswordChanged { forgot }),
        "failed_sign_ins" => plan_notice(tx, taken, MailContent::FailedSignIns { forgot }),
        "refresh_reused" => plan_notice(tx, taken, MailContent::RefreshReused { forgot }),
        _ => plan_challenge(tx, inner, taken, sign_in, now),
    }
}

/// A message about a user, to the address the user has now.
fn plan_notice(tx: &mut Tx<'_>, taken: &Taken, content: MailContent) -> Result<Plan, Fault> {
    let user = users::by_id(tx, UserId::from_bytes(taken.about))?.map(|found| found.account);
    Ok(user.map_or(Plan::Drop, |user| send(taken, user.email, user.locale, content)))
}

fn plan_invitation(tx: &mut Tx<'_>, inner: &Inner, taken: &Taken, now: Timestamp) -> Result<Plan, Fault> {
    let found = invitations::by_id(tx, InvitationId::from_bytes(taken.about))?;
    let Some(invitation) = found.filter(|found| found.accepted_at.is_none() && found.expires_at > now) else {
        return Ok(Plan::Drop);
    };
    let secret = invite::token(&inner.root, &invitation);
    let link = Secret::from(format!("{}/invitation?token={}", inner.settings.public_url, secret.expose()));
    let content = MailContent::Invitation { link, link_expires_at: invitation.expires_at };
    Ok(send(taken, invitation.email, invitation.locale, content))
}

/// A message with the link of a challenge, to the address of the challenge.
fn plan_challenge(
    tx: &mut Tx<'_>,
    inner: &Inner,
    taken: &Taken,
    sign_in: String,
    now: Timestamp,
) -> Result<Plan, Fault> {
    let found = challenges::by_id(tx, &taken.about)?;
    let Some(challenge) = found.filter(|found| found.used_at.is_none() && found.expires_at > now) else {
        return Ok(Plan::Drop);
    };
    let Some(user) = users::by_id(tx, challenge.user_id)?.map(|found| found.account) else {
        return Ok(Plan::Drop);
    };
    let page = match challenge.purpose {
        Purpose::PasswordReset => "reset",
        Purpose::EmailChange => "email/confirm",
        Purpose::EmailUndo => "email/undo",
    };
    let secret = challenge::token(&inner.root, &challenge);
    let link = Secret::from(format!("{}/{page}?token={}", inner.settings.public_url, secret.expose()));
    let link_expires_at = challenge.expires_at;
    let content = match challenge.purpose {
        Purpose::PasswordReset => MailContent::PasswordReset { link, link_expires_at },
        Purpose::EmailUndo => MailContent::EmailUndo { link, link_expires_at },
        Purpose::EmailChange => {
            let owner = users::by_email(tx, &challenge.email)?.map(|found| found.account);
            if let Some(owner) = owner.filter(|owner| owner.id != user.id) {
                return Ok(send(
                    taken,
                    owner.email,
                    owner.locale,
                    MailContent::AlreadyRegistered { sign_in },
                ));
            }
            MailContent::EmailChange { link, link_expires_at }
        }
    };
    Ok(send(taken, challenge.email, user.locale, content))
}

fn plan_confirmation(
    tx: &mut Tx<'_>,
    inner: &Inner,
    taken: &Taken,
    sign_in: String,
    now: Timestamp,
) -> Result<Plan, Fault> {
    let found = registrations::by_id(tx, RegistrationId::from_bytes(taken.about))?;
    let Some(registration) = found.filter(|found| found.expires_at > now) else {
        return Ok(Plan::Drop);
    };
    let address = limits::address(&inner.root, &registration.email);
    lock(tx, &address, now)?;
    // What cannot be confirmed (any more) uses up codes, too, so that their number tells nothing (S3).
    let with_code = taken.code_at.is_some() || grant_code(tx, inner, taken, &address, now)?;
    let Some(account_since) = registration.activated_at.or(registration.decoy_at) else {
        let content = confirmation(inner, taken, &registration, with_code);
        return Ok(send(taken, registration.email, registration.locale, content));
    };
    // Asked for while it could still be confirmed: nobody needs it any more (T8).
    if taken.created_at < account_since {
        return Ok(Plan::Pretend);
    }
    let Some(owner) = users::by_email(tx, &registration.email)?.map(|found| found.account) else {
        return Ok(Plan::Pretend);
    };
    if count(tx, &address, Rule::Notice, now - DAY)?.number >= inner.policy().sign_up.notices_per_day {
        return Ok(Plan::Pretend);
    }
    outbox::is_for(tx, taken.id, owner.id)?;
    // To the stored address, never to the spelling of whoever asked (CVE-2019-19844).
    Ok(send(taken, owner.email, owner.locale, MailContent::AlreadyRegistered { sign_in }))
}

/// Whether this message may carry a code: within the limits of the address (C4, C5).
fn grant_code(
    tx: &mut Tx<'_>,
    inner: &Inner,
    taken: &Taken,
    address: &[u8; 16],
    now: Timestamp,
) -> Result<bool, Fault> {
    let policy = &inner.policy().confirm;
    let granted = policy.code
        && codes_allowed(tx, address, policy, now)?
        && count(tx, address, Rule::Code, now - DAY)?.number < policy.codes_per_day;
    if granted {
        record(tx, address, Rule::Code, now)?;
        outbox::allow_code(tx, taken.id, now)?;
    }
    Ok(granted)
}

fn confirmation(inner: &Inner, taken: &Taken, registration: &Registration, with_code: bool) -> MailContent {
    let policy = &inner.policy().confirm;
    let link = || {
        let secret = link_token(&inner.root, registration.id);
        format!("{}/confirm?token={}", inner.settings.public_url, secret.expose()).into()
    };
    MailContent::Confirm {
        // With the link switched off and no code left, a mail without either would help nobody.
        link: (policy.link || !with_code).then(link),
        code: with_code.then(|| code(&inner.root, registration.id, taken.id, policy.code_digits)),
        code_lifetime: policy.code_lifetime,
        link_expires_at: registration.expires_at,
    }
}

fn send(taken: &Taken, to: Email, locale: Option<String>, content: MailContent) -> Plan {
    Plan::Send(Box::new(Mail { id: taken.id, to, locale, created_at: taken.created_at, content }))
}

fn note_sent(
    tx: &mut Tx<'_>,
    inner: &Inner,
    taken: &Taken,
    told_owner: bool,
    now: Timestamp,
) -> Result<(), Fault> {
    let about = RegistrationId::from_bytes(taken.about);
    let registration = if taken.kind == "confirm" { registrations::by_id(tx, about)? } else { None };
    let Some(registration) = registration else {
        outbox::sent(tx, taken, now)?;
        return Ok(());
    };
    let address = limits::address(&inner.root, &registration.email);
    lock(tx, &address, now)?;
    // The plan's note of the code is newer than what was taken.
    let with_code = outbox::carries_code(tx, taken.id)?;
    let code = with_code.then(|| (taken.id, now + inner.policy().confirm.code_lifetime));
    registrations::handed_over(tx, &HandedOver { id: registration.id, mailed_at: now, code })?;
    if outbox::sent(tx, taken, now)? {
        record(tx, &address, Rule::MailSent, now)?;
        if told_owner {
            record(tx, &address, Rule::Notice, now)?;
        }
    }
    Ok(())
}
