//! The claims that access tokens have beyond their own.

use std::collections::BTreeMap;

use vestibule::{ClaimError, Claims};

use crate::config::checker::Checker;

pub(crate) fn claims(table: &BTreeMap<String, String>, checker: &mut Checker) -> Claims {
    let pairs = table.iter().map(|(name, path)| (name.as_str(), path.as_str()));
    Claims::from_paths(pairs).unwrap_or_else(|error| {
        checker.problem("claims", &error, fix_of(&error));
        Claims::default()
    })
}

/// What to do about it.
pub(crate) fn fix_of(error: &ClaimError) -> &'static str {
    match error {
        ClaimError::Registered(_) | ClaimError::Name(_) => {
            "choose another name, e.g. \"plan\" or \"https://app.example.org/plan\""
        }
        ClaimError::OwnAuthority(_) => "take it from `app.`, which users cannot change",
        ClaimError::Path(_) => "write e.g. \"app.plan\", \"data.theme\", \"external_id\" or \"roles\"",
        ClaimError::Twice(_) => "leave one of them out",
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Flags;
    use crate::config::environment::Environment;
    use crate::config::settings::Config;

    fn load(pairs: &[(&str, &str)], flags: &Flags) -> Result<Config, String> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::load(flags, &Environment(pairs.collect()));
        config.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn claims_are_named_in_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.toml");
        let flags = Flags { config: Some(path.clone()), ..Flags::default() };
        for text in [
            "claims = { plan = \"app.plan\", \"https://a.example/theme\" = \"data.theme\" }",
            "[claims]\nplan = \"app.plan\"\n\"https://a.example/theme\" = \"data.theme\"",
        ] {
            std::fs::write(&path, text).unwrap();
            let claims = format!("{:?}", load(&[], &flags).unwrap().policy.claims);
            assert!(
                claims.contains("\"plan\"") && claims.contains("\"https://a.example/theme\""),
                "{claims}"
            );
        }
        let given = load(&[("VESTIBULE_CLAIMS", "plan=app.plan, seats = app.seats")], &Flags::default());
        let claims = format!("{:?}", given.unwrap().policy.claims);
        assert!(claims.contains("\"plan\"") && claims.contains("\"seats\""), "{claims}");
        assert_eq!(format!("{:?}", load(&[], &Flags::default()).unwrap().policy.claims), "Claims");
    }

    #[test]
    fn a_claim_that_means_something_already_is_refused() {
        for (given, cause, fix) in [
            ("sub=app.id", "`sub` is a registered claim", "choose another name"),
            ("email_verified=data.x", "`email_verified` is a registered claim", "choose another name"),
            ("groups=data.groups", "`groups` says what somebody may do", "take it from `app.`"),
            ("plan=plan", "`plan` names nothing", "write e.g. \"app.plan\""),
            ("plan", "no list of names and values", "plan=app.plan"),
            ("a=app.a,a=app.b", "no list of names and values", "plan=app.plan"),
        ] {
            let refused = load(&[("VESTIBULE_CLAIMS", given)], &Flags::default()).map(drop).unwrap_err();
            assert!(refused.contains("VESTIBULE_CLAIMS"), "{refused}");
            assert!(refused.contains(cause) && refused.contains(fix), "{refused}");
        }
    }
}
