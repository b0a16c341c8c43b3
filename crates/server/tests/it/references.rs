//! What the program says about itself: completions, manual pages, the reference of its settings.

use std::fs;

use vestibule_testing::{Finished, SECRET_KEY, Site};

#[test]
fn every_shell_has_its_completions() {
    let site = Site::sqlite();
    for (shell, words) in [
        ("bash", "complete -F _vestibule"),
        ("elvish", "edit:completion:arg-completer[vestibule]"),
        ("fish", "complete -c vestibule"),
        ("powershell", "Register-ArgumentCompleter"),
        ("zsh", "#compdef vestibule"),
    ] {
        let script = site.run(&["completions", shell]).ok().stdout;
        assert!(script.contains(words) && script.contains("check-config"), "{shell}: {script}");
    }
    site.run(&["completions", "cmd"]).refused(2, "possible values: bash");
    let script = site.run(&["completions", "bash"]).ok().stdout;
    fs::write(site.path("completions.bash"), script).unwrap();
    let complete = "source completions.bash; COMP_WORDS=(vestibule mig); COMP_CWORD=1; _vestibule vestibule mig vestibule; \
                    echo \"${COMPREPLY[@]}\"";
    let mut bash = std::process::Command::new("bash");
    let completed = Finished::of(bash.args(["--norc", "-c", complete]).current_dir(site.path("."))).ok();
    assert_eq!(completed.stdout.trim(), "migrate");
}

#[test]
fn every_command_has_its_manual_page() {
    let site = Site::sqlite();
    let printed = site.run(&["man", "share/man1"]).ok().stdout;
    let pages: Vec<&str> = printed.lines().collect();
    for page in ["vestibule", "vestibule-serve", "vestibule-user-create", "vestibule-mail-outbox-list"] {
        let path = format!("share/man1/{page}.1");
        assert!(pages.contains(&path.as_str()), "{printed}");
        let text = fs::read_to_string(site.path(&path)).unwrap();
        assert!(text.contains(".TH ") && text.contains(".SH SYNOPSIS"), "{text}");
    }
    assert_eq!(pages.len(), fs::read_dir(site.path("share/man1")).unwrap().count());
    assert!(!printed.contains("help"), "{printed}");
    fs::write(site.path("file"), "").unwrap();
    site.run(&["man", "file"]).refused(1, "cannot write into file");
}

#[test]
fn the_reference_of_the_settings_is_printed() {
    let site = Site::sqlite();
    let text = site.run(&["settings"]).ok().stdout;
    assert!(text.contains("| `log.level` | text | `\"info\"` | `VESTIBULE_LOG_LEVEL` |"), "{text}");
    let listed = site.run(&["settings", "--json"]).ok().json();
    let find = |key: &str| listed.iter().find(|it| it["key"] == key).unwrap();
    assert_eq!(find("confirm.code_lifetime")["default"], "60s");
    assert_eq!(find("mail.url")["credential"], "mail_url");
    let schema: serde_json::Value =
        serde_json::from_str(&site.run(&["settings", "--schema"]).ok().stdout).unwrap();
    assert_eq!(schema["properties"]["log"]["properties"]["format"]["enum"][0], "auto");
}

#[test]
fn a_setting_is_explained() {
    let site = Site::sqlite();
    let explain = |name: &str, more: &[&str], environment: &[(&str, &str)]| {
        let mut command =
            site.command_without_settings(&[&["check-config", "--explain", name], more].concat());
        Finished::of(command.envs(environment.iter().copied()))
    };
    let text = explain("signup.mode", &[], &[("VESTIBULE_SIGNUP_MODE", "closed")]).ok().stdout;
    for words in [
        "`open`, `invitation`, `closed`",
        "default: \"open\"",
        "now: \"closed\" (VESTIBULE_SIGNUP_MODE)",
        "VESTIBULE_SIGNUP_MODE_FILE",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let secret =
        explain("VESTIBULE_SECRET_KEY_FILE", &["--json"], &[("VESTIBULE_SECRET_KEY", SECRET_KEY)]).ok();
    assert!(!secret.stdout.contains(SECRET_KEY), "{}", secret.stdout);
    let told = &secret.json()[0];
    assert_eq!((&told["key"], &told["value"]), (&"secret_key".into(), &"[secret]".into()));
    let broken = explain("hash.passes", &[], &[("VESTIBULE_HASH_PASSES", "many")]).ok();
    assert!(broken.stdout.contains("form: number") && broken.stderr.contains("check-config"), "{broken:?}");
    explain("mail.form", &[], &[]).refused(5, "did you mean `mail.from`?");
}
