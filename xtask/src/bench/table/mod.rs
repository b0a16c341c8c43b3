//! Every budget in one run: each figure as a ratio to a limit measured in the same run, printed and written to
//! `docs/performance.md`.

mod calls;
pub(super) mod figures;
mod machine;
mod others;
mod page;
mod paper;
pub(super) mod plot;
mod postgres;
mod reads;
mod stage;
mod storm;
mod writes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use vestibule_testing::Site;

use self::figures::Figures;
use self::machine::Machine;
use self::page::{Book, Measured};
use self::stage::Stage;
use super::program::Build;
use super::yardstick::Yardstick;
use crate::shell::Result;

/// Measures, and writes the page anew.
pub(super) fn run(build: &Build, is_before: bool) -> Result {
    let program = build.program()?;
    let yardstick = Yardstick::new(build)?;
    // A page that cannot be written is no surprise for later.
    Book::open()?;
    let machine = Machine::here();
    println!("{}\n{build}", machine.describe());
    let begun = Instant::now();
    let figures = measure(&program, &yardstick, machine.cores())?;
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    println!("\nmeasured in {minutes:.1} minutes");
    let measured = Measured::new(machine, build, figures);
    let mut book = Book::open()?;
    if is_before {
        book.before = Some(measured);
    } else {
        book.now = Some(measured);
    }
    book.write()
}

/// Writes the page anew from what was measured earlier.
pub(super) fn write() -> Result {
    Book::open()?.write()
}

/// Writes what the growth of the database does to the page.
pub(super) fn write_growth(build: &Build, figures: Figures) -> Result {
    let mut book = Book::open()?;
    book.growth = Some(Measured::new(Machine::here(), build, figures));
    book.write()
}

fn measure(program: &Path, yardstick: &Yardstick, cores: usize) -> Result<Figures> {
    let mut figures = Figures::default();
    let idle_mib = others::starts(program, &mut figures)?;
    let site = Site::new(program.to_owned(), None);
    let storm = Stage::set(yardstick, &site)?;
    let (calm, hashes) = storm::run(storm, (idle_mib, cores), &mut figures)?;
    // Its server has a minute to give back what the storm took. What follows uses servers of its own.
    {
        let site = Site::new(program.to_owned(), None);
        let stage = Stage::set(yardstick, &site)?;
        attempt(&mut figures, |figures| reads::run(&stage, figures));
        attempt(&mut figures, |figures| writes::run(&stage, (hashes, cores), figures));
        attempt(&mut figures, |figures| calls::run(&stage, figures));
    }
    attempt(&mut figures, |figures| others::passkeys(program, figures));
    attempt(&mut figures, |figures| others::applications(program, figures));
    attempt(&mut figures, |figures| postgres::run(yardstick, program, hashes.rate, figures));
    calm.end(&mut figures)?;
    Ok(figures)
}

/// A part that fails is left out, and the table says so: the others are worth their minutes. The helpers of tests panic where
/// they fail.
fn attempt(figures: &mut Figures, part: impl FnOnce(&mut Figures) -> Result) {
    let done = catch_unwind(AssertUnwindSafe(|| part(figures)));
    let message = match done {
        Ok(Ok(())) => return,
        Ok(Err(message)) => message,
        Err(_) => "it panicked, see above".to_owned(),
    };
    eprintln!("{message}");
    figures.leave_out_part();
}
