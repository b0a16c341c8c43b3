//! Devices in the language of the reader.

use super::i18n::Language;
use crate::api::device;

/// A device, as its owner would name it.
pub(crate) fn device_words(language: Language, user_agent: Option<&str>) -> String {
    let device = device::in_words(user_agent.unwrap_or_default());
    if device == device::UNKNOWN {
        language.text("account.unknown_device").to_owned()
    } else {
        device.replace(" on ", " · ")
    }
}
