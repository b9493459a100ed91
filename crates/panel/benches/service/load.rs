//! Requests as fast as they are answered, with wrk.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::panel::Panel;

/// Figures of one load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Answers per second.
    pub(crate) per_second: f64,
    /// Processor time of the panel for one answer, microseconds. It depends less than the rate on what else the machine
    /// does.
    pub(crate) processor_micros: f64,
}

/// The rate at which GETs of `paths`, over and over, are answered in `seconds`, after a second of warming up.
pub(crate) async fn rate(panel: &Panel, paths: &[String], seconds: u32) -> anyhow::Result<Rate> {
    let script = tempfile::Builder::new().suffix(".lua").tempfile_in(env!("CARGO_TARGET_TMPDIR"))?;
    std::fs::write(script.path(), lua(paths))?;
    let mut command = Command::new("wrk");
    command
        .args(["-t1", "-c8", "--timeout", "30s", "-H", &format!("Authorization: Bearer {}", panel.token), "-s"])
        .arg(script.path());
    let url = panel.url("/");
    let wrk = |seconds: u32| {
        let mut command = clone_of(&command);
        command.args([&format!("-d{seconds}s"), &url]);
        tokio::task::spawn_blocking(move || answered(&mut command))
    };
    // The first list after a start or a change has all users loaded, which no load may break off.
    panel.get(paths.first().context("a load has a path")?).await?;
    wrk(1).await??;
    let before = panel.processor_time()?;
    let (answers, per_second) = wrk(seconds).await??;
    let used = panel.processor_time()? - before;
    Ok(Rate { per_second, processor_micros: used * 1e6 / answers })
}

/// A load that goes through `paths` in their order. The requests are made before the load begins, so that wrk has as
/// little to do for any of them as for a single one.
fn lua(paths: &[String]) -> String {
    let mut script = String::from("local paths = {\n");
    for path in paths {
        let _ = writeln!(script, "  \"{path}\",");
    }
    script.push_str(
        "}\n\
         local requests, at = {}, 0\n\
         function init(args)\n\
         \x20 for i, path in ipairs(paths) do requests[i] = wrk.format(\"GET\", path) end\n\
         end\n\
         function request()\n\
         \x20 at = at % #requests + 1\n\
         \x20 return requests[at]\n\
         end\n",
    );
    script
}

fn clone_of(command: &Command) -> Command {
    let mut clone = Command::new(command.get_program());
    clone.args(command.get_args());
    clone
}

/// Runs wrk and reads how many answers there were and how many a second. Anything but good answers is an error.
fn answered(command: &mut Command) -> anyhow::Result<(f64, f64)> {
    let output = command.output().context("wrk could not be started")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() || text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("wrk met errors:\n{text}{}", String::from_utf8_lossy(&output.stderr));
    }
    let answers = text.lines().find_map(|line| line.trim().split_once(" requests in ")).map(|(count, _)| count);
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    let number = |found: Option<&str>| found?.trim().parse::<f64>().ok();
    number(answers).zip(number(rate)).with_context(|| format!("wrk says something else:\n{text}"))
}
