//! What applications cost the server: a code for tokens, and the documents that their libraries read.

use std::time::{Duration, Instant};

use vestibule_testing::{Client, PASSWORD, PUBLIC_URL, Site, basic};

use super::cost::{Cost, one_by_one, together};
use super::program::{Build, Running};
use crate::http::Connection;
use crate::shell::Result;

const EMAIL: &str = "ada@example.org";
const CODES: usize = 4000;
/// They wait for a minute at most, so there are fewer where the machine is slow.
const COLLECTED_FOR: Duration = Duration::from_secs(10);
const READS: u32 = 10_000;
/// Applications that send codes at the same time: their commits share a write to the disk.
const TOGETHER: usize = 16;
const CALLBACK: &str = "https://shop.example.org/callback";
/// RFC 7636, appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

pub(super) fn run(build: &Build) -> Result {
    for (what, cost) in measure(&Site::new(build.program()?, None), READS)? {
        println!("{what:<38} {cost}");
    }
    Ok(())
}

/// What each costs, by its name: documents, each read so often, and codes.
pub(super) fn measure(site: &Site, reads: u32) -> Result<Vec<(String, Cost)>> {
    let mut costs = Vec::new();
    let mut server = Running::start(site)?;
    server.first_200("/readyz")?;
    site.has_user(EMAIL, &[]);
    // Its own application: nobody is asked.
    let add = [
        "client",
        "add",
        "shop",
        "--name",
        "Shop",
        "--redirect-uri",
        CALLBACK,
        "--consent",
        "never",
        "--json",
    ];
    let made = site.run(&add).ok().json().remove(0);
    let authorization = basic("shop", made["secret"].as_str().ok_or("no secret")?);

    let mut connection = Connection::open(server.address).map_err(|e| format!("cannot connect: {e}"))?;
    for path in ["/livez", "/.well-known/openid-configuration", "/.well-known/jwks.json"] {
        let cost = one_by_one(&server, reads, || match connection.get(path) {
            Ok(200) => Ok(()),
            other => Err(format!("{path}: {other:?}")),
        })?;
        costs.push((format!("GET {path}"), cost));
    }
    let host = PUBLIC_URL.trim_start_matches("https://");
    let client = Client::new(&server.address.to_string()).called(host);
    let browser = Browser::signed_in(&client)?;
    for (what, scope) in [("tokens for a code", "openid"), ("with a refresh token", "openid offline_access")]
    {
        let begun = Instant::now();
        let codes = (0..CODES).take_while(|_| begun.elapsed() < COLLECTED_FOR).map(|_| browser.code(scope));
        let codes: Vec<String> = codes.collect::<Result<_>>()?;
        let redeem = |connection: &mut Connection, code: &String| {
            let form = format!(
                "grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}"
            );
            let headers = [FORM, ("authorization", authorization.as_str())];
            match connection.request("POST", "/v1/token", &headers, &form) {
                Ok((200, _)) => Ok(()),
                other => Err(format!("a code was answered {other:?}")),
            }
        };
        costs.push((what.to_owned(), together(&server, TOGETHER, &codes, redeem)?));
    }
    Ok(costs)
}

/// Where somebody has signed in.
struct Browser<'a> {
    client: &'a Client,
    session: String,
}

impl<'a> Browser<'a> {
    fn signed_in(client: &'a Client) -> Result<Self> {
        let name = "__Host-vestibule_form";
        let page = client.get("/login", None);
        let token =
            page.body.split_once("name=\"form_token\" value=\"").and_then(|(_, rest)| rest.split('"').next());
        let form = format!("form_token={}&login={EMAIL}&password={PASSWORD}", token.ok_or("no form")?);
        let cookie = format!("{name}={}", page.cookie(name));
        let headers =
            [FORM, ("cookie", cookie.as_str()), ("origin", PUBLIC_URL), ("sec-fetch-site", "same-origin")];
        let answer = client.request("POST", "/login", &headers, &form);
        let session = answer.cookie("__Host-vestibule_session");
        if session.is_empty() {
            return Err(format!("no session: {answer:?}"));
        }
        Ok(Self { client, session: format!("__Host-vestibule_session={session}") })
    }

    fn code(&self, scope: &str) -> Result<String> {
        let query = format!(
            "response_type=code&client_id=shop&redirect_uri={CALLBACK}&scope={}&state=s&nonce=n\
             &code_challenge={CHALLENGE}&code_challenge_method=S256",
            scope.replace(' ', "+")
        );
        let answer = self.client.request(
            "GET",
            &format!("/oauth/authorize?{query}"),
            &[("cookie", &self.session)],
            "",
        );
        let code = answer.header("location").split(['?', '&']).find_map(|part| part.strip_prefix("code="));
        code.map(str::to_owned).ok_or_else(|| format!("no code: {answer:?}"))
    }
}
