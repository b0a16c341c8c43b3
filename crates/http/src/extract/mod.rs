//! The extractors of the handlers. Everything is read strictly: what is not understood is refused, never guessed.

pub(crate) mod cookies;
pub(crate) mod factor;
#[cfg(test)]
mod fuzz;
pub(crate) mod header;
mod if_match;
pub(crate) mod input;
mod segment;
pub(crate) mod sender;
pub(crate) mod terms;

pub use sender::client::Client;
pub use sender::proxies::{ProxyError, TrustedProxies, UnknownPeer};
pub use sender::signed_in::SignedIn;

pub(crate) use if_match::{IfMatch, etag};
pub(crate) use input::fields::{self, Fields, GivenPassword, ReadFields};
pub(crate) use input::form::{Form, FormText, Pairs};
pub(crate) use input::json::Json;
pub(crate) use input::object::{AnyObject, MergePatch};
pub(crate) use input::query::Query;
pub(crate) use segment::{LastSegment, SegmentBeforeLast, ThirdFromLast};
pub(crate) use sender::administrator::Administrator;
pub(crate) use sender::app_data::AppDataKeeper;
pub(crate) use sender::basic::{Basic, credentials};
pub(crate) use sender::bearer::{AccessToken, Bearer};
