//! The processors that the program is made for.

use std::env::consts::ARCH;
use std::process::Command;

use clap::ValueEnum;

use crate::shell::{Result, program, run};

/// A processor under Linux.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Processor {
    #[value(name = "x86_64")]
    X86,
    #[value(name = "aarch64")]
    Arm,
}

impl Processor {
    pub(super) fn of_this_machine() -> Result<Self> {
        Self::from_str(ARCH, false).map_err(|_| format!("no program is made for {ARCH}"))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86_64",
            Self::Arm => "aarch64",
        }
    }

    /// What the compiler calls it.
    pub(super) fn target(self) -> String {
        format!("{}-unknown-linux-gnu", self.name())
    }

    /// Lets a build for it find what this machine needs for another one: the standard library, which is fetched, and a linker,
    /// which Debian has in `gcc-aarch64-linux-gnu` or `gcc-x86-64-linux-gnu`.
    pub(super) fn prepare(self, build: &mut Command) -> Result {
        if self == Self::of_this_machine()? {
            return Ok(());
        }
        let target = self.target();
        run(program("rustup").args(["target", "add", &target]))?;
        let variable = format!("CARGO_TARGET_{}_LINKER", target.replace('-', "_").to_uppercase());
        build.env(variable, format!("{}-linux-gnu-gcc", self.name()));
        Ok(())
    }
}
