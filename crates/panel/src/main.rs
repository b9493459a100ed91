//! The program `mtpannel`; all of it is in the library.

use std::process::ExitCode;

/// The program loads and drops a hundred thousand users at a time; this one gives the memory back, and is faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mtpannel::cli::main()
}
