//! The program `mtpannel`; all of it is in the library.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// For SQLite, too. Gives memory back soon after a large file or scrape is done with; the system's allocator kept
/// three times as much (`.cargo/config.toml` says how soon).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    mtpannel::cli::main()
}
