//! How pages look: brand, style sheets, icons, and the theme that the reader has chosen.

pub(crate) mod assets;
pub(crate) mod brand;
pub(crate) mod face;
pub(crate) mod icons;
pub(crate) mod theme;
