//! Every table that a server fills: what is copied, and in which order.
//!
//! Names and kinds of columns are constants, so that the statements made of them are as fixed as any other. A test
//! compares them with the schemas of both databases: a migration whose table or column is missing here fails it.

/// The type of a column, the same on both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Int,
    Bytes,
}

/// A table of the schema.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns that order its rows.
    pub(crate) key: &'static [&'static str],
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// Whether no two rows have the same key.
    pub(crate) is_unique: bool,
}

impl Table {
    const fn new(
        name: &'static str,
        key: &'static [&'static str],
        columns: &'static [(&'static str, Kind)],
    ) -> Self {
        Self { name, key, columns, is_unique: true }
    }

    /// The kind of a column; `None` if the table has no such column.
    pub(crate) fn kind(&self, column: &str) -> Option<Kind> {
        self.columns.iter().find(|(name, _)| *name == column).map(|(_, kind)| *kind)
    }
}

use Kind::{Bytes as B, Int as I, Text as T};

/// Columns that are not copied: they follow from others, and are filled again where those arrive. Users are indexed for searching
/// anew (`store/tables/users/search.rs`).
#[cfg(test)]
pub(crate) const DERIVED: [(&str, &str, Kind); 3] =
    [("users", "search_text", T), ("user_trigrams", "trigram", T), ("user_trigrams", "user_id", B)];

/// All tables but `schema_migrations`, which says what a database has instead of what it keeps, and what is [`DERIVED`]. Rows
/// refer only to tables that come earlier.
pub(crate) static TABLES: [Table; 26] = [
    USERS,
    REGISTRATIONS,
    SESSIONS,
    Table::new(
        "refresh_tokens",
        &["hash"],
        &[
            ("hash", B),
            ("session_id", B),
            ("created_at", I),
            ("expires_at", I),
            ("consumed_at", I),
            ("successor", B),
            ("voided_at", I),
        ],
    ),
    CHALLENGES,
    PASSKEYS,
    Table::new(
        "authenticators",
        &["user_id"],
        &[
            ("user_id", B),
            ("secret", B),
            ("sealed_with", B),
            ("created_at", I),
            ("confirmed_at", I),
            ("last_step", I),
        ],
    ),
    Table::new(
        "recovery_codes",
        &["hash"],
        &[("hash", B), ("user_id", B), ("created_at", I), ("used_at", I)],
    ),
    Table::new(
        "sign_in_challenges",
        &["id"],
        &[("id", B), ("user_id", B), ("credential_version", I), ("created_at", I), ("expires_at", I)],
    ),
    Table::new("spent_ceremonies", &["id"], &[("id", B), ("expires_at", I)]),
    APPLICATIONS,
    Table::new("application_secrets", &["hash"], &[("hash", B), ("application_id", T), ("created_at", I)]),
    Table::new(
        "application_grants",
        &["user_id", "application_id"],
        &[("user_id", B), ("application_id", T), ("scopes", T), ("created_at", I), ("last_used_at", I)],
    ),
    Table::new(
        "application_assertions",
        &["application_id", "jti_hash"],
        &[("application_id", T), ("jti_hash", B), ("expires_at", I)],
    ),
    Table::new(
        "authorization_requests",
        &["id"],
        &[("id", B), ("holder", B), ("client", B), ("request", T), ("created_at", I), ("expires_at", I)],
    ),
    AUTHORIZATION_CODES,
    INVITATIONS,
    Table::new("setup_links", &["slot"], &[("slot", I), ("id", B), ("expires_at", I), ("used_at", I)]),
    OUTBOX,
    WEBHOOK_DELIVERIES,
    Table::new(
        "limit_subjects",
        &["subject"],
        &[("subject", B), ("touched_at", I), ("failures", I), ("free_at", I)],
    ),
    LIMIT_EVENTS,
    Table::new("idempotency_keys", &["key"], &[("key", B), ("fingerprint", B), ("created_at", I)]),
    AUDIT_EVENTS,
    Table::new(
        "signing_keys",
        &["id"],
        &[
            ("id", T),
            ("algorithm", T),
            ("private_key", B),
            ("public_key", B),
            ("created_at", I),
            ("retired_at", I),
            ("signs_at", I),
        ],
    ),
    Table::new("wrapped_keys", &["name"], &[("name", T), ("wrapped_key", B), ("created_at", I)]),
];

const USERS: Table = Table::new(
    "users",
    &["id"],
    &[
        ("id", B),
        ("email", T),
        ("email_key", T),
        ("user_name", T),
        ("user_name_key", T),
        ("user_name_skeleton", T),
        ("roles", T),
        ("locale", T),
        ("email_confirmed_at", I),
        ("created_at", I),
        ("last_sign_in_at", I),
        ("disabled_at", I),
        ("credential_version", I),
        ("password_hash", T),
        ("webauthn_handle", B),
        ("factor_due_at", I),
        ("display_name", T),
        ("data", T),
        ("app_data", T),
        ("external_id", T),
        ("hash_class", T),
        ("terms_accepted_at", I),
    ],
);

const REGISTRATIONS: Table = Table::new(
    "registrations",
    &["id"],
    &[
        ("id", B),
        ("email", T),
        ("email_key", T),
        ("user_name", T),
        ("password_hash", T),
        ("locale", T),
        ("created_at", I),
        ("expires_at", I),
        ("decoy_at", I),
        ("mailed_at", I),
        ("code_mail", B),
        ("code_expires_at", I),
        ("code_attempts", I),
        ("activated_at", I),
        ("claimed_at", I),
        ("crowded_at", I),
        ("display_name", T),
        ("data", T),
        ("imported_at", I),
        ("terms_accepted_at", I),
    ],
);

const SESSIONS: Table = Table::new(
    "sessions",
    &["id"],
    &[
        ("id", B),
        ("user_id", B),
        ("created_at", I),
        ("last_seen_at", I),
        ("expires_at", I),
        ("ended_at", I),
        ("user_agent", T),
        ("ip", T),
        ("browser_hash", B),
        ("amr", T),
        ("password_at", I),
        ("factor_at", I),
        ("enrol_until", I),
        ("application_id", T),
        ("parent_id", B),
        ("scopes", T),
        ("resource", T),
    ],
);

const CHALLENGES: Table = Table::new(
    "challenges",
    &["id"],
    &[
        ("id", B),
        ("purpose", T),
        ("user_id", B),
        ("session_id", B),
        ("email", T),
        ("email_key", T),
        ("credential_version", I),
        ("created_at", I),
        ("expires_at", I),
        ("used_at", I),
    ],
);

const PASSKEYS: Table = Table::new(
    "passkeys",
    &["id"],
    &[
        ("id", B),
        ("user_id", B),
        ("credential_id", B),
        ("public_key", B),
        ("algorithm", I),
        ("sign_count", I),
        ("aaguid", B),
        ("transports", T),
        ("uv_at_creation", I),
        ("backup_eligible", I),
        ("backed_up", I),
        ("name", T),
        ("created_at", I),
        ("last_used_at", I),
    ],
);

const APPLICATIONS: Table = Table::new(
    "applications",
    &["id"],
    &[
        ("id", T),
        ("name", T),
        ("kind", T),
        ("redirect_uris", T),
        ("post_logout_redirect_uris", T),
        ("logout_uri", T),
        ("resources", T),
        ("scopes", T),
        ("machine_scopes", T),
        ("consent", T),
        ("created_at", I),
        ("updated_at", I),
        ("jwks", T),
        ("claims", T),
    ],
);

const AUTHORIZATION_CODES: Table = Table::new(
    "authorization_codes",
    &["hash"],
    &[
        ("hash", B),
        ("user_id", B),
        ("parent_id", B),
        ("credential_version", I),
        ("request", T),
        ("amr", T),
        ("password_at", I),
        ("factor_at", I),
        ("created_at", I),
        ("expires_at", I),
        ("consumed_at", I),
        ("session_id", B),
    ],
);

const INVITATIONS: Table = Table::new(
    "invitations",
    &["id"],
    &[
        ("id", B),
        ("email", T),
        ("email_key", T),
        ("user_name", T),
        ("roles", T),
        ("locale", T),
        ("invited_by", B),
        ("created_at", I),
        ("expires_at", I),
        ("accepted_at", I),
    ],
);

const OUTBOX: Table = Table::new(
    "outbox",
    &["id"],
    &[
        ("id", B),
        ("kind", T),
        ("about", B),
        ("created_at", I),
        ("due_at", I),
        ("attempts", I),
        ("code_at", I),
        ("last_error", T),
        ("sent_at", I),
        ("failed_at", I),
        ("user_id", B),
    ],
);

const WEBHOOK_DELIVERIES: Table = Table::new(
    "webhook_deliveries",
    &["event_id", "endpoint"],
    &[
        ("event_id", B),
        ("endpoint", T),
        ("event", T),
        ("user_id", B),
        ("created_at", I),
        ("due_at", I),
        ("attempts", I),
        ("last_error", T),
        ("sent_at", I),
        ("failed_at", I),
        ("session_id", B),
    ],
);

/// Each row is one thing that counts: two may be equal in everything.
const LIMIT_EVENTS: Table = Table {
    name: "limit_events",
    key: &["subject", "rule", "at"],
    columns: &[("subject", B), ("rule", T), ("at", I)],
    is_unique: false,
};

const AUDIT_EVENTS: Table = Table::new(
    "audit_events",
    &["id"],
    &[
        ("id", B),
        ("at", I),
        ("kind", T),
        ("actor", T),
        ("actor_id", B),
        ("user_id", B),
        ("address", B),
        ("email", T),
        ("ip", T),
        ("user_agent", T),
        ("detail", T),
    ],
);
