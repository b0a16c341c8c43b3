//! Clients generated from the description of the API: they type-check in the strictest mode, and a person's first steps
//! work with them. The steps are in `tests/peers/clients`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vestibule_testing::{Server, Site, on_both_databases};

fn story(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/clients").join(name)
}

/// The output of a command; fails the test unless it succeeded.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// The same for a story that needs its code: it gets the code mailed for its sign-up.
#[track_caller]
fn run_with_mail(command: &mut Command, server: &Server, email: &str) -> String {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", server.mail(email).code()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// A folder with the description, as served.
fn folder_with_description() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let description = Site::sqlite().serve().get("/openapi.json").body;
    fs::write(folder.path().join("openapi.json"), description).unwrap();
    folder
}

/// Runs a story with each database; at its end it prints the id of the new account.
fn is_told(email: &str, command: impl Fn(&str) -> Command) {
    on_both_databases(|site| {
        let server = site.serve();
        let id = run_with_mail(&mut command(&format!("http://{}", server.address)), &server, email);
        assert_eq!(site.run(&["user", "show", id.trim(), "--json"]).ok().json()[0]["status"], "active");
    });
}

// M12
#[test]
fn the_python_client_is_typed_and_works() {
    let folder = folder_with_description();
    let project = folder.path().join("client");
    // It formats its output with a program that it looks for on the path.
    let programs = PathBuf::from(vestibule_testing::python_program("ruff").get_program());
    let path = std::env::join_paths([programs.parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")]);
    let generate =
        ["-m", "openapi_python_client", "generate", "--path", "openapi.json", "--output-path", "client"];
    // A warning means that a part was left out.
    let mut generator = vestibule_testing::python();
    generator.args(generate).arg("--fail-on-warning").env("PATH", path.unwrap()).current_dir(folder.path());
    let made = run(&mut generator);
    assert!(!made.contains("Warning"), "{made}");

    fs::copy(story("story.py"), project.join("story.py")).unwrap();
    let python = |arguments: &[&str]| {
        let mut command = vestibule_testing::python();
        command.args(arguments).current_dir(&project);
        command
    };
    run(&mut python(&["-m", "mypy", "--strict", "vestibule_client", "story.py"]));
    is_told("ada.python@example.org", |url| python(&["story.py", url]));
}

// M12
#[test]
fn the_typescript_client_is_typed_and_works() {
    let folder = folder_with_description();
    let packages = vestibule_testing::node_packages();
    std::os::unix::fs::symlink(&packages, folder.path().join("node_modules")).unwrap();
    fs::write(folder.path().join("package.json"), r#"{"type": "module"}"#).unwrap();
    fs::copy(story("story.ts"), folder.path().join("story.ts")).unwrap();
    let node = |program: &str| {
        let mut command = vestibule_testing::node();
        command.arg(program).current_dir(folder.path());
        command
    };
    let generate = ["openapi.json", "--output", "schema.d.ts"];
    run(node("node_modules/openapi-typescript/bin/cli.js").args(generate));
    let strict = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"];
    let language = ["--module", "nodenext", "--target", "es2022", "--types", "node"];
    let tsc = "node_modules/typescript/bin/tsc";
    run(node(tsc).args(strict).args(language).args(["schema.d.ts", "story.ts"]));
    is_told("ada.typescript@example.org", |url| {
        let mut command = node("story.js");
        command.arg(url);
        command
    });
}
