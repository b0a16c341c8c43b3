//! What is given to people without Rust: an archive with the program and what goes with it, its parts, and checksums.

mod components;
mod notices;
mod processor;
mod sbom;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::bench::program::debug;
use crate::shell::{Result, cargo, output, program, root, run as execute, target_dir};
use components::Components;
use processor::Processor;

/// Files of the repository, and their folder in the archive.
const FILES: [(&str, &str); 14] = [
    ("README.md", ""),
    ("CHANGELOG.md", ""),
    ("LICENSE-APACHE", ""),
    ("LICENSE-MIT", ""),
    ("docs/operations.md", "docs"),
    ("docs/settings.md", "docs"),
    ("docs/settings.schema.json", "docs"),
    ("deploy/vestibule.service", "systemd"),
    ("deploy/vestibule.socket", "systemd"),
    ("deploy/vestibule-backup.service", "systemd"),
    ("deploy/vestibule-backup.timer", "systemd"),
    ("deploy/litestream.yml", ""),
    ("deploy/prometheus/alerts.yml", "prometheus"),
    ("deploy/prometheus/dashboard.json", "prometheus"),
];
/// Shells, and what they expect their completions to be called.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "vestibule.bash"), ("fish", "vestibule.fish"), ("zsh", "_vestibule")];

#[derive(Args)]
pub(crate) struct Options {
    /// Pack the build for development, which is not static: to try this task without a long build
    #[arg(long, conflicts_with = "processor")]
    debug: bool,
    /// Make the program for this processor [default: that of this machine]
    #[arg(long, value_enum)]
    processor: Option<Processor>,
    /// The folder to write into [default: dist in the build folder]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result {
    let own = Processor::of_this_machine()?;
    let processor = options.processor.unwrap_or(own);
    let binary = if options.debug { debug()? } else { release(processor)? };
    // A program for another processor cannot print its manual here.
    let native = if processor == own { binary.clone() } else { debug()? };
    let out = options.out.clone().map_or_else(|| target_dir().map(|target| target.join("dist")), Ok)?;
    let [archive, bom] = pack(&binary, &native, processor, &out)?;
    write(&out.join("SHA256SUMS"), &sums(&out)?)?;
    for name in [&archive, &bom, "SHA256SUMS"] {
        println!("{}", out.join(name).display());
    }
    Ok(())
}

/// The checksums of everything in the folder, which may have archives for other processors.
fn sums(folder: &Path) -> Result<String> {
    let cannot = |e: std::io::Error| format!("cannot read {}: {e}", folder.display());
    let entries = fs::read_dir(folder).map_err(cannot)?.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names = entries.collect::<std::io::Result<Vec<_>>>().map_err(cannot)?;
    names.retain(|name| name.to_string_lossy().starts_with("vestibule-"));
    names.sort();
    output(program("sha256sum").args(names).current_dir(folder))
}

/// Every crate can be packed, and the program archived.
pub(crate) fn check() -> Result {
    execute(&mut cargo(["package", "--workspace", "--no-verify", "--allow-dirty", "--quiet"]))?;
    let folder = tempfile::tempdir().map_err(|e| format!("cannot make a folder: {e}"))?;
    run(&Options { debug: true, processor: None, out: Some(folder.path().to_owned()) })
}

/// One file that needs nothing of the system: the C library is in it, too.
fn release(processor: Processor) -> Result<PathBuf> {
    let target = processor.target();
    // With `--target`, the C library stays out of build scripts and macros.
    let mut build =
        cargo(["build", "--release", "--locked", "--package=vestibule-server", "--target", &target]);
    processor.prepare(&mut build)?;
    execute(build.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let binary = target_dir()?.join(target).join("release/vestibule");
    let bytes = fs::read(&binary).map_err(|e| format!("cannot read {}: {e}", binary.display()))?;
    match has_interpreter(&bytes) {
        Some(false) => Ok(binary),
        _ => Err(format!("{} is not a static program", binary.display())),
    }
}

/// Whether a program names the loader of shared libraries; `None`: it is no 64-bit ELF file.
fn has_interpreter(elf: &[u8]) -> Option<bool> {
    const INTERPRETER: usize = 3;
    let number = |at: usize, length: usize| -> Option<usize> {
        let mut bytes = [0; 8];
        bytes[..length].copy_from_slice(elf.get(at..at.checked_add(length)?)?);
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    };
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (table, size, entries) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
    let mut kinds = (0..entries).map(|entry| number(table + entry * size, 4));
    kinds.try_fold(false, |found, kind| Some(found || kind? == INTERPRETER))
}

/// Writes the archive and the list of its parts; their names. `native` is the same program for this machine, which prints the manual.
fn pack(binary: &Path, native: &Path, processor: Processor, out: &Path) -> Result<[String; 2]> {
    let components = Components::of_program(processor)?;
    let name = format!("vestibule-{}-{}-linux", components.version(), processor.name());
    let folder = out.join(&name);
    let _ = fs::remove_dir_all(&folder);
    let copy = |from: &Path, place: &str| {
        let folder = folder.join(place);
        let to = folder.join(from.file_name().unwrap_or_default());
        let copied = fs::create_dir_all(&folder).and_then(|()| fs::copy(from, &to));
        copied.map(drop).map_err(|e| format!("cannot copy {} to {}: {e}", from.display(), to.display()))
    };
    copy(binary, "")?;
    FILES.iter().try_for_each(|(file, place)| copy(&root().join(file), place))?;
    fs::create_dir_all(folder.join("completions")).map_err(|e| format!("cannot make a folder: {e}"))?;
    for (shell, file) in COMPLETIONS {
        let text = output(program(native).args(["completions", shell]))?;
        write(&folder.join("completions").join(file), &text)?;
    }
    output(program(native).arg("man").arg(folder.join("man/man1")))?;
    write(&folder.join("LICENSES-OF-OTHERS.txt"), &notices::of(&components)?)?;

    let bom = format!("{name}.cdx.json");
    write(&out.join(&bom), &format!("{:#}\n", sbom::of(&components)))?;
    let archive = format!("{name}.tar.gz");
    // The same files make the same archive, whoever packs them and when.
    let when = output(program("git").args(["log", "-1", "--format=%ct"])).unwrap_or_else(|_| "0".to_owned());
    let mut tar = program("tar");
    tar.args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=go=rX,u+rw"]);
    tar.arg(format!("--mtime=@{}", when.trim())).args(["--use-compress-program=gzip -n", "--file"]);
    execute(tar.arg(&archive).arg(&name).current_dir(out))?;
    fs::remove_dir_all(&folder).map_err(|e| format!("cannot delete {}: {e}", folder.display()))?;
    Ok([archive, bom])
}

fn write(path: &Path, text: &str) -> Result {
    fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF header whose program headers are of these kinds.
    fn elf(kinds: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (file[0x20], file[0x36], file[0x38]) = (64, 8, u8::try_from(kinds.len()).unwrap());
        file.extend(kinds.iter().flat_map(|kind| [*kind, 0, 0, 0, 0, 0, 0, 0]));
        file
    }

    #[test]
    fn a_static_program_has_no_interpreter() {
        assert_eq!(has_interpreter(&elf(&[6, 1, 1])), Some(false));
        assert_eq!(has_interpreter(&elf(&[6, 3, 1])), Some(true));
        assert_eq!(has_interpreter(&elf(&[6, 3])[..70]), None);
        assert_eq!(has_interpreter(b"#!/bin/sh"), None);
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(has_interpreter(&own), Some(true), "tests are not static");
    }

    #[test]
    fn every_file_of_the_archive_is_there() {
        for (file, _) in FILES {
            assert!(root().join(file).is_file(), "{file}");
        }
    }
}
