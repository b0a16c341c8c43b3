//! Claims of tokens by where their values come from: a user's data, the application's, or the roles.

use serde_json::{Map, Value};

use crate::domain::user::Account;

/// Octets of all claims of one token together, written as JSON.
const OCTETS_MAX: usize = 2 * 1024;
/// Octets of a name.
const NAME_MAX: usize = 128;
/// Octets of a path.
const PATH_MAX: usize = 256;

/// Claims that mean something to whoever reads a token, and that no setting may give another meaning: those that access
/// tokens and ID tokens have here, and those of people (RFC 7519 §4.1, RFC 9068 §2.2, `OpenID` Connect Core §2 and §5.1,
/// RFC 7662 §2.2, RFC 7800, RFC 8417, RFC 8693, RFC 9396).
const REGISTERED: &[&str] = &[
    "_claim_names",
    "_claim_sources",
    "acr",
    "act",
    "active",
    "address",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "authorization_details",
    "azp",
    "birthdate",
    "c_hash",
    "client_id",
    "cnf",
    "email",
    "email_verified",
    "events",
    "exp",
    "family_name",
    "gender",
    "given_name",
    "htm",
    "htu",
    "iat",
    "iss",
    "jti",
    "locale",
    "may_act",
    "middle_name",
    "name",
    "nbf",
    "nickname",
    "nonce",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "roles",
    "s_hash",
    "scope",
    "sid",
    "sub",
    "sub_id",
    "sub_jwk",
    "toe",
    "token_introspection",
    "token_type",
    "txn",
    "updated_at",
    "username",
    "vot",
    "vtm",
    "website",
    "zoneinfo",
];
/// Claims by which others decide what somebody may do (RFC 9068 §2.2.3.1): the application may give them, its users not.
const AUTHORITY: [&str; 2] = ["entitlements", "groups"];

/// Why a claim is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The name has a meaning already.
    #[error("`{0}` is a registered claim, which means something else to whoever reads the token")]
    Registered(String),
    /// Users would say themselves what they may do.
    #[error("`{0}` says what somebody may do, and its value would be what users say of themselves")]
    OwnAuthority(String),
    /// No name.
    #[error("`{0}` is no name of a claim: 1 to 128 visible characters of ASCII")]
    Name(String),
    /// No path.
    #[error("`{0}` names nothing: write `app.` or `data.` and a member, `external_id` or `roles`")]
    Path(String),
    /// There are two of this name.
    #[error("`{0}` is there twice")]
    Twice(String),
}

/// Claims, each with the place of its value: `app.plan` is the member `plan` of the application's data about the user,
/// `data.theme` one of the user's own data, `external_id` what they were called elsewhere, `roles` the list of their roles.
/// More members lead deeper.
///
/// What would make them longer than 2 KiB together is left out: what users say of themselves first, so that they cannot
/// push out what the application says of them; of each kind, what comes later by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimPaths(Vec<ClaimPath>);

/// One claim: where its value comes from, and its name. The order is that in which claims are taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimPath {
    of: ClaimSource,
    name: String,
    path: Vec<String>,
}

/// Where the value of a claim comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimSource {
    /// The roles.
    Roles,
    /// What the user was called in the system it came from.
    ExternalId,
    /// The application's data about the user.
    AppData,
    /// The user's own data.
    Data,
}

impl ClaimPaths {
    /// Each claim by its name, with the place of its value.
    ///
    /// # Errors
    /// [`ClaimError`], about the first claim that is not possible.
    pub fn new<'a>(claims: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ClaimError> {
        let mut all: Vec<ClaimPath> = Vec::new();
        for (name, path) in claims {
            if all.iter().any(|other| other.name == name) {
                return Err(ClaimError::Twice(name.to_owned()));
            }
            all.push(ClaimPath::new(name, path)?);
        }
        all.sort();
        Ok(Self(all))
    }

    /// The claims, in the order in which they are taken.
    pub fn all(&self) -> impl Iterator<Item = &ClaimPath> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the application's data about a user ends up in them.
    pub(crate) fn may_come_from_app_data(&self) -> bool {
        self.0.iter().any(|claim| claim.of == ClaimSource::AppData)
    }

    /// The claims about a user.
    pub(crate) fn of(&self, account: &Account) -> Map<String, Value> {
        if self.is_empty() {
            return Map::new();
        }
        let data = [account.app_data.to_object(), account.data.to_object()];
        fitting(self.0.iter().filter_map(|claim| Some((claim.name.clone(), claim.value(account, &data)?))))
    }
}

impl ClaimPath {
    fn new(name: &str, path: &str) -> Result<Self, ClaimError> {
        let fits = (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(ClaimError::Name(name.to_owned()));
        }
        let mut members = path.split('.').map(str::to_owned);
        let (root, path_in): (Option<String>, Vec<String>) = (members.next(), members.collect());
        let of = match root.as_deref() {
            Some("roles") if path_in.is_empty() => ClaimSource::Roles,
            Some("external_id") if path_in.is_empty() => ClaimSource::ExternalId,
            Some("app") if !path_in.is_empty() => ClaimSource::AppData,
            Some("data") if !path_in.is_empty() => ClaimSource::Data,
            _ => return Err(ClaimError::Path(path.to_owned())),
        };
        let is_readable = path.len() <= PATH_MAX && !path.chars().any(char::is_control);
        if path_in.iter().any(String::is_empty) || !is_readable {
            return Err(ClaimError::Path(path.to_owned()));
        }
        if REGISTERED.contains(&name) {
            return Err(ClaimError::Registered(name.to_owned()));
        }
        if of == ClaimSource::Data && AUTHORITY.contains(&name) {
            return Err(ClaimError::OwnAuthority(name.to_owned()));
        }
        Ok(Self { of, name: name.to_owned(), path: path_in })
    }

    /// What it is called in tokens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its value comes from.
    pub fn source(&self) -> ClaimSource {
        self.of
    }

    /// The place of its value, as it was written.
    pub fn path(&self) -> String {
        let root = match self.of {
            ClaimSource::Roles => "roles",
            ClaimSource::ExternalId => "external_id",
            ClaimSource::AppData => "app",
            ClaimSource::Data => "data",
        };
        let members = self.path.iter().map(String::as_str);
        [root].into_iter().chain(members).collect::<Vec<_>>().join(".")
    }

    fn value(&self, account: &Account, [app_data, data]: &[Map<String, Value>; 2]) -> Option<Value> {
        let object = match self.of {
            ClaimSource::Roles => return Some(account.roles.clone().into()),
            ClaimSource::ExternalId => return account.external_id.as_ref().map(|id| id.as_str().into()),
            ClaimSource::AppData => app_data,
            ClaimSource::Data => data,
        };
        let (first, rest) = self.path.split_first()?;
        rest.iter().try_fold(object.get(first)?, |value, name| value.as_object()?.get(name)).cloned()
    }
}

/// By their names, as settings and API write them.
impl serde::Serialize for ClaimPaths {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|claim| (&claim.name, claim.path())))
    }
}

/// Whether a name means something to whoever reads a token.
pub(crate) fn is_registered(name: &str) -> bool {
    REGISTERED.contains(&name)
}

/// Of these claims, in their order, each that fits beside those before it.
pub(crate) fn fitting(claims: impl Iterator<Item = (String, Value)>) -> Map<String, Value> {
    let (mut taken, mut octets) = (Map::new(), 2);
    for (name, value) in claims {
        let more = Value::from(name.as_str()).to_string().len() + value.to_string().len() + 2;
        if octets + more <= OCTETS_MAX {
            octets += more;
            taken.insert(name, value);
        } else {
            tracing::debug!(claim = name, "left out of a token: its claims would have more than 2 KiB");
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::ids::UserId;
    use crate::domain::profile::user_data::UserData;
    use crate::domain::time::Timestamp;

    fn user(app_data: Value, data: Value) -> Account {
        let object = |value| UserData::new(serde_json::from_value(value).unwrap()).unwrap();
        let at = Timestamp::from_millis(1);
        Account {
            id: UserId::from_bytes([1; 16]),
            email: "ada@example.org".parse().unwrap(),
            user_name: None,
            display_name: None,
            email_confirmed_at: at,
            created_at: at,
            disabled_at: None,
            locale: None,
            roles: vec!["editor".to_owned()],
            data: object(data),
            app_data: object(app_data),
            external_id: Some("auth0|5f7c8ec7".parse().unwrap()),
            terms_accepted_at: None,
        }
    }

    fn of(claims: &[(&str, &str)], account: &Account) -> Value {
        ClaimPaths::new(claims.iter().copied()).unwrap().of(account).into()
    }

    #[test]
    fn a_path_leads_to_a_member() {
        let ada = user(json!({"plan": {"name": "pro", "seats": 3}, "list": [1]}), json!({"plan": "gold"}));
        for (path, value) in [
            ("app.plan", json!({"x": {"name": "pro", "seats": 3}})),
            ("app.plan.seats", json!({"x": 3})),
            ("app.list", json!({"x": [1]})),
            ("app.list.0", json!({})),
            ("app.plan.name.length", json!({})),
            ("app.nothing", json!({})),
            ("data.plan", json!({"x": "gold"})),
            ("roles", json!({"x": ["editor"]})),
            ("external_id", json!({"x": "auth0|5f7c8ec7"})),
        ] {
            assert_eq!(of(&[("x", path)], &ada), value, "{path}");
        }
        assert_eq!(Value::from(ClaimPaths::default().of(&ada)), json!({}));
        assert_eq!(of(&[("x", "external_id")], &Account { external_id: None, ..ada }), json!({}));
    }

    #[test]
    fn what_means_something_already_is_refused() {
        let refused = |name: &str, path: &str| ClaimPaths::new([(name, path)]).unwrap_err();
        for name in REGISTERED.iter().copied() {
            assert_eq!(refused(name, "app.x"), ClaimError::Registered(name.to_owned()));
        }
        for name in AUTHORITY {
            assert_eq!(refused(name, "data.x"), ClaimError::OwnAuthority(name.to_owned()));
            assert!(ClaimPaths::new([(name, "app.x")]).is_ok() && ClaimPaths::new([(name, "roles")]).is_ok());
        }
        for name in ["", "a b", "ä", &"x".repeat(129)] {
            assert_eq!(refused(name, "app.x"), ClaimError::Name(name.to_owned()));
        }
        let long = format!("app.{}", "x".repeat(253));
        for path in [
            &long,
            "app.a\nb",
            "",
            "app",
            "app.",
            "app..x",
            "data",
            "roles.x",
            "external_id.x",
            "email",
            "App.x",
            "$.app.x",
        ] {
            assert_eq!(refused("x", path), ClaimError::Path(path.to_owned()));
        }
        assert!(ClaimPaths::new([("https://example.org/plan", "app.plan")]).is_ok());
        assert!(REGISTERED.is_sorted());
        let twice = ClaimPaths::new([("plan", "app.plan"), ("plan", "data.plan")]);
        assert_eq!(twice.unwrap_err(), ClaimError::Twice("plan".to_owned()));
    }

    #[test]
    fn a_path_is_shown_as_it_was_written() {
        for path in ["roles", "external_id", "app.plan", "data.look.theme"] {
            assert_eq!(ClaimPaths::new([("x", path)]).unwrap().all().next().unwrap().path(), path);
        }
    }

    // Nobody pushes out what the application says of them.
    #[test]
    fn what_users_say_is_left_out_first() {
        let claims = [("a_bio", "data.bio"), ("banned", "app.banned"), ("z_theme", "data.theme")];
        let ada = user(json!({"banned": true}), json!({"bio": "x".repeat(3000), "theme": "dark"}));
        assert_eq!(of(&claims, &ada), json!({"banned": true, "z_theme": "dark"}));
        let octets =
            |length: usize| of(&[("a", "app.a")], &user(json!({"a": "x".repeat(length)}), json!({})));
        let longest = octets(OCTETS_MAX - r#"{"a":""}"#.len() - 1);
        assert!(
            (OCTETS_MAX - 1..=OCTETS_MAX).contains(&longest.to_string().len()),
            "{}",
            longest.to_string().len()
        );
        assert_eq!(octets(OCTETS_MAX - r#"{"a":""}"#.len() + 1), json!({}));
    }
}
