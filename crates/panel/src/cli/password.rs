//! Reads or generates an administrator's password. It is never an argument, because everybody on the machine can read
//! those.

use std::io::{self, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail, ensure};
use secrecy::{ExposeSecret as _, SecretString};

use super::{output, tell};
use crate::random;
use crate::runtime::password;

/// Most bytes that are read from standard input.
const MAX_LINE: u64 = 4_096;

/// A new password, and whether it was generated here and has to be shown.
pub(super) struct NewPassword {
    pub(super) password: SecretString,
    generated: bool,
}

/// Reads the password from standard input or from the terminal, or generates one if there is no terminal.
pub(super) fn obtain(from_stdin: bool) -> anyhow::Result<NewPassword> {
    let (password, generated) = if from_stdin {
        (read_line()?, false)
    } else if io::stdin().is_terminal() {
        (ask_twice()?, false)
    } else {
        (random::password().into(), true)
    };
    password::check(&password).map_err(|error| anyhow::anyhow!("the {} {}", error.field, error.message))?;
    Ok(NewPassword { password, generated })
}

impl NewPassword {
    /// Prints the password on standard output if it was generated here.
    pub(super) fn reveal(&self) -> anyhow::Result<()> {
        if !self.generated {
            return Ok(());
        }
        tell("the password, shown only this once:");
        output::print(&format!("{}\n", self.password.expose_secret()))
    }
}

fn read_line() -> anyhow::Result<SecretString> {
    let mut bytes = Vec::new();
    io::stdin().take(MAX_LINE).read_to_end(&mut bytes).context("standard input cannot be read")?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("the password on standard input is not UTF-8"))?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    ensure!(!line.contains('\n'), "standard input must hold the password and nothing else, on one line");
    Ok(line.to_owned().into())
}

fn ask_twice() -> anyhow::Result<SecretString> {
    let ask =
        |prompt| rpassword::prompt_password(prompt).map(SecretString::from).context("the terminal cannot be read");
    let first = ask("Password: ")?;
    password::check(&first).map_err(|error| anyhow::anyhow!("the {} {}", error.field, error.message))?;
    let second = ask("Password again: ")?;
    if first.expose_secret() != second.expose_secret() {
        bail!("the two passwords differ");
    }
    Ok(first)
}
