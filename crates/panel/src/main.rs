//! The program `mtpannel`; all of it is in the library.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// SQLite uses it, too. It returns memory to the system soon after a large file or scrape has been processed
/// (`.cargo/config.toml` sets how soon); the system's allocator kept three times as much.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    mtpannel::cli::main()
}
