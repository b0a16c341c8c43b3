//! Commands that are described only when they are called: a server that starts needs none of the others.

use clap::{ArgMatches, Command, Error, FromArgMatches, Subcommand};

/// The commands below a noun. Their arguments are described when one of them, or the help of the noun, is wanted.
#[derive(Debug)]
pub(super) struct Deferred<T>(pub(super) T);

impl<T: Subcommand> Subcommand for Deferred<T> {
    fn augment_subcommands(noun: Command) -> Command {
        noun.defer(|noun| described(noun, T::augment_subcommands))
    }

    fn augment_subcommands_for_update(noun: Command) -> Command {
        noun.defer(|noun| described(noun, T::augment_subcommands_for_update))
    }

    fn has_subcommand(name: &str) -> bool {
        T::has_subcommand(name)
    }
}

/// With what the noun already says of itself.
fn described(noun: Command, describe: fn(Command) -> Command) -> Command {
    match noun.get_about().cloned() {
        Some(about) => describe(noun).about(about),
        None => describe(noun),
    }
}

impl<T: FromArgMatches> FromArgMatches for Deferred<T> {
    fn from_arg_matches(found: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(found).map(Self)
    }

    fn update_from_arg_matches(&mut self, found: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(found)
    }
}
