//! The binary `mtpannel`.

use std::process::ExitCode;

use clap::Parser as _;
use mtpannel::cli::Cli;

fn main() -> ExitCode {
    // Of the file and the real environment, the environment wins.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        eprintln!("error: .env cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
