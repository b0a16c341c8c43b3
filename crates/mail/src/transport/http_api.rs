//! A provider's HTTP API: one POST per message, with a body rendered from a template.

use std::fmt;
use std::time::Duration;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use vestibule::{Secret, SendAttempt, SendError};

use super::error::TransportError;
use super::transport_url::is_loopback;
use crate::letter::Letter;
use crate::outbound::{innermost, not_reached};
use crate::{cause, outbound};

/// The limit of a whole request, from the first packet of the connection to the answer.
const REQUEST_MAX: Duration = Duration::from_mins(1);
/// How much of a refusal is read.
const REFUSAL_BYTES_MAX: usize = 1024;
/// The name's ending turns on the escaping of JSON.
const JSON_TEMPLATE: &str = "body.json";

/// Where and how to send. The templates can use `id`, `message_id`, `from` (name and address), `from_email`,
/// `from_name`, `to`, `subject`, `text` and `html`.
#[derive(Clone, Debug)]
pub struct HttpApiConfig {
    /// The URL of the request: `https://…`, or `http://…` on this machine.
    pub endpoint: String,
    /// How the request is authorised.
    pub auth: HttpAuth,
    /// The body of the request.
    pub body: HttpBody,
}

/// How a request is authorised.
#[derive(Clone, Debug)]
pub enum HttpAuth {
    /// Not at all.
    None,
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …`.
    Basic {
        /// The user name.
        user: Secret,
        /// The password.
        password: Secret,
    },
    /// A header of the provider's own.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Secret,
    },
}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum HttpBody {
    /// A template of a JSON document. Values are inserted as JSON, with their quotation marks.
    Json(String),
    /// Form fields: names, and templates of their values.
    Form(Vec<(String, String)>),
}

/// A provider with an HTTP API.
pub struct HttpApi {
    client: Client,
    endpoint: Url,
    auth: HttpAuth,
    body: Body,
    templates: Environment<'static>,
}

enum Body {
    Json,
    /// The names of the fields; the template of the field at `n` is called `n`.
    Form(Vec<String>),
}

impl HttpApi {
    /// Checks the endpoint and the templates. Does not connect to anything.
    pub fn new(config: HttpApiConfig) -> Result<Self, TransportError> {
        use TransportError::Malformed;
        let endpoint = Url::parse(&config.endpoint).map_err(|_| Malformed("the endpoint is not a URL"))?;
        let host = endpoint.host_str().ok_or(Malformed("the endpoint has no host"))?;
        let loopback = is_loopback(host);
        match endpoint.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(TransportError::Unencrypted),
            _ => return Err(Malformed("the endpoint must be https://")),
        }
        if !endpoint.username().is_empty() || endpoint.password().is_some() {
            return Err(Malformed("the endpoint must not hold credentials"));
        }
        let (templates, body) =
            templates(config.body).map_err(|error| TransportError::RequestTemplate(text(&error)))?;
        let api =
            Self { client: client(loopback, &config.auth)?, endpoint, auth: config.auth, body, templates };
        api.check()?;
        Ok(api)
    }

    /// Renders once with values that break the result unless they are escaped.
    fn check(&self) -> Result<(), TransportError> {
        let tricky = "\"\\\n</script>{{ }}";
        let sample = context! {
            id => tricky, message_id => tricky, from => tricky, from_email => tricky, from_name => Value::from(()),
            to => tricky, subject => tricky, text => tricky, html => tricky,
        };
        let wrong = |cause: String| TransportError::RequestTemplate(cause);
        let (content_type, body) = self.body(&sample).map_err(wrong)?;
        if content_type == "application/json" {
            serde_json::from_str::<serde_json::Value>(&body).map_err(|error| wrong(error.to_string()))?;
        }
        Ok(())
    }

    pub(crate) async fn deliver(&self, letter: &Letter, attempt: &SendAttempt) -> Result<(), SendError> {
        let (content_type, body) = self.body(&values(letter)?).map_err(SendError::Permanent)?;
        let request = self.client.post(self.endpoint.clone()).header(CONTENT_TYPE, content_type);
        let request =
            request.header("Accept", "application/json").header("Idempotency-Key", letter.id().to_string());
        let request = match &self.auth {
            HttpAuth::Basic { user, password } => request.basic_auth(user.expose(), Some(password.expose())),
            HttpAuth::None | HttpAuth::Bearer(_) | HttpAuth::Header { .. } => request,
        };
        attempt.leaves().await?;
        let response = request.body(body).send().await.map_err(|error| unanswered(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let headers = response.headers().clone();
        let refusal = refusal(response).await;
        let hidden: Vec<(&str, &str)> =
            self.secrets().into_iter().map(|secret| (secret, "[secret]")).collect();
        let error = judged(status, &refusal, letter.is_plainly_addressed());
        Err(cause::redacted(outbound::throttled(error, &headers), &hidden))
    }

    fn body(&self, values: &Value) -> Result<(&'static str, String), String> {
        let render = |name: &str| {
            let template = self.templates.get_template(name);
            template.and_then(|template| template.render(values.clone())).map_err(|error| text(&error))
        };
        match &self.body {
            Body::Json => Ok(("application/json", render(JSON_TEMPLATE)?)),
            Body::Form(names) => {
                let fields = names.iter().enumerate().map(|(n, name)| Ok((name, render(&n.to_string())?)));
                let fields = fields.collect::<Result<Vec<_>, String>>()?;
                let body = serde_urlencoded::to_string(fields).map_err(|error| error.to_string())?;
                Ok(("application/x-www-form-urlencoded", body))
            }
        }
    }

    fn secrets(&self) -> Vec<&str> {
        match &self.auth {
            HttpAuth::None => vec![],
            HttpAuth::Bearer(secret)
            | HttpAuth::Basic { password: secret, .. }
            | HttpAuth::Header { value: secret, .. } => {
                vec![secret.expose()]
            }
        }
    }
}

fn client(loopback: bool, auth: &HttpAuth) -> Result<Client, TransportError> {
    let unfit = |_| TransportError::Malformed("the key holds characters that a header cannot");
    let mut headers = HeaderMap::new();
    let header = match auth {
        HttpAuth::Bearer(token) => {
            Some((HeaderName::from_static("authorization"), format!("Bearer {}", token.expose())))
        }
        HttpAuth::Header { name, value } => {
            let name = name.parse().map_err(|_| TransportError::Malformed("the header's name is none"))?;
            Some((name, value.expose().to_owned()))
        }
        HttpAuth::None | HttpAuth::Basic { .. } => None,
    };
    if let Some((name, value)) = header {
        let mut value = HeaderValue::try_from(value).map_err(unfit)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let builder = outbound::client().default_headers(headers).timeout(REQUEST_MAX);
    // A proxy set in the environment is for connections that leave this machine.
    let builder = if loopback { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| TransportError::Tls(innermost(&error)))
}

fn templates(body: HttpBody) -> Result<(Environment<'static>, Body), minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    match body {
        HttpBody::Json(template) => {
            templates.add_template_owned(JSON_TEMPLATE, template)?;
            Ok((templates, Body::Json))
        }
        HttpBody::Form(fields) => {
            let mut names = Vec::new();
            for (n, (name, template)) in fields.into_iter().enumerate() {
                templates.add_template_owned(n.to_string(), template)?;
                names.push(name);
            }
            Ok((templates, Body::Form(names)))
        }
    }
}

fn values(letter: &Letter) -> Result<Value, SendError> {
    let from = letter.sender().mailbox().map_err(|error| SendError::Permanent(error.to_string()))?;
    Ok(context! {
        id => letter.id().to_string(),
        message_id => letter.message_id(),
        from => from.to_string(),
        from_email => from.email.to_string(),
        from_name => letter.sender().name(),
        to => letter.to().in_mail(),
        subject => letter.subject(),
        text => letter.text(),
        html => letter.html(),
    })
}

/// Without a connection the request was not sent; with one it may have been read.
fn unanswered(error: &reqwest::Error) -> SendError {
    let cause = format!("the mail API {}", not_reached(error));
    if error.is_connect() || error.is_builder() {
        SendError::Temporary(cause)
    } else {
        SendError::Uncertain(cause)
    }
}

fn judged(status: StatusCode, refusal: &str, plainly_addressed: bool) -> SendError {
    let said = |what: &str| format!("the mail API {what} ({}): {refusal}", status.as_u16());
    match status.as_u16() {
        401 | 403 => SendError::Refused(said("refused the key: check the mail settings")),
        402 => SendError::Refused(said("wants to be paid: look after the account there")),
        300..400 | 404 | 405 | 410 | 415 => {
            SendError::Refused(said("is not what answers there: check the endpoint"))
        }
        // Apart from its address, our request has the same form for every message.
        400 if plainly_addressed => {
            SendError::Refused(said("refused the request: check the sender and the account there"))
        }
        400 => SendError::Deferred(said("refused the request, perhaps for its address")),
        422 if is_about_us(refusal) => {
            SendError::Refused(said("refused the request: check the sender and the account there"))
        }
        // RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4; 409 means "the same key is being processed" for providers that
        // store keys.
        409 => SendError::Deferred(said("asks to wait")),
        408 | 425 | 429 => SendError::Temporary(said("asks to wait")),
        401..500 => SendError::Permanent(said("refused the message")),
        // RFC 9110 §15.6.3, §15.6.5: a gateway does not know the outcome of the request either.
        502 | 504 => SendError::Uncertain(said("did not answer its gateway")),
        _ => SendError::Temporary(said("failed")),
    }
}

/// Postmark answers every error with 422. These codes ("API error codes") are about us: an unknown or unconfirmed
/// sender, no credits, and accounts that may not send, or not yet.
fn is_about_us(refusal: &str) -> bool {
    let body: serde_json::Value = serde_json::from_str(refusal).unwrap_or_default();
    matches!(body["ErrorCode"].as_i64(), Some(400 | 401 | 405 | 412 | 413))
}

async fn refusal(mut response: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < REFUSAL_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(REFUSAL_BYTES_MAX);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Without the engine's excerpt, which could quote values.
fn text(error: &minijinja::Error) -> String {
    format!("{} {}", error.kind(), error.detail().unwrap_or_default())
}

impl fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpApi").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}
