//! Rounds: people use the server, something happens, the server ends, starts again, and is asked what it remembers.

use std::collections::BTreeMap;
use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use vestibule_testing::{Cluster, PASSWORD, Proxy, Server, Site, Step, TestDatabase, Trouble, WIDE_LIMITS};

use super::client::{ADMIN, Client};
use super::disturbances::{Disturbance, Postgres, World, recovers};
use super::ledger::Ledger;
use super::load::Load;
use super::verify::Verifier;
use crate::shell::Result;

/// A restarted server must be ready within this time.
const READY_SQLITE: Duration = Duration::from_secs(1);
const READY_POSTGRES: Duration = Duration::from_secs(10);
/// The misbehaviours of the relay.
const TROUBLES: [Trouble; 9] = [
    Trouble::HangsUp,
    Trouble::Slow(Duration::from_secs(2)),
    Trouble::Throttles,
    Trouble::Refuses(Step::Sender, "552 5.2.3 daily quota exceeded"),
    Trouble::Refuses(Step::Sender, "450 4.7.1 try again"),
    Trouble::Refuses(Step::Recipient, "452 4.2.2 mailbox full"),
    Trouble::Refuses(Step::Recipient, "550 5.1.1 no such user"),
    Trouble::Refuses(Step::Message, "451 4.3.0 try again"),
    Trouble::Refuses(Step::Message, "552 5.3.4 too big"),
];

/// A server and everything that happens to it.
pub(super) struct Rounds {
    site: Site,
    postgres: Option<Postgres>,
    ledger: Ledger,
    verifier: Verifier,
    dice: fastrand::Rng,
    seed: u64,
    tally: Tally,
    /// The standby that has taken over at the end, kept alive until then.
    standby: Option<(TestDatabase, Cluster)>,
}

/// The result of a run.
#[derive(Default)]
pub(super) struct Tally {
    rounds: u32,
    kills: u32,
    happened: BTreeMap<Disturbance, u32>,
    /// Rounds in which the relay misbehaved.
    troubles: u32,
    /// Rounds after which a message may arrive a second time.
    doubts: u32,
    acknowledged: u64,
    mails: usize,
    copies: usize,
    slowest: Duration,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, kills, troubles, acknowledged, mails, copies, slowest, .. } = self;
        write!(f, "{rounds} rounds, {kills} kills, {troubles} with a relay that makes trouble, ")?;
        for (what, times) in self.happened.iter().filter(|(what, _)| **what != Disturbance::Nothing) {
            write!(f, "{what:?} {times}, ")?;
        }
        write!(
            f,
            "{acknowledged} writes acknowledged, {mails} mails and {copies} copies of them, ready again within "
        )?;
        write!(f, "{} ms", slowest.as_millis())
    }
}

impl Rounds {
    pub(super) fn new(site: Site, postgres: Option<Postgres>, seed: u64) -> Result<Self> {
        let mut rounds = Self {
            site,
            postgres,
            ledger: Ledger::default(),
            verifier: Verifier::default(),
            dice: fastrand::Rng::with_seed(seed),
            seed,
            tally: Tally::default(),
            standby: None,
        };
        drop(rounds.start_at_leisure());
        let made = rounds.site.run_with_input(
            &["user", "create", "--admin", "--password-stdin", "--email", ADMIN],
            &format!("{PASSWORD}\n"),
        );
        if made.code != Some(0) {
            return Err(format!("no administrator: {}", made.stderr));
        }
        Ok(rounds)
    }

    /// Performs the rounds.
    ///
    /// # Errors
    /// What was lost, or what the server did instead of starting again.
    pub(super) fn run(mut self, rounds: u32) -> Result<Tally> {
        let mut server = self.start()?;
        for round in 1..=rounds {
            self.round(server, round)?;
            server = self.start()?;
            let client = Client::of(&server)?;
            self.verifier.verify(client, &self.ledger)?;
        }
        if self.postgres.is_some() {
            self.failover(&mut server)?;
        }
        let (client, relay) = (Client::of(&server)?, self.site.relay());
        let mails = self.verifier.verify_mails(client, &self.ledger, relay, self.tally.doubts)?;
        (self.tally.mails, self.tally.copies) = mails;
        self.tally.rounds = rounds + u32::from(self.postgres.is_some());
        self.tally.acknowledged = self.ledger.open().acknowledged;
        Ok(self.tally)
    }

    /// People use the server, something happens, and the server ends in the middle of its work.
    fn round(&mut self, mut server: Server, round: u32) -> Result {
        let what = Disturbance::any(self.postgres.is_some(), &mut self.dice);
        let (before, after) = (self.dice.u64(50..500), self.dice.u64(20..300));
        let is_kill = self.dice.u8(..10) < 7;
        let trouble = (self.dice.u8(..10) < 4).then(|| TROUBLES[self.dice.usize(..TROUBLES.len())]);
        let end = if is_kill { "killed" } else { "stopped" };
        eprintln!("round {round}: {what:?}, relay {trouble:?}, {end}");
        let relay = self.site.relay().clone();
        relay.makes(trouble);
        let load = Load {
            client: Client::of(&server)?,
            ledger: &self.ledger,
            relay: &relay,
            round,
            seed: self.seed,
        };
        let (site, ledger) = (&self.site, &self.ledger);
        let postgres = self.postgres.as_mut();
        load.while_people_ask(|| {
            sleep(Duration::from_millis(before));
            what.happen(World { site, server: &server, postgres, ledger, round })?;
            sleep(Duration::from_millis(after));
            // Requests in flight when the server ends get no answer.
            server.signal(if is_kill { "-KILL" } else { "-TERM" });
            server.ended();
            Ok::<(), String>(())
        })?;
        relay.makes(None);
        self.tally.kills += u32::from(is_kill);
        self.tally.troubles += u32::from(trouble.is_some());
        let leaves_doubt = matches!(trouble, Some(Trouble::HangsUp | Trouble::Slow(_)));
        self.tally.doubts += u32::from(is_kill || leaves_doubt);
        *self.tally.happened.entry(what).or_default() += 1;
        Ok(())
    }

    /// The cluster dies while people use the server, and its standby, which the URL names, takes over.
    fn failover(&mut self, server: &mut Server) -> Result {
        let Some(postgres) = &mut self.postgres else { return Ok(()) };
        let standby = postgres.cluster.standby();
        let copy = standby.copy_of(self.site.database());
        postgres.ways = [Proxy::before(self.site.database()), Proxy::before(&copy)];
        *server = self.start()?;
        let Some(postgres) = &mut self.postgres else { return Ok(()) };
        let relay = self.site.relay().clone();
        let load = Load {
            client: Client::of(server)?,
            ledger: &self.ledger,
            relay: &relay,
            round: 0,
            seed: self.seed,
        };
        load.while_people_ask(|| {
            sleep(Duration::from_secs(1));
            postgres.cluster.kill();
            standby.promote();
            recovers(server, "the standby took over")?;
            sleep(Duration::from_secs(1));
            Ok::<(), String>(())
        })?;
        *self.tally.happened.entry(Disturbance::Failover).or_default() += 1;
        self.verifier.verify(Client::of(server)?, &self.ledger)?;
        self.standby = Some((copy, standby));
        Ok(())
    }

    /// Starts the server again, and waits until it is ready.
    fn start(&mut self) -> Result<Server> {
        let begun = Instant::now();
        let server = self.start_at_leisure();
        let client = Client::of(&server)?;
        let most = if self.postgres.is_some() { READY_POSTGRES } else { READY_SQLITE };
        while !client.is_ready() {
            if begun.elapsed() > 3 * most {
                return Err(format!("not ready within {:?}", 3 * most));
            }
            sleep(Duration::from_millis(2));
        }
        self.tally.slowest = self.tally.slowest.max(begun.elapsed());
        if begun.elapsed() > most {
            return Err(format!("ready only after {:?}, where {most:?} is the most", begun.elapsed()));
        }
        Ok(server)
    }

    fn start_at_leisure(&mut self) -> Server {
        let mut settings = WIDE_LIMITS.to_vec();
        // Over both protocols, and not slow for long: a slow relay is given up.
        let relay = self.site.relay();
        let mail =
            if self.dice.bool() { format!("{}?message_timeout=1", relay.url()) } else { relay.api_url() };
        settings.push(("VESTIBULE_MAIL_URL", &mail));
        let url = self.postgres.as_ref().map(|it| it.url(self.site.database()));
        settings.extend(url.as_deref().map(|url| ("VESTIBULE_DATABASE_URL", url)));
        self.site.serve_with(&settings)
    }
}
