//! Tells the linker how to lay the program out (docs/decisions/0017-what-an-idle-server-runs-lies-together.md).
#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]

fn main() {
    println!("cargo::rerun-if-changed=idle.ld");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    // Development builds are linked often, and nobody measures their memory. A linker that somebody chose may not know
    // such scripts: those of GNU and LLVM do.
    let wanted = of("PROFILE") == "release" && of("CARGO_CFG_TARGET_OS") == "linux";
    if wanted && !of("CARGO_ENCODED_RUSTFLAGS").contains("fuse-ld") {
        println!("cargo::rustc-link-arg-bins=-T{}/idle.ld", of("CARGO_MANIFEST_DIR"));
    }
}
