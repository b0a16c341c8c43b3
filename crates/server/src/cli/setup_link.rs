//! `vestibule setup-link`.

use serde_json::json;

use super::output;
use crate::cli::Context;
use crate::failure::Failure;
use crate::open::{self, Pending};

/// Prints the link, the same as long as it works.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let config = context.config()?;
    open::block_on(async {
        let key = open::secret_key(&config, false)?;
        let public_url = config.public_url(config.listen.port());
        let accounts = open::accounts(&config, public_url, key, Pending::Refuse).await?;
        let Some(setup) = accounts.setup_link().await? else {
            return Err(Failure::failed("there is an administrator already").fix(
                "let one of them invite you, or make another: `vestibule user create --admin --email …`",
            ));
        };
        if context.json {
            return output::object(json!({ "link": setup.link.expose(), "expires_at": setup.expires_at }));
        }
        eprintln!("Whoever opens this link becomes the administrator: once, until {}.", setup.expires_at);
        output::line(setup.link.expose())
    })
}
