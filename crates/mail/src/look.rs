//! How mails look. Programs for mail drop style sheets, so every style is written where it counts: templates say `<h1>` and
//! `<p>`, and these get their styles here.

use minijinja::{Environment, Value};

/// The fonts of all texts.
const FONT: &str = "-apple-system,'Segoe UI',Roboto,'Noto Sans',Helvetica,Arial,sans-serif";

/// The owner's colours and links in mails.
#[derive(Clone, Debug)]
pub struct Look {
    /// The colour of buttons, as `#rrggbb`.
    pub accent: String,
    /// The text on it.
    pub on_accent: String,
    /// The colour of links on a light background.
    pub link: String,
    /// The same on a dark one.
    pub link_dark: String,
    /// Where people get help: a URL, `mailto:` included.
    pub support: Option<String>,
    /// The URL of the privacy statement.
    pub privacy_url: Option<String>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            accent: "#2456c8".to_owned(),
            on_accent: "#ffffff".to_owned(),
            link: "#2456c8".to_owned(),
            link_dark: "#9db8ff".to_owned(),
            support: None,
            privacy_url: None,
        }
    }
}

impl Look {
    /// Makes the look known to all templates, those of parts included.
    pub(crate) fn add_to(&self, engine: &mut Environment<'static>) {
        engine.add_global("font", Value::from_safe_string(FONT.to_owned()));
        engine.add_global("accent", self.accent.clone());
        engine.add_global("on_accent", self.on_accent.clone());
        engine.add_global("link_color", self.link.clone());
        engine.add_global("link_dark", self.link_dark.clone());
        engine.add_global("support", self.support.clone());
        engine.add_global("privacy_url", self.privacy_url.clone());
        engine.add_filter("styled", |html: &str| Value::from_safe_string(styled(html)));
        engine
            .add_filter("naming", |heading: &str, name: &str| Value::from_safe_string(naming(heading, name)));
        engine.add_filter("small", |html: &str| Value::from_safe_string(small(html)));
    }
}

/// The headings and paragraphs of a mail.
fn styled(html: &str) -> String {
    let heading = format!(
        "<h1 class=\"text\" id=\"heading\" style=\"margin:0 0 16px;font:600 24px/31px {FONT};letter-spacing:-.3px;color:#14171d\">"
    );
    let paragraph =
        format!("<p class=\"text\" style=\"margin:0 0 16px;font:16px/25px {FONT};color:#14171d\">");
    html.trim().replace("<h1>", &heading).replace("<p>", &paragraph)
}

/// A heading in which the name of the site, which may be of another script, stands apart.
fn naming(heading: &str, name: &str) -> String {
    let escaped = |text: &str| minijinja::HtmlEscape(text).to_string();
    let parts: Vec<String> = heading.split(name).map(escaped).collect();
    parts.join(&format!("<bdi>{}</bdi>", escaped(name)))
}

/// The lines below a mail.
fn small(html: &str) -> String {
    let link = "<a class=\"soft\" style=\"color:#555c69\" href=";
    let margin = "style=\"margin:0 0 8px\">";
    let lines = html.trim().replace("<p>", &format!("<p {margin}"));
    lines.replace("<p dir=\"ltr\">", &format!("<p dir=\"ltr\" {margin}")).replace("<a href=", link)
}

/// What links of ours are called, in the closest language.
pub(crate) fn words(locale: &str) -> [(&'static str, Value); 2] {
    let (help, privacy) = match locale.split(['-', '_']).next().unwrap_or(locale) {
        "ar" => ("المساعدة", "الخصوصية"),
        "de" => ("Hilfe", "Datenschutz"),
        "es" => ("Ayuda", "Privacidad"),
        "fr" => ("Aide", "Confidentialité"),
        _ => ("Help", "Privacy"),
    };
    [("help_word", Value::from(help)), ("privacy_word", Value::from(privacy))]
}
