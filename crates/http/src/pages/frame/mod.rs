//! Shared by all pages: visits, templates, languages and forms.

pub(crate) mod content_policy;
pub(crate) mod device;
pub(crate) mod error_view;
pub(crate) mod factor_form;
pub(crate) mod i18n;
pub(crate) mod look;
pub(crate) mod mailed_link;
pub(crate) mod page_form;
pub(crate) mod problem_page;
pub(crate) mod query;
pub(crate) mod render;
mod return_to;
mod typed;
pub(crate) mod visit;
