//! Pages of other origins in a real browser, against the program as it runs in production.

use std::path::Path;

use vestibule_testing::{PASSWORD, Site, free_address, node};

const EMAIL: &str = "ada@example.org";

// H4
#[test]
fn only_a_listed_origin_reads_the_api() {
    let site = Site::sqlite();
    let port = free_address().port().to_string();
    let origin = format!("http://localhost:{port}");
    let server = site.serve_at_its_url(&[("VESTIBULE_CORS_ORIGINS", &origin)]);
    site.has_user(EMAIL, &[]);
    let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/cors.mjs");
    let output = node().arg(script).args([&url, &port, EMAIL, PASSWORD]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
