//! The program `mtpannel`; all of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    mtpannel::cli::main()
}
