//! `vestibule init`: from an empty folder to a server, in each of its ways.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vestibule_testing::{Finished, Site, mode, python};

/// Runs it into the folder `made`; returns the paths in there.
fn init(site: &Site, flags: &[&str]) -> Vec<String> {
    let made = site.run(&[&["init", "--into", "made"], flags].concat()).ok();
    assert!(made.stderr.starts_with("Next:\n  1. put your relay into secrets/mail_url"), "{}", made.stderr);
    let paths = made.stdout.lines().map(|line| line.strip_prefix("made/").unwrap().to_owned());
    paths.collect()
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut contents = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents.extend(self::contents(&path));
        } else {
            contents.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    contents
}

/// The program in the folder, with the variables of its file, as the next steps say.
fn with_variables(site: &Site, arguments: &str) -> Command {
    let program = site.command(&[]).get_program().to_str().unwrap().to_owned();
    let mut command = Command::new("sh");
    let script = format!("set -a; . ./vestibule.env; set +a; exec {program} {arguments}");
    command.args(["-c", &script]).env_clear().current_dir(site.path("made"));
    command
}

#[test]
fn a_server_runs_on_what_it_wrote() {
    for site in [Site::sqlite(), Site::postgres()] {
        let postgres = site.command(&[]).get_envs().any(|(name, _)| name == "VESTIBULE_DATABASE_URL");
        let paths = init(&site, if postgres { &["--postgres"] } else { &[] });
        assert!(paths.contains(&"secrets/secret_key".to_owned()), "{paths:?}");
        for path in &paths {
            let wanted = if path.starts_with("secrets/") { 0o600 } else { 0o644 };
            assert_eq!(mode(&site.path("made").join(path)), wanted, "{path}");
        }
        assert_eq!(mode(&site.path("made/secrets")), 0o700);
        fs::write(site.path("made/secrets/mail_url"), site.relay().url()).unwrap();
        if postgres {
            let url = fs::read_to_string(site.path("made/secrets/database_url")).unwrap();
            let password = fs::read_to_string(site.path("made/secrets/database_password")).unwrap();
            assert_eq!(url, format!("postgres://vestibule:{password}@127.0.0.1/vestibule\n"));
            fs::write(site.path("made/secrets/database_url"), site.database().url()).unwrap();
        }
        Finished::of(&mut with_variables(&site, "check-config")).ok();
        let server = site.start(with_variables(&site, "serve --listen 127.0.0.1:0"));
        server.has_confirmed("ada@example.org", "plover-tundra-saffron-61");
        assert!(!site.path("made/vestibule-data/secret.key").exists(), "the key is the one that was made");
    }
}

#[test]
fn nothing_is_overwritten_and_nothing_is_half_done() {
    let site = Site::sqlite();
    init(&site, &["--systemd", "--postgres"]);
    let before = contents(&site.path("made"));
    site.run(&["init", "--into", "made", "--compose"])
        .refused(1, "nothing was written: there is already made/vestibule.toml, made/secrets/secret_key");
    assert_eq!(contents(&site.path("made")), before);
    fs::create_dir(site.path("other")).unwrap();
    fs::write(site.path("other/secrets"), "").unwrap();
    site.run(&["init", "--into", "other"])
        .refused(1, "nothing was written: cannot write other/secrets/secret_key");
    assert_eq!(contents(&site.path("other")).len(), 1);
    site.run(&["init", "--compose", "--systemd"]).refused(2, "cannot be used with");
    site.run(&["init", "--public-url", "accounts"]).refused(2, "not an address like https://");
}

#[test]
fn secrets_are_fresh() {
    let secrets = |site: &Site| {
        init(site, &["--postgres"]);
        ["secret_key", "database_password"]
            .map(|name| fs::read(site.path("made/secrets").join(name)).unwrap())
    };
    let [first, second] = [Site::sqlite(), Site::sqlite()].map(|site| secrets(&site));
    assert!(first[0] != second[0] && first[1] != second[1] && first[0] != first[1]);
}

#[test]
fn the_unit_gets_the_credentials_that_there_are() {
    for (flags, loads) in [(&["--systemd"][..], false), (&["--systemd", "--postgres"], true)] {
        let site = Site::sqlite();
        let paths = init(&site, flags);
        for service in ["made/vestibule.service", "made/vestibule-backup.service"] {
            let unit = fs::read_to_string(site.path(service)).unwrap();
            let line = "LoadCredential=database_url:/etc/vestibule/database_url";
            assert_eq!(unit.lines().any(|it| it == line), loads, "{service}");
            for line in unit.lines().filter_map(|line| line.strip_prefix("LoadCredential=")) {
                let (name, _) = line.split_once(':').unwrap();
                assert!(paths.contains(&format!("secrets/{name}")), "{name}");
            }
        }
        for unit in ["vestibule.socket", "vestibule-backup.timer"] {
            assert!(paths.contains(&unit.to_owned()), "{paths:?}");
        }
    }
}

/// Reads YAML, and says what it refers to and has not.
const COMPOSE: &str = "
import sys, yaml
file = yaml.safe_load(open('compose.yaml'))
services = file['services']
for name, service in services.items():
    for needed in service.get('depends_on', {}):
        assert needed in services, needed
    for volume in service['volumes']:
        source = volume.split(':')[0]
        assert source.startswith('./') or source in file['volumes'], source
assert services['vestibule']['image'].split(':')[1] == sys.argv[1]
for name in ['vestibule', 'backup']:
    assert services[name]['read_only'] and services[name]['cap_drop'] == ['ALL']
    assert services[name]['environment'] == services['vestibule']['environment']
print(services['secrets'].get('command') or services['secrets']['entrypoint'])
";

#[test]
fn the_compose_file_hands_every_secret_over() {
    for flags in [&["--compose"][..], &["--compose", "--postgres"]] {
        let site = Site::sqlite();
        let paths = init(&site, flags);
        let mut check = python();
        check.args(["-c", COMPOSE, env!("CARGO_PKG_VERSION")]).current_dir(site.path("made"));
        let copied = Finished::of(&mut check).ok().stdout;
        for secret in paths.iter().filter_map(|path| path.strip_prefix("secrets/")) {
            assert!(copied.contains(&format!("/from/{secret}")), "{secret}: {copied}");
        }
    }
}

/// Checks each document against the schemas of Kubernetes, strictly.
const KUBERNETES: &str = "
import kubernetes_validate, yaml
documents = list(yaml.safe_load_all(open('kubernetes.yaml')))
for document in documents:
    kubernetes_validate.validate(document, '1.32', strict=True)
print(' '.join(document['kind'] for document in documents))
made = yaml.safe_load(open('kustomization.yaml'))
print(' '.join(made['secretGenerator'][0]['files'] + made['configMapGenerator'][0]['files']))
";

#[test]
fn the_manifests_satisfy_the_schemas_of_kubernetes() {
    for (flags, kinds) in [
        (&["--kubernetes"][..], "Service StatefulSet NetworkPolicy PersistentVolumeClaim CronJob"),
        (
            &["--kubernetes", "--postgres"],
            "Service Deployment PodDisruptionBudget NetworkPolicy PersistentVolumeClaim CronJob",
        ),
    ] {
        let site = Site::sqlite();
        let paths = init(&site, flags);
        let mut check = python();
        let said = Finished::of(check.args(["-c", KUBERNETES]).current_dir(site.path("made"))).ok().stdout;
        let mut lines = said.lines();
        assert_eq!(lines.next(), Some(kinds));
        for file in lines.next().unwrap().split(' ') {
            assert!(paths.iter().any(|path| path == file), "{file}");
        }
        let text = fs::read_to_string(site.path("made/kubernetes.yaml")).unwrap();
        for file in paths.iter().filter_map(|path| path.strip_prefix("secrets/")) {
            assert!(text.contains(&format!("/run/secrets/vestibule/{file}")), "{file}");
        }
    }
}
