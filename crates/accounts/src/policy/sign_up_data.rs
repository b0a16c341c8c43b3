//! The data that a sign-up brings, judged before it is kept.

use serde_json::{Map, Value};

use crate::domain::profile::user_data::{UserData, UserDataError};
use crate::policy::Policy;
use crate::policy::data_schema::{DataFault, DataSchema, SignUpField};

/// Why the data of a sign-up is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignUpDataError {
    /// It cannot be kept.
    #[error(transparent)]
    Invalid(#[from] UserDataError),
    /// It is not what the [`DataSchema`] asks for.
    #[error("the data of the sign-up is not what is asked for")]
    Refused(Vec<SignUpDataFault>),
}

/// Something in the data of a sign-up that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignUpDataFault {
    /// A member that no sign-up brings.
    Unknown(String),
    /// A required member is not there.
    Missing(String),
    /// A member is not as it must be.
    Wrong(DataFault),
}

impl Policy {
    /// The data of a sign-up as it will be kept.
    ///
    /// # Errors
    /// [`SignUpDataError`], if the [schema](Self::data_schema) does not ask for it or does not allow it.
    pub fn check_sign_up_data(&self, data: &Map<String, Value>) -> Result<UserData, SignUpDataError> {
        of_sign_up(self.data_schema.as_deref(), data)
    }

    /// What a sign-up asks for beside address, password and names.
    pub fn sign_up_fields(&self) -> &[SignUpField] {
        self.data_schema.as_deref().map_or(&[], DataSchema::sign_up_fields)
    }
}

/// What a sign-up brings, if it may be kept.
fn of_sign_up(
    schema: Option<&dyn DataSchema>,
    data: &Map<String, Value>,
) -> Result<UserData, SignUpDataError> {
    let fields = schema.map_or(&[][..], DataSchema::sign_up_fields);
    let known = |name: &str| fields.iter().any(|field| field.name == name);
    let unknown = data.keys().filter(|name| !known(name)).cloned().map(SignUpDataFault::Unknown);
    let missing = fields.iter().filter(|field| field.required && !data.contains_key(&field.name));
    let missing = missing.map(|field| SignUpDataFault::Missing(field.name.clone()));
    let mut faults: Vec<_> = unknown.chain(missing).collect();
    let kept: Map<String, Value> = data.clone().into_iter().filter(|(name, _)| known(name)).collect();
    // A schema looks at no more than may be kept.
    let data = UserData::new(kept.clone())?;
    if let Some(schema) = schema.filter(|_| !data.is_empty()) {
        faults.extend(schema.sign_up_faults(&kept).into_iter().map(SignUpDataFault::Wrong));
    }
    if faults.is_empty() { Ok(data) } else { Err(SignUpDataError::Refused(faults)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::data_schema::{SignUpInput, Wording};

    /// `plan` is required, and `age` a number.
    #[derive(Debug)]
    struct Asked(Vec<SignUpField>);

    impl Asked {
        fn new() -> Self {
            let field = |name: &str, required| SignUpField {
                name: name.to_owned(),
                required,
                input: SignUpInput::Number,
                label: Wording::default(),
                hint: None,
                schema: json!({}),
            };
            Self(vec![field("plan", true), field("age", false)])
        }
    }

    impl DataSchema for Asked {
        fn faults(&self, data: &Map<String, Value>) -> Vec<DataFault> {
            let wrong = data.get("age").is_some_and(|age| !age.is_number());
            let fault = || DataFault { pointer: "/age".to_owned(), reason: "no number".to_owned() };
            wrong.then(fault).into_iter().collect()
        }

        fn sign_up_fields(&self) -> &[SignUpField] {
            &self.0
        }
    }

    fn judged(schema: Option<&dyn DataSchema>, data: Value) -> Result<UserData, SignUpDataError> {
        let Value::Object(data) = data else { panic!("{data} is no object") };
        of_sign_up(schema, &data)
    }

    #[test]
    fn a_sign_up_brings_what_is_asked_for_and_nothing_else() {
        let asked = Asked::new();
        let good = judged(Some(&asked), json!({"plan": "a", "age": 3})).unwrap();
        assert_eq!(Value::Object(good.to_object()), json!({"plan": "a", "age": 3}));
        let refused = judged(Some(&asked), json!({"age": "x", "other": 1})).unwrap_err();
        let wrong = DataFault { pointer: "/age".to_owned(), reason: "no number".to_owned() };
        assert_eq!(
            refused,
            SignUpDataError::Refused(vec![
                SignUpDataFault::Unknown("other".to_owned()),
                SignUpDataFault::Missing("plan".to_owned()),
                SignUpDataFault::Wrong(wrong),
            ])
        );
        let long = judged(Some(&asked), json!({"plan": "x".repeat(4096)})).unwrap_err();
        assert_eq!(long, SignUpDataError::Invalid(UserDataError::TooLarge));
        // The schema is not asked: what is wrong with it is not told.
        let long = judged(Some(&asked), json!({"plan": "x".repeat(4096), "age": "x"})).unwrap_err();
        assert_eq!(long, SignUpDataError::Invalid(UserDataError::TooLarge));
    }

    #[test]
    fn without_a_schema_a_sign_up_brings_nothing() {
        assert_eq!(judged(None, json!({})), Ok(UserData::default()));
        let refused = judged(None, json!({"a": 1})).unwrap_err();
        assert_eq!(refused, SignUpDataError::Refused(vec![SignUpDataFault::Unknown("a".to_owned())]));
    }
}
