//! `/admin/users.csv`: the list of users as a file.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use vestibule::{DisplayName, ExternalId, ListedUser, UserName};

use super::section::{Admin, Asked};
use crate::api::admin::user_query::ListQuery;
use crate::app::App;
use crate::problem::Problem;

const HEADER: &str =
    "id,email,user_name,display_name,status,roles,second_factors,last_sign_in_at,created_at,external_id\r\n";
/// What spreadsheets compute, at the beginning of a cell.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/admin/users.csv", get(download))
}

/// It changes nothing but the trail, and other sites cannot read it.
async fn download(admin: Admin, uri: Uri) -> Result<Response, Problem> {
    let accounts = &admin.visit().accounts;
    let ListQuery(query) = Asked::of(&uri).read(accounts.policy())?;
    let list = accounts.download_users(admin.actor(), &query).await?;
    let mut response =
        list.users.iter().fold(HEADER.to_owned(), |text, user| text + &line(user)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let name = if list.is_cut {
        "attachment; filename=\"users-first.csv\""
    } else {
        "attachment; filename=\"users.csv\""
    };
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static(name));
    Ok(response)
}

fn line(user: &ListedUser) -> String {
    let account = &user.account;
    let factors = [("passkey", user.has_passkey), ("authenticator", user.has_authenticator)];
    let factors: Vec<&str> = factors.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
    let cells = [
        account.id.to_string(),
        account.email.as_str().to_owned(),
        account.user_name.as_ref().map_or("", UserName::as_str).to_owned(),
        account.display_name.as_ref().map_or("", DisplayName::as_str).to_owned(),
        if account.disabled_at.is_some() { "disabled" } else { "active" }.to_owned(),
        account.roles.join(" "),
        factors.join(" "),
        user.last_sign_in_at.map(|at| at.to_string()).unwrap_or_default(),
        account.created_at.to_string(),
        account.external_id.as_ref().map_or("", ExternalId::as_str).to_owned(),
    ];
    cells.map(|text| cell(&text)).join(",") + "\r\n"
}

/// Quoted where RFC 4180 asks for it. A spreadsheet would compute what begins like a formula (ASVS 1.2.10): `'` before it says
/// that it is text.
fn cell(text: &str) -> String {
    let text = if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text() {
        for (text, expected) in [
            ("ada", "ada"),
            ("", ""),
            ("Ada, the \"Countess\"", "\"Ada, the \"\"Countess\"\"\""),
            ("=1+1", "'=1+1"),
            ("-x@example.org", "'-x@example.org"),
            ("@SUM(A1,B1)", "\"'@SUM(A1,B1)\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
