//! The description of the API matches the server: Schemathesis reads it and checks the server against it, see
//! `tests/peers/fuzz`.

use std::path::Path;

use serde_json::{Map, Value};
use vestibule_testing::{Server, Site, WIDE_LIMITS};

const EMAIL: &str = "fuzz@example.org";
const PASSWORD: &str = "plover-tundra-saffron-61";

/// Who sends the requests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    Nobody,
    User,
    Administrator,
}

/// The report of Schemathesis, after a run without a finding.
struct Report(Value);

impl Report {
    /// How many requests to an operation, e.g. `GET /v1/me`, succeeded.
    fn accepted(&self, operation: &str) -> u64 {
        let phases = self.0["valid_rates"][operation].as_object();
        phases.into_iter().flat_map(Map::values).filter_map(|phase| phase["accepted"].as_u64()).sum()
    }
}

/// Sends all requests.
fn ask(site: &Site, server: &Server, asker: Asker) -> Report {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/fuzz/run.py");
    let report = site.path("report.json");
    let mut command = vestibule_testing::python();
    command.arg(script).arg(format!("http://{}", server.address)).arg("--report-json-path").arg(&report);
    if asker != Asker::Nobody {
        let role: &[&str] = if asker == Asker::Administrator { &["--admin"] } else { &[] };
        let create = [&["user", "create", "--password-stdin", "--email", EMAIL], role].concat();
        site.run_with_input(&create, &format!("{PASSWORD}\n")).ok();
        command.env("FUZZ_EMAIL", EMAIL).env("FUZZ_PASSWORD", PASSWORD);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Report(serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap())
}

/// The operations in the description, e.g. `GET /v1/me`, and whether each needs a token.
fn operations(server: &Server) -> Vec<(String, bool)> {
    let description = server.get("/openapi.json").json(200);
    let mut operations = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let token =
                operation["security"].as_array().into_iter().flatten().any(|way| way.get("bearer").is_some());
            operations.push((format!("{} {path}", method.to_uppercase()), token));
        }
    }
    operations
}

fn is_as_described(site: &Site, asker: Asker) {
    let server = site.serve_with(&WIDE_LIMITS);
    let report = ask(site, &server, asker);
    let operations = operations(&server);

    // It really sent requests, to all operations, and in every way.
    assert_eq!(report.0["stop_reason"], "completed");
    // Except the route of the description itself, which it fetches first.
    assert_eq!(report.0["operations"]["tested"], operations.len() - 1, "{}", report.0["operations"]);
    let cases = &report.0["test_cases"];
    assert!(cases["generated"].as_u64().unwrap() >= 20 * operations.len() as u64, "{cases}");
    assert_eq!((&cases["with_failures"], &cases["errored"]), (&0.into(), &0.into()));
    for phase in ["examples", "coverage", "fuzzing", "stateful"] {
        assert_eq!(report.0["phases"][phase]["status"], "success", "{phase}");
    }
    assert_eq!(report.0["auth"]["reauth_broke"], false, "the token was lost on the way");

    // Requests were sent with, or without, credentials all the time.
    for (operation, _) in operations.iter().filter(|(_, token)| *token) {
        let of_admins = operation.contains(" /v1/admin/");
        let list = operation.starts_with("GET ") && !operation.contains('{');
        let accepted = report.accepted(operation);
        match asker {
            Asker::Nobody => assert_eq!(accepted, 0, "{operation}"),
            Asker::User if of_admins => assert_eq!(accepted, 0, "{operation}"),
            Asker::User | Asker::Administrator => assert!(accepted > 0 || !list, "{operation}"),
        }
    }
    for operation in ["POST /v1/signup", "POST /v1/password/check", "GET /readyz"] {
        assert!(report.accepted(operation) > 0, "{operation}");
    }
    let errors: Vec<String> =
        server.whole_log().into_iter().filter(|line| line.contains(r#""level":"ERROR""#)).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

// M12. One test for each, because each takes a while.

#[test]
fn nobody_is_answered_as_described_on_sqlite() {
    is_as_described(&Site::sqlite(), Asker::Nobody);
}

#[test]
fn nobody_is_answered_as_described_on_postgres() {
    is_as_described(&Site::postgres(), Asker::Nobody);
}

#[test]
fn a_user_is_answered_as_described_on_sqlite() {
    is_as_described(&Site::sqlite(), Asker::User);
}

#[test]
fn a_user_is_answered_as_described_on_postgres() {
    is_as_described(&Site::postgres(), Asker::User);
}

#[test]
fn an_administrator_is_answered_as_described_on_sqlite() {
    is_as_described(&Site::sqlite(), Asker::Administrator);
}

#[test]
fn an_administrator_is_answered_as_described_on_postgres() {
    is_as_described(&Site::postgres(), Asker::Administrator);
}
