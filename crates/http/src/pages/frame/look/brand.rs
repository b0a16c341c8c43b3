//! The look of the owner's pages: one accent colour, as it is where it fills and made readable where it is text, and a
//! logo.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A colour, as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// The text is not a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a colour such as #2456c8")]
pub struct ColorError;

impl FromStr for Color {
    type Err = ColorError;

    fn from_str(text: &str) -> Result<Self, ColorError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(ColorError)?;
        let number = u32::from_str_radix(digits, 16).map_err(|_| ColorError)?;
        let [_, red, green, blue] = number.to_be_bytes();
        // `from_str_radix` accepts a sign.
        digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then_some(Self([red, green, blue]))
            .ok_or(ColorError)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The minimum contrast of text (WCAG 2.2, 1.4.3), plus what a tint of the same colour behind it takes away.
const CONTRAST: f64 = 5.2;
/// The darker of the light backgrounds and the lighter of the dark ones, from `site.css`.
const LIGHT: Color = Color([0xf5, 0xf6, 0xf8]);
const DARK: Color = Color([0x17, 0x1a, 0x20]);
const WHITE: Color = Color([0xff; 3]);
const BLACK: Color = Color([0; 3]);

impl Color {
    /// This colour for text on a light page.
    #[must_use]
    pub fn on_light(self) -> Self {
        self.towards(0, LIGHT)
    }

    /// This colour for text on a dark page.
    #[must_use]
    pub fn on_dark(self) -> Self {
        self.towards(255, DARK)
    }

    /// The text on this colour: black or white. One of them always has a contrast of 4.5.
    #[must_use]
    pub fn text_on(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) { WHITE } else { BLACK }
    }

    /// The rules of the style sheet that depend on this colour as the accent. A button is filled with it as it is; under
    /// the pointer it moves away from its text.
    pub(crate) fn rules(self) -> String {
        let (text, away) = match self.text_on() {
            WHITE => ("#fff", "#000"),
            _ => ("#000", "#fff"),
        };
        format!(
            ":root{{--accent:{self};--on-accent:{text};--accent-deep:color-mix(in oklab,var(--accent) 86%,{away});\
             --link:light-dark({},{})}}",
            self.on_light(),
            self.on_dark()
        )
    }

    /// Moves every channel towards `end` until the contrast with the background suffices.
    fn towards(self, end: u8, background: Self) -> Self {
        let mixed = |step: u32| {
            Self(self.0.map(|channel| {
                let mix = (u32::from(channel) * (20 - step) + u32::from(end) * step) / 20;
                u8::try_from(mix).unwrap_or(end)
            }))
        };
        (0..=20).map(mixed).find(|color| color.contrast(background) >= CONTRAST).unwrap_or(Self([end; 3]))
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// A picture for the header of the pages.
#[derive(Clone, Debug)]
pub struct Logo {
    pub(crate) content_type: &'static str,
    pub(crate) ending: &'static str,
    pub(crate) bytes: Cow<'static, [u8]>,
}

/// The bytes are not a picture that browsers can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an SVG, PNG, JPEG or WebP picture of at most 64 KiB")]
pub struct LogoError;

/// Octets of a logo: it is part of every first visit.
const LOGO_MAX: usize = 64 * 1024;

impl Logo {
    /// Detects the format of a picture by how it begins.
    ///
    /// # Errors
    /// [`LogoError`] for anything but the four formats, and above 64 KiB.
    pub fn new(bytes: Vec<u8>) -> Result<Self, LogoError> {
        let (content_type, ending) = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', ..] => ("image/png", "png"),
            [0xff, 0xd8, 0xff, ..] => ("image/jpeg", "jpg"),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ("image/webp", "webp"),
            text if is_svg(text) => ("image/svg+xml", "svg"),
            _ => return Err(LogoError),
        };
        if bytes.len() > LOGO_MAX {
            return Err(LogoError);
        }
        Ok(Self { content_type, ending, bytes: bytes.into() })
    }

    /// Whether it is a PNG as high as it is wide: its first chunk begins with both (PNG, third edition, §11.2.1).
    pub(crate) fn is_square_png(&self) -> bool {
        let size = (self.bytes.get(16..20), self.bytes.get(20..24));
        self.ending == "png" && size.0.is_some() && size.0 == size.1
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg"))
}

/// The look of the pages, and the links of their owner.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The colour of buttons, and of links, where it is made darker or lighter if it would not be readable.
    pub accent: Color,
    /// A picture before the name.
    pub logo: Option<Logo>,
    /// Whether the logo shows the name already, so that no text follows it.
    pub logo_alone: bool,
    /// A style sheet of the owner's, after ours.
    pub css: Option<String>,
    /// Where people get help: an email address or the URL of a page.
    pub support: Option<String>,
    /// The URL of the terms of use.
    pub terms_url: Option<String>,
    /// The URL of the privacy statement.
    pub privacy_url: Option<String>,
}

impl Default for Brand {
    fn default() -> Self {
        Self {
            accent: Color([0x24, 0x56, 0xc8]),
            logo: None,
            logo_alone: false,
            css: None,
            support: None,
            terms_url: None,
            privacy_url: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_read_strictly() {
        assert_eq!("#2456c8".parse::<Color>().map(|color| color.to_string()), Ok("#2456c8".to_owned()));
        for text in ["", "2456c8", "#245", "#2456c", "#2456c8f", "#2456cg", "#+2456c", "red"] {
            assert_eq!(text.parse::<Color>(), Err(ColorError), "{text}");
        }
    }

    // WCAG 2.2, 1.4.3: whatever the owner chooses, links and buttons are readable, and buttons have the chosen colour.
    #[test]
    fn every_accent_is_readable_in_both_themes() {
        for channels in 0..=0xfff_u32 {
            let channel = |shift: u32| u8::try_from((channels >> shift) & 0xf).unwrap() * 17;
            let accent = Color([channel(8), channel(4), channel(0)]);
            assert!(accent.on_light().contrast(LIGHT) >= 4.5, "{accent}");
            assert!(accent.on_dark().contrast(DARK) >= 4.5, "{accent}");
            assert!(accent.text_on().contrast(accent) >= 4.5, "{accent}");
            assert!(accent.rules().starts_with(&format!(":root{{--accent:{accent};")), "{}", accent.rules());
        }
        let readable: Color = "#2456c8".parse().unwrap();
        assert_eq!(readable.on_light(), readable);
    }

    #[test]
    fn a_logo_is_a_picture() {
        assert_eq!(Logo::new(b"\x89PNG\r\n".to_vec()).map(|logo| logo.content_type), Ok("image/png"));
        assert_eq!(Logo::new(b" <svg xmlns=\"x\"/>".to_vec()).map(|logo| logo.ending), Ok("svg"));
        for bytes in [&b""[..], b"<html><svg>", b"GIF89a", b"%PDF"] {
            assert!(Logo::new(bytes.to_vec()).is_err());
        }
        let of_size = |octets: usize| Logo::new([b"\x89PNG".to_vec(), vec![0; octets - 4]].concat());
        assert!(of_size(64 * 1024).is_ok() && of_size(64 * 1024 + 1).is_err());
    }

    // A home screen squeezes what is not square.
    #[test]
    fn a_square_png_is_a_touch_icon() {
        let png = |width: u32, height: u32| {
            let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
            Logo::new([&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &size].concat()).unwrap().is_square_png()
        };
        assert!(png(512, 512) && !png(600, 120));
        assert!(!Logo::new(b"\x89PNG\r\n".to_vec()).unwrap().is_square_png());
        assert!(!Logo::new(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec()).unwrap().is_square_png());
    }
}
