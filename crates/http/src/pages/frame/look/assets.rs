//! The files of the pages: embedded in the program, with names that change with their content, so browsers cache them
//! for a year.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::body::Bytes;

use crate::compressed::PublicText;

use super::brand::{Brand, Logo};

const CSS: &str = include_str!("../../../assets/site.css");
const ROOMS_CSS: &str = include_str!("../../../assets/rooms.css");
const ADMIN_CSS: &str = include_str!("../../../assets/admin.css");
const DOCS_CSS: &str = include_str!("../../../assets/docs.css");
const JS: &str = include_str!("../../../assets/site.js");
const DOCS_JS: &str = include_str!("../../../assets/docs.js");
const MARK: &str = include_str!("../../../assets/mark.svg");
/// The mark on the colour that pages have if nobody chose one, 180 pixels wide.
const TOUCH_ICON: &[u8] = include_bytes!("../../../assets/touch.png");

/// One file.
pub(crate) struct Asset {
    /// Its name, which contains a hash of its content.
    name: String,
    pub(crate) content_type: &'static str,
    /// Shared by all answers.
    pub(crate) content: PublicText,
}

impl Asset {
    fn new(stem: &str, ending: &str, content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        // Its keys are fixed: every instance of one build computes the same names.
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self {
            name: format!("{stem}-{:016x}.{ending}", hasher.finish()),
            content_type,
            content: PublicText::new(bytes),
        }
    }

    fn css(stem: &str, text: &str) -> Self {
        Self::new(stem, "css", "text/css; charset=utf-8", text.to_owned().into_bytes())
    }

    fn js(stem: &str, text: &str) -> Self {
        Self::new(stem, "js", "text/javascript; charset=utf-8", shortened(text).into_bytes())
    }

    /// The path that browsers request.
    pub(crate) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

/// A script or a style sheet without what only its readers need: lines that are comments, and indentation.
fn shortened(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let mut short: String =
        lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect::<Vec<_>>().join("\n");
    short.push('\n');
    short
}

/// A style sheet without its comments.
fn without_comments(css: &str) -> String {
    let mut parts = css.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once("*/").map_or("", |(_, after)| after));
    shortened(&rest.fold(first, |css, part| css + part))
}

/// All files of the pages, with the owner's colours and logo.
pub(crate) struct Assets {
    /// Of every page.
    pub(crate) css: Asset,
    /// Of the pages behind a sign-in, and of those for developers.
    pub(crate) rooms_css: Asset,
    /// Of the administration.
    pub(crate) admin_css: Asset,
    /// The owner's.
    pub(crate) own_css: Option<Asset>,
    /// Of the frame around the reference of the API.
    pub(crate) docs_css: Asset,
    pub(crate) js: Asset,
    pub(crate) docs_js: Asset,
    pub(crate) icon: Asset,
    /// What iPhones and iPads put on a home screen: a square PNG. The owner's logo where it is one; ours where there is none.
    pub(crate) touch_icon: Option<Asset>,
    /// The owner's; without one, pages draw our mark.
    pub(crate) logo: Option<Asset>,
}

impl Assets {
    pub(crate) fn new(brand: &Brand) -> Self {
        let coloured = |css: &str| format!("{}\n{}", brand.accent.rules(), without_comments(css));
        let (accent, text) = (brand.accent.to_string(), brand.accent.text_on().to_string());
        let mark = MARK.replace("currentColor", &accent).replace("#fff", &text);
        let picture = |stem: &str| {
            let Logo { content_type, ending, bytes } = brand.logo.as_ref()?;
            Some(Asset::new(stem, ending, content_type, bytes.clone().into_owned()))
        };
        let touch_icon = match &brand.logo {
            None => Some(Asset::new("touch", "png", "image/png", TOUCH_ICON.to_vec())),
            Some(logo) if logo.is_square_png() => picture("touch"),
            Some(_) => None,
        };
        Self {
            touch_icon,
            css: Asset::css("site", &coloured(CSS)),
            rooms_css: Asset::css("rooms", &without_comments(ROOMS_CSS)),
            admin_css: Asset::css("admin", &without_comments(ADMIN_CSS)),
            docs_css: Asset::css("docs", &coloured(DOCS_CSS)),
            own_css: brand.css.as_deref().map(|css| Asset::css("own", css)),
            js: Asset::js("site", JS),
            docs_js: Asset::js("docs", DOCS_JS),
            icon: picture("icon")
                .unwrap_or_else(|| Asset::new("icon", "svg", "image/svg+xml", mark.into_bytes())),
            logo: picture("logo"),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Asset> {
        let sheets = [&self.css, &self.rooms_css, &self.admin_css, &self.docs_css];
        let others = [&self.js, &self.docs_js, &self.icon];
        sheets
            .into_iter()
            .chain(others)
            .chain(&self.own_css)
            .chain(&self.touch_icon)
            .chain(&self.logo)
            .find(|asset| asset.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_readers_need_is_left_out() {
        assert_eq!(without_comments("/* a\n b */\na{b:c}\n  /* d */ e{}\n"), "a{b:c}\ne{}\n");
        assert_eq!(shortened("// why\nif (a) {\n  b(\"//c\");\n}\n"), "if (a) {\nb(\"//c\");\n}\n");
    }

    // A line of a template literal would lose its indentation, and a comment at the end of a line would stay.
    #[test]
    fn the_scripts_can_be_shortened() {
        for script in [JS, DOCS_JS] {
            assert!(script.lines().all(|line| line.matches('`').count() % 2 == 0));
        }
    }
}
