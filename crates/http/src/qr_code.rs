//! QR codes, for authenticator apps.

use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};

/// The text as an SVG image without an XML declaration, dark on light in every theme; empty where it does not fit.
pub(crate) fn svg(text: &str) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else { return String::new() };
    let image = code
        .render()
        .min_dimensions(200, 200)
        .dark_color(Color("#000000"))
        .light_color(Color("#ffffff"))
        .build();
    let start = image.find("<svg").unwrap_or_default();
    image.get(start..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn it_is_an_image_of_its_own() {
        let image = svg("otpauth://totp/Example:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(image.starts_with("<svg") && image.trim_end().ends_with("</svg>"), "{image}");
        assert!(image.contains("viewBox") && !image.contains("href"));
        assert_eq!(svg(&"x".repeat(3_000)), "");
    }
}
