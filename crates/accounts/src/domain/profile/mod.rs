//! What is kept about people beside how they sign in.

pub(crate) mod claim_paths;
pub(crate) mod display_name;
pub(crate) mod edit;
pub(crate) mod external_id;
pub(crate) mod user_data;
