//! The files of the pages: embedded in the program, with names that change with their content, so browsers cache them
//! for a year.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::body::Bytes;

use super::brand::{Brand, Color, Logo};

const CSS: &str = include_str!("../../assets/site.css");
const JS: &str = include_str!("../../assets/site.js");
const DOCS_JS: &str = include_str!("../../assets/docs.js");
const MARK: &str = include_str!("../../assets/mark.svg");

/// One file.
pub(crate) struct Asset {
    /// Its name, which contains a hash of its content.
    name: String,
    pub(crate) content_type: &'static str,
    /// Shared by all answers.
    pub(crate) bytes: Bytes,
}

impl Asset {
    fn new(stem: &str, ending: &str, content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        // Its keys are fixed: every instance of one build computes the same names.
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self { name: format!("{stem}-{:016x}.{ending}", hasher.finish()), content_type, bytes }
    }

    /// The path that browsers request.
    pub(crate) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

/// All files of the pages, with the owner's colours and logo.
pub(crate) struct Assets {
    pub(crate) css: Asset,
    pub(crate) js: Asset,
    pub(crate) docs_js: Asset,
    pub(crate) icon: Asset,
    pub(crate) logo: Asset,
    /// Our own mark in the colour for dark pages; an owner's logo is used for both.
    pub(crate) dark_logo: Option<Asset>,
}

impl Assets {
    pub(crate) fn new(brand: &Brand) -> Self {
        let (light, dark) = (brand.accent.on_light(), brand.accent.on_dark());
        let css = format!(
            ":root{{--accent:{light};--on-accent:#fff}}\n\
             @media (prefers-color-scheme:dark){{:root{{--accent:{dark};--on-accent:#14161a}}}}\n{CSS}"
        );
        let svg = "image/svg+xml";
        let mark_in = |color: Color| MARK.replace("currentColor", &color.to_string()).into_bytes();
        let mark = mark_in(light);
        let logo = match &brand.logo {
            Some(Logo { content_type, ending, bytes }) => {
                Asset::new("logo", ending, content_type, bytes.clone().into_owned())
            }
            None => Asset::new("logo", "svg", svg, mark.clone()),
        };
        Self {
            css: Asset::new("site", "css", "text/css; charset=utf-8", css.into_bytes()),
            js: Asset::new("site", "js", "text/javascript; charset=utf-8", JS.as_bytes()),
            docs_js: Asset::new("docs", "js", "text/javascript; charset=utf-8", DOCS_JS.as_bytes()),
            icon: Asset::new("icon", "svg", svg, mark),
            logo,
            dark_logo: brand.logo.is_none().then(|| Asset::new("logo", "svg", svg, mark_in(dark))),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Asset> {
        let all = [&self.css, &self.js, &self.docs_js, &self.icon, &self.logo];
        all.into_iter().chain(&self.dark_logo).find(|asset| asset.name == name)
    }
}
