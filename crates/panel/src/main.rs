//! The program `mtpannel`; all of it is in the library.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Gives memory back soon after a large file or scrape is done with, which the system's allocator does not: it kept
/// three times as much (`.cargo/config.toml` says how soon).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    mtpannel::cli::main()
}
