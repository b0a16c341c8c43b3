//! `vestibule setup-link`.

use serde_json::json;

use super::context::Context;
use super::terminal::output;
use crate::failure::Failure;
use crate::open;

/// Prints the link, which stays the same while it works.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let config = context.config()?;
    open::block_on(async {
        let public_url = config.public_url(config.listen.port());
        let accounts = open::for_command(&config, public_url).await?;
        let Some(setup) = accounts.setup_link().await? else {
            return Err(Failure::failed("there is already an administrator").fix(
                "ask one for an invitation, or create another: `vestibule user create --admin --email …`",
            ));
        };
        if context.json {
            return output::object(json!({ "link": setup.link.expose(), "expires_at": setup.expires_at }));
        }
        eprintln!(
            "Whoever uses this link first becomes the administrator; it works until {}.",
            setup.expires_at
        );
        output::line(setup.link.expose())
    })
}
