//! docs/integrate.md from top to bottom, as a reader does it: each block is pasted into a terminal or saved as the page says,
//! in one folder. What differs from the page is ports, and in production where the names lead and mail goes.

mod page;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use vestibule_testing::{Client, PASSWORD, Server, Site, free_address, node, node_packages, python};

use crate::peers::Peer;
use crate::tls::{caddy, certificate, runs};
use page::{Page, sections_with_blocks};

const PAGE: &str = include_str!("../../../../docs/integrate.md");
const APPLICATIONS: &str = include_str!("../../../../docs/applications.md");
const DEVELOPMENT: [&str; 6] = [
    "Start",
    "A user",
    "Your API",
    "A browser application on another origin",
    "An application on a device",
    "A machine",
];
const BACK_END: &str = "A back end that keeps the tokens";
const ANY_PORT: [(&str, &str); 1] = [("VESTIBULE_LISTEN", "127.0.0.1:0")];
const EMAIL: &str = "ada@example.org";

/// Somebody who works in a folder, with a terminal whose variables stay.
struct Reader {
    site: Site,
    page: Page,
    /// Ports as printed, and those of this run.
    ports: Vec<(&'static str, String)>,
}

impl Reader {
    fn of(page: Page) -> Self {
        let site = Site::sqlite();
        fs::write(site.path("state"), "").unwrap();
        symlink(node_packages(), site.path("node_modules")).unwrap();
        Self { site, page, ports: Vec::new() }
    }

    /// The server that this command starts.
    fn starts_server(&mut self, command: &str, settings: &[(&str, &str)]) -> Server {
        let mut terminal = self.terminal(&format!("exec {command}"));
        terminal.envs(settings.iter().copied());
        let server = self.site.start(terminal);
        self.is_at("8080", &server.address);
        server
    }

    /// A program that a block starts, after these files are saved. The page has it at this port.
    fn starts(&mut self, block: &str, printed: &'static str, files: &[&str], settings: &str) -> Peer {
        let peer = Peer::start(|_, address| {
            let here = [&[(printed, port(address).to_owned())], &self.ports[..]].concat();
            for file in files {
                self.saves(file, &here);
            }
            let text = with_ports(self.page.take(block), &here);
            self.terminal(&format!("ADDRESS={address} {settings}\nexec {text}"))
        });
        self.is_at(printed, &peer.address);
        peer
    }

    fn is_at(&mut self, printed: &'static str, address: &str) {
        self.ports.retain(|(old, _)| *old != printed);
        self.ports.push((printed, port(address).to_owned()));
    }

    fn saves(&self, block: &str, ports: &[(&str, String)]) {
        let (_, name) = block.rsplit_once(' ').unwrap();
        fs::write(self.site.path(name), with_ports(self.page.take(block), ports)).unwrap();
    }

    /// A shell in the folder, with the variables of what was done before.
    fn terminal(&self, script: &str) -> Command {
        let programs = [self.site.command(&[]), python()].map(|program| PathBuf::from(program.get_program()));
        let folders = programs.each_ref().map(|program| program.parent().unwrap().display());
        let path = format!("{}:{}", folders[0], folders[1]);
        let mut command = Command::new("sh");
        let folder = self.site.path("");
        let whole = format!("set -ea; PATH='{path}':$PATH; cd '{}'; . ./state\n{script}", folder.display());
        command.args(["-c", &whole]).env("CURL_HOME", folder);
        command
    }

    /// Pastes a block into the terminal; what it says.
    #[track_caller]
    fn pastes(&self, block: &str) -> String {
        self.pastes_with(block, &self.ports)
    }

    #[track_caller]
    fn pastes_with(&self, block: &str, values: &[(&str, String)]) -> String {
        let text = with_ports(self.page.take(block), values);
        runs(&mut self.terminal(&format!("{text}\nexport -p > state")))
    }
}

fn port(address: &str) -> &str {
    address.rsplit_once(':').unwrap().1
}

/// The text with other numbers in place of these.
fn with_ports(text: &str, ports: &[(&str, String)]) -> String {
    let mut changed = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
        let found = ports.iter().find(|(printed, _)| *printed == digits);
        changed += found.map_or(digits, |(_, real)| real);
        changed += &part[digits.len()..];
    }
    changed
}

/// Saves the page of the section about browsers in a folder, with the library beside it, for a server at this address. What it
/// asks of an API it asks of the server.
pub(crate) fn web_page(folder: &Path, url: &str) {
    let page = Page::of(PAGE, &["A browser application on another origin"]);
    let text = page
        .take("html index.html")
        .replace("http://localhost:3001/orders", "http://localhost:8080/v1/userinfo");
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("index.html"), text.replace("http://localhost:8080", url)).unwrap();
    let library = node_packages().join("oidc-client-ts/dist/browser/oidc-client-ts.min.js");
    fs::copy(library, folder.join("oidc-client-ts.min.js")).unwrap();
}

fn script(name: &str) -> Command {
    let mut command = node();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(name));
    command
}

/// The example that is in `examples`.
fn axum_service(reader: &Reader) -> Peer {
    let written = include_str!("../../examples/axum_service/main.rs");
    let (start, rest) = written.split_once("#![expect").unwrap();
    let shown = format!("{start}{}", rest.split_once("\n\n").unwrap().1);
    assert_eq!(format!("{}\n", reader.page.take("rust main.rs")), shown, "the page shows what is run here");
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join("examples/axum_service");
    Peer::start(|_, address| reader.terminal(&format!("ADDRESS={address}\nexec {}", built.display())))
}

#[test]
fn the_page_goes_from_nothing_to_an_application() {
    let mut reader = Reader::of(Page::of(PAGE, &DEVELOPMENT));
    let _server = reader.starts_server(reader.page.take("sh serve"), &ANY_PORT);
    let said = reader.pastes("sh signup");
    assert!(said.contains("confirmation_required") && said.contains("email_confirmed_at"), "{said}");
    assert!(reader.pastes("sh signin").contains(EMAIL));
    reader.pastes("sh settings");

    let fastapi = reader.starts("sh fastapi", "3001", &["python api.py"], "");
    let express = reader.starts("sh express", "3002", &["js api.mjs"], "");
    let axum = axum_service(&reader);
    for service in [&fastapi, &express, &axum] {
        let there = [("3001", port(&service.address).to_owned())];
        assert!(reader.pastes_with("sh orders", &there).contains("usr_"));
        for token in ["", "Bearer x", "Bearer a.b.c", "Basic YWRhOng="] {
            assert_eq!(Client::new(&service.address).get("/orders", Some(token)).status, 401, "{token}");
        }
    }

    reader.pastes("sh register-web");
    let _web = reader.starts("sh serve-web", "5173", &[], "");
    drop(fastapi);
    let _api =
        reader.starts("sh fastapi", "3001", &["python api.py"], "AUTH_AUDIENCE=https://api.example.org");
    reader.saves("html index.html", &reader.ports);
    let library = node_packages().join("oidc-client-ts/dist/browser/oidc-client-ts.min.js");
    fs::copy(library, reader.site.path("oidc-client-ts.min.js")).unwrap();
    reader.pastes("sh register-desk");
    reader.saves("js desk.mjs", &reader.ports);
    let at = |printed: &str| with_ports(&format!("http://localhost:{printed}"), &reader.ports);
    let desk = format!("cd '{}'; exec {}", reader.site.path("").display(), reader.page.take("sh desk"));
    runs(script("integrate.mjs").args([&at("8080"), &at("5173"), &desk, EMAIL, PASSWORD]));
    reader.pastes("sh register-phone");
    assert!(reader.pastes("sh machine").contains("\"scope\":\"stock:write\""));
    assert_eq!(reader.page.unused(), Vec::<&str>::new(), "every block of the page is run");
}

#[test]
fn the_page_goes_on_to_production() {
    let mut reader = Reader::of(Page::of(PAGE, &["Production"]));
    let (accounts, site) = ("accounts.example.org", reader.site.path(""));
    certificate(&site, &[accounts]);
    let listen = free_address().to_string();
    reader.is_at("8080", &listen);
    reader.saves("toml vestibule.toml", &reader.ports);
    reader.pastes("sh secrets");
    // The page has made-up names: mail goes to the relay of this test, and curl finds the proxy of this test.
    fs::write(reader.site.path("mail_url"), reader.site.relay().url()).unwrap();
    let _server = reader.starts_server(reader.page.take("sh serve-production"), &[]);
    let written = reader.page.take("caddy Caddyfile");
    let proxy = caddy(&site, |port, tls| {
        let here = with_ports(written, &reader.ports);
        assert_eq!(here.matches(&format!("{accounts} {{")).count(), 1, "{here}");
        here.replace(&format!("{accounts} {{"), &format!("https://{accounts}:{port} {{\n\t{tls}"))
    });
    let leads = format!("connect-to = \"{accounts}:443:{}\"\ncacert = ca.pem\n", proxy.address);
    fs::write(reader.site.path(".curlrc"), leads).unwrap();
    let said = reader.pastes("sh try-production");
    assert!(said.contains("access_token") && said.contains(&format!("https://{accounts}/setup")), "{said}");
    assert_eq!(reader.page.unused(), Vec::<&str>::new(), "every block of the page is run");
}

#[test]
fn a_back_end_keeps_the_tokens() {
    let mut reader = Reader::of(Page::of(APPLICATIONS, &[BACK_END]));
    let _server = reader.starts_server(Page::of(PAGE, &["Start"]).take("sh serve"), &ANY_PORT);
    reader.site.has_user(EMAIL, &[]);
    let callback = free_address().to_string();
    reader.is_at("3004", &callback);
    reader.pastes("sh register-shop");
    // The script that signs in moves the clock of the program, so it runs it in its own process.
    reader.saves("js back_end.mjs", &reader.ports);
    assert_eq!(reader.page.take("sh back-end"), "node back_end.mjs");
    let at = |printed: &str| with_ports(&format!("http://localhost:{printed}"), &reader.ports);
    let driver = script("back_end.mjs").get_args().next().unwrap().to_owned();
    let run = format!(
        "exec node '{}' {} {} back_end.mjs {EMAIL} {PASSWORD}",
        driver.display(),
        at("8080"),
        at("3004")
    );
    runs(reader.terminal(&run).env("NODE_PACKAGES", node_packages().join("index.js")));
    assert_eq!(reader.page.unused(), Vec::<&str>::new(), "every block of the section is run");
}

#[test]
fn every_section_with_blocks_is_run() {
    assert_eq!(sections_with_blocks(PAGE), [&DEVELOPMENT[..], &["Production"]].concat());
}

/// What the text lets install is what the blocks were run with.
#[test]
fn the_packages_of_the_text_are_those_of_the_tests() {
    let (python, node) = (
        include_str!("../../../../xtask/requirements.txt"),
        include_str!("../../../../xtask/node/package.json"),
    );
    for (command, listed) in [("`pip install ", python.to_lowercase()), ("`npm install ", node.to_owned())] {
        let named: Vec<_> = PAGE.split(command).skip(1).map(|rest| rest.split('`').next().unwrap()).collect();
        assert!(!named.is_empty(), "{command}");
        for package in named.iter().flat_map(|names| names.split(' ')) {
            let name = package.trim_matches('"').split('[').next().unwrap();
            assert!(
                listed.lines().any(|line| line.trim_start().trim_start_matches('"').starts_with(name)),
                "{name}"
            );
        }
    }
}
