//! The only middleware: request id, trace line, security headers, and the answers that come from no handler.

mod cross_origin;
pub(crate) mod fix;
pub(crate) mod refused;
mod trace;

use std::any::Any;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tokio::time::{Instant, timeout};
use tower::{Layer, Service};
use tracing::Instrument as _;

use crate::app::Site;
use crate::catalogue::Code;
use crate::describe::routes::RouteTable;
use crate::edge::cross_origin::CrossOrigin;
use crate::edge::fix::{Wanted, complete_oauth, fix};
use crate::edge::trace::Trace;
use crate::options::Answered;
use crate::pages::frame::content_policy::WayToApplication;
use crate::pages::frame::i18n::choice::LanguageChoice;
use crate::pages::frame::problem_page::problem_page;
use crate::personal::Asked;
use crate::problem::Problem;
use crate::rate_limit::{Limit, Quotas, Reached};

/// How long an answer may take.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Requested by load balancers and supervisors.
const PROBES: [&str; 2] = ["/livez", "/readyz"];
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// 404 for every path without a route.
pub(crate) async fn not_found() -> Problem {
    Problem::new(Code::NotFound)
}

/// Puts the [`Edge`] around every route.
#[derive(Clone)]
pub(crate) struct EdgeLayer(Arc<Settings>);

struct Settings {
    public_url: String,
    https: bool,
    quotas: Quotas,
    site: Arc<Site>,
    routes: RouteTable,
    request_id_start: u64,
    requests: AtomicU64,
}

impl EdgeLayer {
    pub(crate) fn new(
        public_url: &str,
        quotas: Quotas,
        site: &Arc<Site>,
        routes: RouteTable,
        request_id_start: u64,
    ) -> Self {
        Self(Arc::new(Settings {
            public_url: public_url.to_owned(),
            https: public_url.starts_with("https://"),
            quotas,
            site: Arc::clone(site),
            routes,
            request_id_start,
            requests: AtomicU64::new(0),
        }))
    }
}

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;
    fn layer(&self, inner: S) -> Edge<S> {
        Edge { inner, settings: Arc::clone(&self.0) }
    }
}

/// One route, wrapped in the edge.
#[derive(Clone)]
pub(crate) struct Edge<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> Service<Request> for Edge<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let asked = Asked::put(&mut request);
        let settings = Arc::clone(&self.settings);
        let started = Instant::now();
        let id = settings.request_id(&request);
        let text_id = id.to_str().unwrap_or_default();
        let trace = Trace::of(request.headers());
        let (trace_id, parent_id) = (trace.map(|it| it.id), trace.map(|it| it.parent));
        let span = tracing::info_span!("request", request_id = text_id, trace_id, parent_id);
        let method = request.method().clone();
        let wanted = settings.site.dev.as_ref().map(|_| Wanted::of(&request, settings.site.base.path()));
        let route = request.extensions().get::<MatchedPath>().cloned();
        let reader = reader(&request, &settings.site);
        let cross_origin = CrossOrigin::of(&request);
        let preflight = cross_origin.is_preflight(request.headers()).then(|| settings.methods(&request));
        let answer = span.in_scope(|| match settings.refusal(&request) {
            Some(problem) => Err(Box::new(problem.into_response())),
            None => Ok(self.inner.call(request)),
        });
        Box::pin(async move {
            let readers = cross_origin.readers(&settings.site.cors).await;
            // What a browser asks first, no handler sees.
            let preflight = preflight.and_then(|methods| readers.preflight(methods));
            let response = match (answer, preflight) {
                (Err(response), _) => *response,
                (Ok(_), Some(response)) => response,
                (Ok(answer), None) => {
                    let opened = async { Ok(WayToApplication::open(answer.await?).await) };
                    guarded(opened).instrument(span.clone()).await
                }
            };
            let (code, limit) = seen(&response);
            let mut response = settings.finish(response, &method, reader, wanted.as_ref(), id);
            asked.mark(&mut response);
            readers.write(response.headers_mut());
            if let Some(observer) = &settings.site.observer {
                let (route, method) = (route.as_ref().map(MatchedPath::as_str), method_name(&method));
                let status = response.status().as_u16();
                let took = started.elapsed();
                observer.answered(&Answered { route, method, status, code, limit, took });
            }
            span.in_scope(|| {
                let route = route.as_ref().map_or("-", MatchedPath::as_str);
                let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
                let status = response.status().as_u16();
                // Probes come every few seconds and are not worth logging while all is well.
                if status == 200 && PROBES.iter().any(|probe| route.ends_with(probe)) {
                    tracing::debug!(%method, route, status, duration_us, "answered");
                } else {
                    tracing::info!(%method, route, status, duration_us, "answered");
                }
            });
            Ok(response)
        })
    }
}

/// Why an answer refuses, if it does, and because of which limit.
fn seen(response: &Response) -> (Option<Code>, Option<&'static str>) {
    let problem = response.extensions().get::<Problem>();
    (problem.map(Problem::code), problem.and_then(Problem::limit).map(Limit::name))
}

/// Methods are text of the request: only those that are routed have a name.
fn method_name(method: &Method) -> &'static str {
    const NAMES: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    NAMES.into_iter().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}

/// The language of a person who waits for a page; programs get problems as JSON.
fn reader(request: &Request, site: &Site) -> Option<LanguageChoice> {
    let path = request.uri().path();
    let of_api = ["/v1/", "/.well-known/", "/assets/"].iter().any(|start| path.starts_with(start));
    let accepts = |line: &HeaderValue| line.to_str().is_ok_and(|accept| accept.contains("text/html"));
    let wants_page = !of_api && request.headers().get_all(ACCEPT).iter().any(accepts);
    let choice = || LanguageChoice::of(request.method(), request.uri(), request.headers(), site.cookies);
    wants_page.then(choice)
}

/// The answer of a handler, or its substitute if the handler panics or takes too long.
async fn guarded(answer: impl Future<Output = Result<Response, Infallible>>) -> Response {
    match timeout(REQUEST_TIME, caught(answer)).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            tracing::error!(panic = text.unwrap_or("-"), "a handler panicked");
            Problem::new(Code::InternalError).into_response()
        }
        Err(_) => Problem::unavailable(&"a request took too long").into_response(),
    }
}

/// Polls a future and keeps its panic.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    // After a panic the future is dropped and never polled again, so no broken state is seen.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

impl Settings {
    /// The methods of the route, if there is one.
    fn methods(&self, request: &Request) -> Option<Vec<&'static str>> {
        let route = request.extensions().get::<MatchedPath>()?.as_str();
        self.routes.methods(route.strip_prefix(self.site.base.path())?)
    }

    /// Refuses a request before any handler sees it.
    fn refusal(&self, request: &Request) -> Option<Problem> {
        refused::of(request).or_else(|| self.site.proxies.check(request.extensions()).err())
    }

    /// The id given by a trusted proxy, or the next of our own.
    fn request_id(&self, request: &Request) -> HeaderValue {
        if let Some(given) = request.headers().get(&X_REQUEST_ID) {
            let trusted = self.site.proxies.contain_peer_of(request.extensions());
            if trusted && is_request_id(given.as_bytes()) {
                return given.clone();
            }
        }
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut text = *b"0000000000000000";
        // Multiplying by an odd number changes the order and keeps every id different.
        let mut rest = self.request_id_start.wrapping_add(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for digit in text.iter_mut().rev() {
            *digit = b"0123456789abcdef"[usize::try_from(rest & 15).unwrap_or(0)];
            rest >>= 4;
        }
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("-"))
    }

    /// Completes problems, answers OPTIONS, and adds the headers of every answer.
    fn finish(
        &self,
        mut response: Response,
        method: &Method,
        reader: Option<LanguageChoice>,
        wanted: Option<&Wanted>,
        id: HeaderValue,
    ) -> Response {
        let mut problem = response.extensions_mut().remove::<Problem>();
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            if *method == Method::OPTIONS {
                // axum adds `Allow` to what its routes refuse, whatever happens to the answer here.
                response = StatusCode::NO_CONTENT.into_response();
            } else {
                problem = Some(Problem::new(Code::MethodNotAllowed));
            }
        }
        if let Some(problem) = problem {
            let text_id = id.to_str().ok();
            let fix = wanted.and_then(|wanted| fix(&problem, wanted, &self.routes, &self.public_url));
            response = match reader {
                Some(choice) => problem_page(&self.site, &choice, &problem, text_id.unwrap_or_default()),
                None => problem.into_full_response(&self.public_url, text_id, fix.as_deref()),
            };
        }
        if let Some(wanted) = wanted {
            complete_oauth(&mut response, wanted, &self.routes, &self.public_url);
        }
        if let Some(place) = response.headers().get(LOCATION).and_then(|to| self.site.base.in_location(to)) {
            response.headers_mut().insert(LOCATION, place);
        }
        if let Some(reached) = response.extensions_mut().remove::<Reached>() {
            self.quotas.write(reached, response.headers_mut());
        }
        self.add_headers(response.headers_mut(), id);
        response
    }

    fn add_headers(&self, headers: &mut HeaderMap, id: HeaderValue) {
        headers.reserve(8);
        headers.insert(X_REQUEST_ID, id);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(CORP, HeaderValue::from_static("same-origin"));
        if self.https {
            let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
            headers.insert(STRICT_TRANSPORT_SECURITY, year);
        }
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.entry(CONTENT_SECURITY_POLICY).or_insert(nothing);
    }
}

fn is_request_id(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=128).contains(&text.len()) && text.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::pages::frame::content_policy::POLICY;

    /// A route that answers with `handler`, wrapped in the edge.
    async fn answer_of(handler: fn() -> Problem) -> (Response, String) {
        answer_to("*/*", handler).await
    }

    async fn answer_to(accept: &'static str, handler: fn() -> Problem) -> (Response, String) {
        let policy = vestibule::Policy::default();
        let quotas = Quotas::of(&(&policy).into(), policy.password_checks);
        let edge =
            EdgeLayer::new("http://localhost", quotas, &crate::app::tests::site(), RouteTable::default(), 7);
        let route = axum::routing::get(async move || handler());
        let router: axum::Router = axum::Router::new().route("/", route).layer(edge);
        let request = Request::get("/").header(ACCEPT, accept).body(Body::empty()).expect("a request");
        let (parts, body) = router.oneshot(request).await.expect("infallible").into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        (Response::from_parts(parts, Body::empty()), String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn a_panic_is_a_500_that_tells_nothing() {
        let (response, text) = answer_of(|| panic!("secret")).await;
        assert_eq!(response.status(), 500);
        let id = response.headers()[X_REQUEST_ID].to_str().expect("text");
        assert!(text.contains("internal_error") && text.contains(id) && !text.contains("secret"), "{text}");
    }

    // H1: a page for a person reveals as little as a problem.
    #[tokio::test]
    async fn a_person_gets_a_page_that_tells_nothing() {
        let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
        let (response, text) = answer_to(browser, || panic!("secret")).await;
        assert_eq!(response.status(), 500);
        let id = response.headers()[X_REQUEST_ID].to_str().expect("text");
        assert!(text.contains("<h1>Something went wrong</h1>") && text.contains(id), "{text}");
        assert!(!text.contains("secret") && !text.contains("internal_error"));
        let fault = || vestibule::Fault::Unavailable("secret".to_owned()).into();
        let (response, text) = answer_to(browser, fault).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (503, &HeaderValue::from(2))
        );
        assert!(text.contains("Not available right now") && !text.contains("secret"), "{text}");
        assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], POLICY);
    }

    // G4: a fault is a 503 that says when to try again, and does not reveal its cause.
    #[tokio::test]
    async fn a_fault_keeps_its_cause_to_itself() {
        let (response, text) = answer_of(|| vestibule::Fault::Unavailable("secret".to_owned()).into()).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "2");
        assert!(text.contains("unavailable") && !text.contains("secret"), "{text}");
        let overloaded = || vestibule::Fault::Overloaded { retry_after: Duration::from_millis(1_001) }.into();
        let (response, text) = answer_of(overloaded).await;
        assert_eq!(response.headers()["retry-after"], "2");
        assert!(text.contains("temporarily_overloaded"), "{text}");
    }
}
