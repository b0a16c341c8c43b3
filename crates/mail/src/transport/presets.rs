//! The providers' interfaces, as data.

use vestibule::Secret;

use super::error::TransportError;
use super::http_api::{HttpApiConfig, HttpAuth, HttpBody};
use super::transport_url::{TransportUrl, is_loopback};

struct Preset {
    name: &'static str,
    /// Can be replaced by the parameter `endpoint`.
    base: &'static str,
    /// `{domain}` is the URL's host.
    path: &'static str,
    auth: Auth,
    body: Body,
}

enum Auth {
    Bearer,
    /// Basic, with this user name.
    Basic(&'static str),
    Header(&'static str),
}

enum Body {
    Json(&'static str),
    Form(&'static [(&'static str, &'static str)]),
}

/// As documented by each provider, on the page that is named.
const PRESETS: [Preset; 5] = [
    // "Sending email with API". `X-PM-KeepID` keeps our Message-ID.
    Preset {
        name: "postmark",
        base: "https://api.postmarkapp.com",
        path: "/email",
        auth: Auth::Header("X-Postmark-Server-Token"),
        body: Body::Json(include_str!("../../presets/postmark.json")),
    },
    // "Mail Send". Tracking, if the account has enabled it, would rewrite links and add a footer.
    Preset {
        name: "sendgrid",
        base: "https://api.sendgrid.com",
        path: "/v3/mail/send",
        auth: Auth::Bearer,
        body: Body::Json(include_str!("../../presets/sendgrid.json")),
    },
    // "Send an email". `multipart/form-data` is required for attachments only.
    Preset {
        name: "mailgun",
        base: "https://api.mailgun.net",
        path: "/v3/{domain}/messages",
        auth: Auth::Basic("api"),
        body: Body::Form(&[
            ("from", "{{ from }}"),
            ("to", "{{ to }}"),
            ("subject", "{{ subject }}"),
            ("text", "{{ text }}"),
            ("html", "{{ html }}"),
            ("h:Message-Id", "{{ message_id }}"),
            ("h:Auto-Submitted", "auto-generated"),
            ("h:X-Auto-Response-Suppress", "All"),
            ("o:tracking", "no"),
        ]),
    },
    // "Send Email", and "Idempotency Keys": the only one of these that reads the `Idempotency-Key` of each request.
    Preset {
        name: "resend",
        base: "https://api.resend.com",
        path: "/emails",
        auth: Auth::Bearer,
        body: Body::Json(include_str!("../../presets/resend.json")),
    },
    // "Send a transactional email": it accepts no standard headers, so the Message-ID is its own. Its `idempotencyKey`
    // is left out: a repeated one is an error, which would make a message whose answer was lost look refused.
    Preset {
        name: "brevo",
        base: "https://api.brevo.com",
        path: "/v3/smtp/email",
        auth: Auth::Header("api-key"),
        body: Body::Json(include_str!("../../presets/brevo.json")),
    },
];

const GENERIC_JSON: &str = include_str!("../../presets/generic.json");

/// The configuration for `http+<name>://…`.
pub(super) fn config(name: &str, url: &TransportUrl) -> Result<HttpApiConfig, TransportError> {
    use TransportError::Malformed;
    url.only_parameters(&["endpoint"])?;
    if name == "json" {
        return generic(url);
    }
    let preset = PRESETS.iter().find(|preset| preset.name == name).ok_or(TransportError::UnknownScheme)?;
    let key = url.user.clone().ok_or(Malformed("the API key is missing: write it before `@`"))?;
    if url.password.is_some() || url.port.is_some() || !matches!(url.path.as_str(), "" | "/") {
        return Err(Malformed("a provider takes a key, and the place only by ?endpoint=…"));
    }
    match (preset.path.contains("{domain}"), url.host.is_empty()) {
        (true, true) => return Err(Malformed("the sending domain is missing: write it after `@`")),
        (false, false) => return Err(Malformed("nothing may follow `@` but ?endpoint=…")),
        _ => {}
    }
    let base = url.parameter("endpoint").unwrap_or(preset.base).trim_end_matches('/');
    Ok(HttpApiConfig {
        endpoint: format!("{base}{}", preset.path.replace("{domain}", &url.host)),
        auth: match preset.auth {
            Auth::Bearer => HttpAuth::Bearer(key),
            Auth::Basic(user) => HttpAuth::Basic { user: Secret::from(user), password: key },
            Auth::Header(name) => HttpAuth::Header { name: name.to_owned(), value: key },
        },
        body: match preset.body {
            Body::Json(template) => HttpBody::Json(template.to_owned()),
            Body::Form(fields) => HttpBody::Form(
                fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ),
        },
    })
}

/// Any server that accepts a JSON document.
fn generic(url: &TransportUrl) -> Result<HttpApiConfig, TransportError> {
    if url.host.is_empty() && url.parameter("endpoint").is_none() {
        return Err(TransportError::Malformed("the host of the API is missing"));
    }
    let scheme = if is_loopback(&url.host) { "http" } else { "https" };
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
    let endpoint = || format!("{scheme}://{host}{port}{}", url.path);
    Ok(HttpApiConfig {
        endpoint: url.parameter("endpoint").map_or_else(endpoint, str::to_owned),
        auth: match (&url.user, &url.password) {
            (Some(user), Some(password)) => {
                HttpAuth::Basic { user: user.clone(), password: password.clone() }
            }
            (Some(token), None) => HttpAuth::Bearer(token.clone()),
            (None, _) => HttpAuth::None,
        },
        body: HttpBody::Json(GENERIC_JSON.to_owned()),
    })
}
