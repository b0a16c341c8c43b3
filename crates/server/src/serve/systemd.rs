//! What the service manager is told (`sd_notify`, systemd's protocol): that the server is ready, reads its settings again, stops, and lives. Nothing is
//! told where nobody asks, and a manager that does not listen stops nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// Time to start beyond the wait for the database: migrations, keys.
const START: Duration = Duration::from_mins(1);

/// The server waits for its database, perhaps as long as this.
pub(super) fn starting(wait: Duration) {
    let most = u32::try_from((wait + START).as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::ExtendTimeoutUsec(most), NotifyState::Status("opening the database")]);
}

/// The schema is up to date, and the server listens.
pub(super) fn ready(address: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("listening on {address}"))]);
}

/// The settings are being read again; [`ready`] ends it.
pub(super) fn reloading() {
    let mut states = vec![NotifyState::Reloading, NotifyState::Status("reading the settings")];
    states.extend(NotifyState::monotonic_usec_now().ok());
    tell(&states);
}

/// No new connections are accepted.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping: open requests may end")]);
}

/// Says that the server lives, where the unit has `WatchdogSec=`: twice in that time, for as long as the runtime has a thread to run
/// this on. The database is not asked: a restart would not bring it back.
pub(super) fn watch() {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else { return };
    tokio::spawn(async move {
        let mut beat = tokio::time::interval(limit / 2);
        loop {
            beat.tick().await;
            tell(&[NotifyState::Watchdog]);
        }
    });
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}
