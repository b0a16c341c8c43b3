//! Registering applications: by administrators and operators. Those of the settings are shown here and changed there.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::application::check::ApplicationInvalid;
use crate::domain::application::id::ApplicationId;
use crate::domain::application::registered::{Application, ApplicationKind, ConfiguredApplication};
use crate::domain::audit::AuditKind;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::application::find::configured;
use crate::ops::session_end;
use crate::store::Tx;
use crate::store::tables::application::registered::{self, Stored};
use crate::store::tables::application::{assertions, grants};
use crate::token::opaque::new_application_secret;
use crate::trail::Entry;

/// Applications in the database, at most.
const MOST: i64 = 500;

/// An application, and where it is registered.
#[derive(Clone, Debug)]
pub struct RegisteredApplication {
    /// The application.
    pub application: Application,
    /// When it was registered and last changed; `None`: it is one of the settings.
    pub times: Option<(Timestamp, Timestamp)>,
    /// How many secrets it may use now.
    pub secrets: usize,
}

/// Why an application is not registered, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationChangeError {
    /// The actor may not do this, or not now.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The registration breaks a rule.
    #[error(transparent)]
    Invalid(#[from] ApplicationInvalid),
    /// There is one with this id.
    #[error("there is a client with this id")]
    Taken,
    /// There is none with this id.
    #[error("there is no client with this id")]
    NotFound,
    /// It is one of the settings.
    #[error("the client is in the settings file, and is changed there")]
    InSettings,
    /// There are 500 already.
    #[error("there are 500 clients already")]
    TooMany,
    /// A public application has no secret, and what it is cannot be changed.
    #[error("a public client has no secret, and the kind of a client cannot be changed")]
    Kind,
}

impl From<Fault> for ApplicationChangeError {
    fn from(fault: Fault) -> Self {
        Self::Admin(AdminError::Fault(fault))
    }
}

impl Accounts {
    /// Every application: those of the settings, then those of the database by id.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`Fault`](AdminError::Fault).
    pub async fn list_applications(
        &self,
        actor: Actor<'_>,
    ) -> Result<Vec<RegisteredApplication>, AdminError> {
        actor.must_be_admin()?;
        let core = self.0.clone();
        let found = self.0.store.read(move |tx| list(tx, &core)).await;
        found.map_err(AdminError::Fault)
    }

    /// The application with this id.
    ///
    /// # Errors
    /// [`ApplicationChangeError::NotFound`], [`Admin`](ApplicationChangeError::Admin).
    pub async fn find_application(
        &self,
        actor: Actor<'_>,
        id: &ApplicationId,
    ) -> Result<RegisteredApplication, ApplicationChangeError> {
        actor.must_be_admin()?;
        let (core, id) = (self.0.clone(), id.clone());
        let found = self.0.store.read(move |tx| find(tx, &core, &id)).await?;
        found.ok_or(ApplicationChangeError::NotFound)
    }

    /// Registers an application; its first secret, if it is confidential and has no keys. The secret is shown once.
    ///
    /// # Errors
    /// [`ApplicationChangeError`]
    pub async fn create_application(
        &self,
        actor: Actor<'_>,
        new: Application,
    ) -> Result<Option<Secret>, ApplicationChangeError> {
        let (core, now) = (self.0.clone(), self.0.now());
        actor.must_be_fresh_admin(&core, now).await?;
        new.check()?;
        if configured(&core, new.id.as_str()).is_some() {
            return Err(ApplicationChangeError::Taken);
        }
        let needs_secret = new.kind == ApplicationKind::Confidential && new.keys.is_empty();
        let made = needs_secret.then(|| new_application_secret(&core.settings.env));
        let (secret, hash) = made.unzip();
        let entry = Entry::by(AuditKind::ApplicationCreated, actor).detail(new.id.as_str());
        self.0
            .store
            .write(move |tx| {
                if registered::count(tx)? >= MOST {
                    return Err(ApplicationChangeError::TooMany);
                }
                if !registered::insert(tx, &new, now)? {
                    return Err(ApplicationChangeError::Taken);
                }
                if let Some(hash) = &hash {
                    registered::add_secret(tx, &new.id, hash, now)?;
                }
                Ok(entry.write(tx, &core, now)?)
            })
            .await?;
        Ok(secret)
    }

    /// Replaces the registration of an application, except for its id and kind.
    ///
    /// # Errors
    /// [`ApplicationChangeError`]
    pub async fn update_application(
        &self,
        actor: Actor<'_>,
        changed: Application,
    ) -> Result<(), ApplicationChangeError> {
        let (core, now) = (self.0.clone(), self.0.now());
        actor.must_be_fresh_admin(&core, now).await?;
        changed.check()?;
        must_be_stored(&core, &changed.id)?;
        let entry = Entry::by(AuditKind::ApplicationUpdated, actor).detail(changed.id.as_str());
        self.0
            .store
            .write(move |tx| {
                if !registered::update(tx, &changed, now)? {
                    let exists = registered::find(tx, changed.id.as_str())?.is_some();
                    let (kind, none) = (ApplicationChangeError::Kind, ApplicationChangeError::NotFound);
                    return Err(if exists { kind } else { none });
                }
                let is_known_by_keys = changed.kind == ApplicationKind::Public || !changed.keys.is_empty();
                if !is_known_by_keys && registered::secrets(tx, changed.id.as_str())?.is_empty() {
                    return Err(ApplicationInvalid::KeysNeeded.into());
                }
                Ok(entry.write(tx, &core, now)?)
            })
            .await
    }

    /// A new secret of an application. The newest of those before goes on working, until
    /// [`drop_old_application_secret`](Self::drop_old_application_secret), or until there is another one.
    ///
    /// # Errors
    /// [`ApplicationChangeError`]
    pub async fn rotate_application_secret(
        &self,
        actor: Actor<'_>,
        id: &ApplicationId,
    ) -> Result<Secret, ApplicationChangeError> {
        let (secret, hash) = new_application_secret(&self.0.settings.env);
        self.change_secrets(actor, id, "a new secret", move |tx, id, now| {
            registered::add_secret(tx, id, &hash, now)
        })
        .await?;
        Ok(secret)
    }

    /// Every secret of an application but the newest stops working.
    ///
    /// # Errors
    /// [`ApplicationChangeError`]
    pub async fn drop_old_application_secret(
        &self,
        actor: Actor<'_>,
        id: &ApplicationId,
    ) -> Result<(), ApplicationChangeError> {
        self.change_secrets(actor, id, "the old secret does not work any more", |tx, id, _| {
            registered::keep_newest_secret(tx, id)
        })
        .await
    }

    async fn change_secrets(
        &self,
        actor: Actor<'_>,
        id: &ApplicationId,
        what: &str,
        change: impl Fn(&mut Tx<'_>, &ApplicationId, Timestamp) -> Result<(), Fault> + Send + 'static,
    ) -> Result<(), ApplicationChangeError> {
        let (core, id, now) = (self.0.clone(), id.clone(), self.0.now());
        actor.must_be_fresh_admin(&core, now).await?;
        must_be_stored(&core, &id)?;
        let entry = Entry::by(AuditKind::ApplicationSecretChanged, actor).detail(format!("{id}: {what}"));
        self.0
            .store
            .write(move |tx| {
                let found = registered::find(tx, id.as_str())?.ok_or(ApplicationChangeError::NotFound)?;
                if found.application.kind == ApplicationKind::Public {
                    return Err(ApplicationChangeError::Kind);
                }
                change(tx, &id, now)?;
                Ok(entry.write(tx, &core, now)?)
            })
            .await
    }

    /// Removes an application from the database. Its sessions end, and what users have allowed it is forgotten; unless the
    /// settings have one of the same id, which keeps both.
    ///
    /// # Errors
    /// [`ApplicationChangeError`]
    pub async fn remove_application(
        &self,
        actor: Actor<'_>,
        id: &ApplicationId,
    ) -> Result<(), ApplicationChangeError> {
        let (core, id, now) = (self.0.clone(), id.clone(), self.0.now());
        actor.must_be_fresh_admin(&core, now).await?;
        let entry = Entry::by(AuditKind::ApplicationRemoved, actor).detail(id.as_str());
        self.0
            .store
            .write(move |tx| {
                let stays = must_be_stored(&core, &id);
                if !registered::delete(tx, &id)? {
                    return Err(stays.err().unwrap_or(ApplicationChangeError::NotFound));
                }
                if stays.is_ok() {
                    session_end::end_removed(tx, id.as_str(), now)?;
                    grants::delete_all(tx, id.as_str())?;
                    assertions::delete_all(tx, id.as_str())?;
                }
                Ok(entry.write(tx, &core, now)?)
            })
            .await
    }

    /// The applications that are both in the settings and in the database. Only those of the settings count, which whoever
    /// changes the others would not notice: a server should not start like this.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn applications_registered_twice(&self) -> Result<Vec<ApplicationId>, Fault> {
        let core = self.0.clone();
        self.0.store.read(move |tx| twice(tx, &core)).await
    }
}

fn must_be_stored(core: &Core, id: &ApplicationId) -> Result<(), ApplicationChangeError> {
    let found = configured(core, id.as_str());
    found.map_or(Ok(()), |_| Err(ApplicationChangeError::InSettings))
}

fn twice(tx: &mut Tx<'_>, core: &Core) -> Result<Vec<ApplicationId>, Fault> {
    let mut twice = Vec::new();
    for ConfiguredApplication { application, .. } in &core.policy().applications {
        if registered::find(tx, application.id.as_str())?.is_some() {
            twice.push(application.id.clone());
        }
    }
    Ok(twice)
}

fn list(tx: &mut Tx<'_>, core: &Core) -> Result<Vec<RegisteredApplication>, Fault> {
    let mut all: Vec<_> = core
        .policy()
        .applications
        .iter()
        .map(|configured| RegisteredApplication {
            application: configured.application.clone(),
            times: None,
            secrets: configured.secrets.len(),
        })
        .collect();
    for stored in registered::list(tx, MOST)? {
        if configured(core, stored.application.id.as_str()).is_none() {
            all.push(with_secrets(tx, stored)?);
        }
    }
    Ok(all)
}

fn find(tx: &mut Tx<'_>, core: &Core, id: &ApplicationId) -> Result<Option<RegisteredApplication>, Fault> {
    if let Some(configured) = configured(core, id.as_str()) {
        let (application, secrets) = (configured.application.clone(), configured.secrets.len());
        return Ok(Some(RegisteredApplication { application, times: None, secrets }));
    }
    let stored = registered::find(tx, id.as_str())?;
    stored.map(|stored| with_secrets(tx, stored)).transpose()
}

fn with_secrets(tx: &mut Tx<'_>, stored: Stored) -> Result<RegisteredApplication, Fault> {
    let Stored { application, created_at, updated_at } = stored;
    let secrets = registered::secrets(tx, application.id.as_str())?.len();
    Ok(RegisteredApplication { application, times: Some((created_at, updated_at)), secrets })
}
