//! Databases full of users, written in SQL: the server would need hours.

/// An administrator.
pub(super) const ADMIN: &str = "admin@example.org";
/// A file beside a database that was filled to the end.
pub(super) const MARK: &str = "filled-1";

const DAY: u64 = 86_400_000;
/// Eight names, each of six characters with its spaces.
const NAMES: &str = "ada   grace linus alan  edsgerbarb  donaldtim   ";
/// Everybody's audit events.
const EVENTS: u32 = 5;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Database {
    Sqlite,
    Postgres,
}

/// The address of a user.
pub(super) fn email(number: u32) -> String {
    let at = (number % 8) as usize * 6;
    format!("{}.{number}@mail.example.org", NAMES[at..at + 6].trim_end())
}

impl Database {
    /// The numbers from 0, so many, as `n.i`.
    fn numbers(self, count: u32) -> String {
        match self {
            Self::Sqlite => format!(
                "(WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i + 1 < {count}) SELECT i FROM s) AS n"
            ),
            Self::Postgres => format!("generate_series(0::bigint, {count} - 1) AS n(i)"),
        }
    }

    /// A `UUIDv7` of this time, different for each number.
    fn id(self, at: &str, number: &str) -> String {
        match self {
            Self::Sqlite => format!("unhex(printf('%012x7%03x8%015x', {at}, ({number}) % 4096, {number}))"),
            Self::Postgres => format!(
                "decode(lpad(to_hex({at}), 12, '0') || '7' || lpad(to_hex(({number}) % 4096), 3, '0') || '8' || \
                 lpad(to_hex({number}), 15, '0'), 'hex')"
            ),
        }
    }

    /// 32 bytes that look random.
    fn hash(self, number: &str) -> String {
        match self {
            Self::Sqlite => "randomblob(32)".to_owned(),
            Self::Postgres => format!("sha256(({number})::text::bytea)"),
        }
    }
}

/// The statements that add so many users with everything that belongs to them: a live session each, with its refresh
/// token, audit events of a year, limits that were counted, what they are searched by. One in 100 is disabled, one in
/// 1000 has a role, one in 50 has a passkey, one in 5 has never signed in.
pub(super) fn script(database: Database, users: u32, now: u64) -> String {
    let n = database.numbers(users);
    // Whole milliseconds between two, so that ids sort like their numbers.
    let joined = times(now - 360 * DAY, 359 * DAY, users, "n.i");
    let user = database.id(&joined, "n.i");
    let email = format!(
        "rtrim(substr('{NAMES}', CAST((n.i % 8) * 6 + 1 AS INT), 6)) || '.' || n.i || '@mail.example.org'"
    );
    let began = times(now - 5 * DAY, 4 * DAY, users, "n.i");
    let session = database.id(&began, "n.i");
    let expiry = now + 20 * DAY;
    let events = users * EVENTS;
    let happened = times(now - 360 * DAY, 359 * DAY, events, "n.i");
    // Not in the order of the users: neighbours in time are strangers.
    let whose = format!("((n.i * 7919) % {users})");
    let actor = database.id(&times(now - 360 * DAY, 359 * DAY, users, &whose), &whose);
    let statements = [
        format!(
            "INSERT INTO users (id, email, email_key, roles, email_confirmed_at, created_at, last_sign_in_at, disabled_at, \
             credential_version, password_hash, search_text) SELECT {user}, {email}, {email}, \
             CASE WHEN n.i % 1000 = 7 THEN 'editor' ELSE '' END, {joined}, {joined}, \
             CASE WHEN n.i % 5 = 3 THEN NULL ELSE {began} END, CASE WHEN n.i % 100 = 9 THEN {began} END, 0, \
             (SELECT f.password_hash FROM users f WHERE f.email_key = 'first@example.org'), '\n\n' || {email} FROM {n}"
        ),
        format!(
            "INSERT INTO sessions (id, user_id, created_at, last_seen_at, expires_at, user_agent, ip, amr, password_at) \
             SELECT {session}, {user}, {began}, {began}, {expiry}, 'Mozilla/5.0 (X11; Linux x86_64)', '192.0.2.1', 'pwd', {began} \
             FROM {n}"
        ),
        format!(
            "INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) \
             SELECT {}, {session}, {began}, {expiry} FROM {n}",
            database.hash("n.i")
        ),
        format!(
            "INSERT INTO passkeys (id, user_id, credential_id, public_key, algorithm, sign_count, aaguid, transports, \
             uv_at_creation, backup_eligible, backed_up, name, created_at) \
             SELECT {user}, {user}, {user}, {user}, -7, 0, {user}, '', 1, 1, 1, 'key', {joined} FROM {n} WHERE n.i % 50 = 1"
        ),
        format!(
            "INSERT INTO limit_subjects (subject, touched_at, failures, free_at) SELECT {}, {began}, 0, 0 FROM {n}",
            database.id(&began, "n.i")
        ),
        format!(
            "INSERT INTO audit_events (id, at, kind, actor, actor_id, user_id, address, email, ip, user_agent) \
             SELECT {}, {happened}, CASE n.i % 10 WHEN 0 THEN 'signed_up' WHEN 1 THEN 'activated' WHEN 2 THEN 'sign_in_failed' \
             ELSE 'signed_in' END, 'user', {actor}, {actor}, {actor}, 'a***@mail.example.org', '192.0.2.1', \
             'Mozilla/5.0 (X11; Linux x86_64)' FROM {}",
            database.id(&happened, "n.i"),
            database.numbers(events)
        ),
        format!(
            "INSERT INTO user_trigrams (trigram, user_id) SELECT substr(u.search_text, CAST(n.i + 1 AS INT), 3), u.id \
             FROM users u JOIN {} ON n.i <= length(u.search_text) - 3 WHERE u.email_key LIKE '%@mail.example.org' \
             ORDER BY 1, 2 ON CONFLICT DO NOTHING",
            database.numbers(64)
        ),
    ];
    let statements = statements.join(";\n");
    match database {
        // Whoever is interrupted begins anew, so nothing has to be taken back.
        Database::Sqlite => format!(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN;\n{statements};\n\
             COMMIT; PRAGMA journal_mode = WAL;"
        ),
        Database::Postgres => statements,
    }
}

/// The time of one of `count` numbers, spread evenly over `length` milliseconds.
fn times(first: u64, length: u64, count: u32, number: &str) -> String {
    let step = (length / u64::from(count)).max(1);
    format!("({first} + {number} * {step})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_statements() {
        assert_eq!(
            [0, 1, 7, 12].map(email).join(" "),
            "ada.0@mail.example.org grace.1@mail.example.org tim.7@mail.example.org edsger.12@mail.example.org"
        );
    }

    #[test]
    fn both_databases_are_filled_with_the_same_tables() {
        let tables = |database| -> Vec<String> {
            let text = script(database, 1000, 400 * DAY);
            let inserts = text.split("INSERT INTO ").skip(1);
            inserts.filter_map(|rest| rest.split(')').next().map(str::to_owned)).collect()
        };
        let found = tables(Database::Sqlite);
        assert_eq!(found, tables(Database::Postgres));
        assert_eq!(found.len(), 7, "{found:?}");
    }
}
