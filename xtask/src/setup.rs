//! Installs what the checks need and a fresh machine may lack.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::shell::{Result, cargo, output, program, root, run as execute, succeeds, target_dir};

struct Tool {
    name: &'static str,
    present: fn() -> bool,
    install: fn() -> Result,
}

const TOOLS: [Tool; 14] = [
    Tool { name: "cargo-nextest", present: nextest_present, install: install_nextest },
    Tool { name: "PostgreSQL", present: vestibule_testing::installed, install: install_postgresql },
    Tool { name: "Python packages", present: python_present, install: install_python },
    Tool { name: "Node packages", present: node_present, install: install_node },
    Tool { name: "Chromium", present: chromium_present, install: install_chromium },
    Tool { name: "curl", present: curl_present, install: install_curl },
    Tool { name: "nginx", present: nginx_present, install: install_nginx },
    Tool { name: "PgBouncer", present: pgbouncer_present, install: install_pgbouncer },
    Tool { name: "Apache", present: apache_present, install: install_apache },
    Tool { name: "Caddy", present: caddy_present, install: install_caddy },
    Tool { name: "oathtool", present: oathtool_present, install: install_oathtool },
    Tool { name: "OpenSSL", present: openssl_present, install: install_openssl },
    Tool { name: "certutil", present: certutil_present, install: install_certutil },
    Tool { name: "promtool", present: promtool_present, install: install_promtool },
];

/// Installs the tools that are missing.
pub(crate) fn run() -> Result {
    for Tool { name, present, install } in &TOOLS {
        if present() {
            continue;
        }
        eprintln!("installing {name}");
        install().map_err(|e| format!("{name} is missing. {e}"))?;
        if !present() {
            return Err(format!("{name} was installed but is not found"));
        }
    }
    Ok(())
}

fn nextest_present() -> bool {
    succeeds(&mut cargo(["nextest", "--version"]))
}

fn install_nextest() -> Result {
    execute(&mut cargo(["install", "cargo-nextest", "--locked", "--version=0.9.143"]))
}

fn install_postgresql() -> Result {
    apt(&["postgresql"])
}

/// The packages of requirements.txt, in a virtual environment inside the build folder.
fn python_present() -> bool {
    let (Ok(target), Ok(wanted)) = (target_dir(), fs::read_to_string(requirements())) else { return false };
    fs::read_to_string(target.join("venv/installed.txt")).is_ok_and(|installed| installed == wanted)
}

fn install_python() -> Result {
    if !succeeds(program("python3").args(["-c", "import venv, ensurepip"])) {
        apt(&["python3", "python3-venv"])?;
    }
    let venv = target_dir()?.join("venv");
    execute(program("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    execute(program(venv.join("bin/python")).args(pip).arg(requirements()))?;
    let copied = fs::copy(requirements(), venv.join("installed.txt"));
    copied.map(drop).map_err(|e| format!("cannot write to {}: {e}", venv.display()))
}

fn requirements() -> PathBuf {
    root().join("xtask/requirements.txt")
}

/// The packages of package-lock.json, in a folder inside the build folder.
fn node_present() -> bool {
    packages_present("node")
}

fn packages_present(name: &str) -> bool {
    let Ok(target) = target_dir() else { return false };
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    let wanted = read(root().join("xtask").join(name).join("package-lock.json"));
    wanted.is_some() && wanted == read(target.join(name).join("installed.json"))
}

fn install_node() -> Result {
    if !succeeds(program("npm").arg("--version")) {
        apt(&["nodejs", "npm"])?;
    }
    install_packages("node")
}

/// The conformance suite of the Model Context Protocol, and the Node.js that it needs: for `cargo xtask interop` alone.
pub(crate) fn install_mcp() -> Result {
    if packages_present("mcp") { Ok(()) } else { install_packages("mcp") }
}

/// What is locked in a folder of xtask goes into the folder of the same name in the build folder.
fn install_packages(name: &str) -> Result {
    let (from, to) = (root().join("xtask").join(name), target_dir()?.join(name));
    let copy = |name: &str, new_name: &str| {
        let copied = fs::create_dir_all(&to).and_then(|()| fs::copy(from.join(name), to.join(new_name)));
        copied.map(drop).map_err(|e| format!("cannot write to {}: {e}", to.display()))
    };
    copy("package.json", "package.json")?;
    copy("package-lock.json", "package-lock.json")?;
    let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    execute(program("npm").args(ci).current_dir(&to))?;
    copy("package-lock.json", "installed.json")
}

/// All of it, and the part without windows, which starts and draws sooner.
const CHROMIUM: [&str; 2] = ["chromium", "chromium-headless-shell"];

fn chromium_present() -> bool {
    CHROMIUM.iter().all(|name| Path::new("/usr/bin").join(name).exists())
}

fn install_chromium() -> Result {
    apt(&CHROMIUM)
}

/// The README's commands are run as printed.
fn openssl_present() -> bool {
    succeeds(program("openssl").arg("version"))
}

fn install_openssl() -> Result {
    apt(&["openssl"])
}

fn certutil_present() -> bool {
    PathBuf::from("/usr/bin/certutil").exists()
}

fn install_certutil() -> Result {
    apt(&["libnss3-tools"])
}

fn oathtool_present() -> bool {
    succeeds(program("oathtool").arg("--version"))
}

fn install_oathtool() -> Result {
    apt(&["oathtool"])
}

fn curl_present() -> bool {
    succeeds(program("curl").arg("--version"))
}

fn install_curl() -> Result {
    apt(&["curl"])
}

fn promtool_present() -> bool {
    Path::new("/usr/bin/promtool").exists()
}

fn install_promtool() -> Result {
    apt(&["prometheus"])
}

fn nginx_present() -> bool {
    Path::new("/usr/sbin/nginx").exists()
}

fn install_nginx() -> Result {
    apt(&["nginx-light"])
}

fn pgbouncer_present() -> bool {
    Path::new("/usr/sbin/pgbouncer").exists()
}

fn install_pgbouncer() -> Result {
    apt(&["pgbouncer"])
}

fn apache_present() -> bool {
    Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").exists()
        && Path::new("/usr/sbin/apache2").exists()
}

fn install_apache() -> Result {
    apt(&["apache2", "libapache2-mod-auth-openidc"])
}

fn caddy_present() -> bool {
    Path::new("/usr/bin/caddy").exists()
}

fn install_caddy() -> Result {
    apt(&["caddy"])
}

/// Whether the lists of Debian's packages are those of today.
static UPDATED: Mutex<bool> = Mutex::new(false);

/// Installs Debian packages if permitted; otherwise says what to do.
fn apt(packages: &[&str]) -> Result {
    let names = packages.join(" ");
    let may = Path::new("/etc/debian_version").exists() && output(program("id").arg("-u"))?.trim() == "0";
    if !may {
        return Err(format!("Install it with your system's packages (Debian: apt-get install {names})"));
    }
    let apt_get = || {
        let mut command = program("apt-get");
        command.args(["-qq", "-o", "DPkg::Lock::Timeout=120"]).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let mut updated = UPDATED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*updated {
        execute(apt_get().arg("update"))?;
        *updated = true;
    }
    execute(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}
