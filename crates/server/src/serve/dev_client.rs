//! The client of `serve --dev`: any application on this machine signs people in with it, without a registration.

use vestibule::{
    Application, ApplicationId, ApplicationIdError, ApplicationKeys, ApplicationKind, ClaimPaths,
    ConfiguredApplication, Consent, RedirectUri, Scopes,
};

/// Its `client_id`.
pub(crate) const ID: &str = "dev";

/// Adds it, unless the settings have one of this id.
pub(crate) fn add_to(clients: &mut Vec<ConfiguredApplication>) {
    let is_free = clients.iter().all(|client| client.application.id.as_str() != ID);
    if let Some(id) = id().ok().filter(|_| is_free) {
        clients.push(ConfiguredApplication { application: client(id), secrets: Vec::new() });
    }
}

fn id() -> Result<ApplicationId, ApplicationIdError> {
    ID.parse()
}

/// It answers on this machine only, and people are asked, as RFC 8252 §8.6 wants it for such addresses.
fn client(id: ApplicationId) -> Application {
    Application {
        id,
        name: "Development".to_owned(),
        kind: ApplicationKind::Public,
        redirect_uris: vec![RedirectUri::any_on_this_machine()],
        post_logout_redirect_uris: vec![RedirectUri::any_on_this_machine()],
        logout_uri: None,
        resources: Vec::new(),
        scopes: Scopes::default(),
        machine_scopes: Scopes::default(),
        consent: Consent::Ask,
        claims: ClaimPaths::default(),
        keys: ApplicationKeys::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_rules_and_gives_way_to_one_of_the_settings() {
        let mut clients = Vec::new();
        add_to(&mut clients);
        add_to(&mut clients);
        let [one] = clients.as_mut_slice() else { panic!("{clients:?}") };
        assert_eq!(one.application.check(), Ok(()));
        one.application.name = "Mine".to_owned();
        add_to(&mut clients);
        assert_eq!(clients[0].application.name, "Mine");
    }
}
