//! A whole page for a problem that belongs to no form.

use axum::response::Response;
use minijinja::context;

use super::content_policy::POLICY;
use super::error_view::with_headers;
use super::render::page;
use crate::app::Site;
use crate::pages::frame::i18n::choice::LanguageChoice;
use crate::problem::Problem;

/// A whole page for a problem that belongs to no form; `id` is the request's.
pub(crate) fn problem_page(site: &Site, choice: &LanguageChoice, problem: &Problem, id: &str) -> Response {
    let language = choice.language();
    let status = problem.code().status();
    let kind = match status.as_u16() {
        404 => "not_found",
        403 if problem.lacks_role() => "role",
        403 => "forbidden",
        429 => "limited",
        500 => "internal",
        503 => "unavailable",
        _ => "other",
    };
    let values = context! {
        kind, id,
        status => status.as_u16(),
        wait => problem.retry_seconds().map(|seconds| language.duration(seconds)),
        ..choice.values()
    };
    let mut page = page(site, language, POLICY, status, "frame/problem.html", values);
    choice.note(&mut page, site.cookies);
    with_headers(page, problem)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::{HeaderMap, Method};

    use super::*;
    use crate::catalogue::Code;
    use crate::pages::frame::i18n::Language;

    async fn shown(language: Language, problem: &Problem) -> (u16, String) {
        let (site, uri) = (crate::app::tests::site(), format!("/nowhere?lang={}", language.tag()));
        let uri = uri.parse().expect("an address");
        let choice = LanguageChoice::of(&Method::GET, &uri, &HeaderMap::new(), site.cookies);
        let page = problem_page(&site, &choice, problem, "0d6c3a5be1f29784");
        let status = page.status().as_u16();
        let body = axum::body::to_bytes(page.into_body(), 64 * 1024).await.expect("a page");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn every_problem_has_its_page_in_every_language() {
        let limited = Problem::new(Code::TooManyRequests).retry_after(Duration::from_mins(3));
        for (problem, status, key) in [
            (Problem::new(Code::NotFound), 404, "problem.not_found"),
            (Problem::new(Code::Forbidden), 403, "problem.forbidden"),
            (Problem::lacking_role("admin"), 403, "problem.role"),
            (limited, 429, "problem.limited"),
            (Problem::new(Code::InternalError), 500, "problem.internal"),
            (Problem::new(Code::Unavailable), 503, "problem.unavailable"),
            (Problem::new(Code::UnsupportedMediaType), 415, "problem.other"),
        ] {
            for language in Language::ALL {
                let (answered, page) = shown(language, &problem).await;
                assert_eq!(answered, status, "{key}");
                let title = language.text(key).replace('\'', "&#x27;");
                assert!(page.contains(&format!("<h1>{title}</h1>")), "{language:?} {page}");
                assert!(page.contains(&format!("dir=\"{}\"", language.direction())));
                // Someone asking for help can quote the request id; for an address that does not exist it is not
                // needed.
                assert_eq!(page.contains("0d6c3a5be1f29784"), status != 404, "{key}");
                assert_eq!(page.contains(&language.duration(180)), status == 429, "{key} {page}");
            }
        }
    }
}
