//! Which processes have a file open, as far as this user may see them. The file itself is not opened: closing it would
//! drop the locks of whoever else has it open in this process.

use std::fs;
use std::path::Path;

/// A process that has the file open.
pub(super) struct Opener {
    pub(super) process: u32,
    pub(super) program: String,
    /// Whether it is a server of ours.
    pub(super) serves: bool,
}

/// All of them but this process; `None` where the system does not tell.
pub(super) fn openers(path: &Path) -> Option<Vec<Opener>> {
    let path = path.canonicalize().ok()?;
    let processes = fs::read_dir("/proc").ok()?;
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let others = numbers.filter(|number| *number != std::process::id() && has_open(*number, &path));
    Some(others.map(opener).collect())
}

/// Processes of others are not shown to everybody.
fn has_open(process: u32, path: &Path) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    descriptors.flatten().any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|file| file == path))
}

fn opener(process: u32) -> Opener {
    let read = |name: &str| fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default();
    let program = read("comm").trim().to_owned();
    let serves = program == "vestibule" && read("cmdline").split('\0').any(|word| word == "serve");
    Opener { process, program, serves }
}
