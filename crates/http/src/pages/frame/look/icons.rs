//! Our own icons: templates draw them with `icon("name")`, and a page carries the drawings it uses once, as symbols.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use minijinja::{Error, ErrorKind, Value};

const DRAWINGS: &str = include_str!("../../../assets/icons.svg");
/// Where a template wants the drawings.
const PLACE: &str = "<svg data-icons></svg>";
/// How a page refers to a drawing. Texts in a page cannot contain it: their quotes are escaped.
const USE: &str = "<use href=\"#i-";

/// The symbols by name.
static SYMBOLS: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    let lines = DRAWINGS.lines().map(str::trim).filter(|line| line.starts_with("<symbol"));
    lines.filter_map(|line| Some((line.strip_prefix("<symbol id=\"i-")?.split_once('"')?.0, line))).collect()
});

/// For templates: an icon, with more classes such as `i-s` for a small one.
pub(crate) fn icon(name: &str, classes: Option<&str>) -> Result<Value, Error> {
    if !SYMBOLS.contains_key(name) {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("there is no icon {name}")));
    }
    let classes = classes.map(|more| format!(" {more}")).unwrap_or_default();
    Ok(Value::from_safe_string(format!(
        "<svg class=\"i{classes}\" aria-hidden=\"true\">{USE}{name}\"/></svg>"
    )))
}

/// Puts the drawings that a page uses where it wants them.
pub(crate) fn with_drawings(html: String) -> String {
    if !html.contains(PLACE) {
        return html;
    }
    let names = html.split(USE).skip(1).filter_map(|rest| rest.split('"').next());
    let used: BTreeMap<&str, &str> =
        names.filter_map(|name| SYMBOLS.get_key_value(name)).map(|(k, v)| (*k, *v)).collect();
    let mut drawings = String::new();
    if !used.is_empty() {
        drawings.push_str("<svg width=\"0\" height=\"0\" hidden>");
        for symbol in used.values() {
            let _ = write!(drawings, "{symbol}");
        }
        drawings.push_str("</svg>");
    }
    html.replacen(PLACE, &drawings, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_carries_each_icon_that_it_uses_once() {
        let eye = icon("eye", None).expect("an icon").to_string();
        let page = with_drawings(format!("<body>{PLACE}{eye}{eye}</body>"));
        assert_eq!(page.matches("<symbol ").count(), 1, "{page}");
        assert!(page.contains("<symbol id=\"i-eye\"") && !page.contains("data-icons"), "{page}");
        assert_eq!(with_drawings(format!("<body>{PLACE}</body>")), "<body></body>");
        assert!(icon("nothing", None).is_err());
    }

    #[test]
    fn every_icon_is_drawn_on_the_same_grid() {
        assert!(
            SYMBOLS.len() > 30 && SYMBOLS.values().all(|symbol| symbol.contains("viewBox=\"0 0 24 24\""))
        );
    }
}
