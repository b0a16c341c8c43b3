//! What an application may see and do, in words.

use minijinja::{Value, context};
use vestibule::{ClaimPath, ClaimPaths, ClaimSource, Scopes};

use crate::pages::frame::i18n::Language;

/// The scopes that every application may ask for, in the order of the pages, and the keys of their texts.
const KNOWN: [(&str, &str); 4] = [
    ("openid", "scope.openid"),
    ("profile", "scope.profile"),
    ("email", "scope.email"),
    ("offline_access", "scope.offline_access"),
];

/// The scopes for a list: those that are known everywhere as a text, the application's own by their names.
pub(crate) fn in_words(language: Language, scopes: &Scopes) -> Vec<Value> {
    let known = KNOWN.iter().filter(|(name, _)| scopes.has(name));
    let known = known.map(|(name, key)| context! { name => *name, text => language.text(key) });
    let own = scopes.names().filter(|name| KNOWN.iter().all(|(other, _)| other != name));
    known.chain(own.map(|name| context! { name, own => true })).collect()
}

/// The claims for the same list: by their names, and whether their values come from what the user has entered.
pub(crate) fn claims_in_words(claims: &ClaimPaths) -> Vec<Value> {
    let one = |claim: &ClaimPath| {
        context! { name => claim.name(), entered => claim.source() == ClaimSource::Data }
    };
    claims.all().map(one).collect()
}
