//! Creates, each answered when the proxy's file holds the user.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use crate::panel::{Panel, Place};
use crate::report::{self, Report};

const CREATES: usize = 50;
const WRITES: usize = 9;

pub(crate) async fn measure(panel: &Panel, place: &Place, report: &mut Report) -> anyhow::Result<()> {
    let (mut creates, mut pages) = (Vec::new(), Vec::new());
    for number in 0..CREATES {
        creates.push(create(panel, &format!("fresh_{number}")).await?);
        // The first list after a change.
        let began = Instant::now();
        panel.get("/api/users?limit=50").await?;
        pages.push(began.elapsed());
    }
    let file = std::fs::read_to_string(place.config())?;
    ensure!(file.contains(&format!("\"fresh_{}\" = ", CREATES - 1)), "the file does not hold the last user");
    let bar = if report.users() <= 10_000 { 40.0 } else { 300.0 };
    report.at_most("create with the file written, median", median(&mut creates), bar, "ms");
    report.info("create with the file written, slowest", report::milliseconds(creates[CREATES - 1]));
    report.info("the file", report::mebibytes(file.len() as u64));
    report.info("a plain durable write of it, median", report::milliseconds(plain(place, &file)?));
    report.info("page of 50 right after a change, median", report::milliseconds(median_of(&mut pages)));
    Ok(())
}

async fn create(panel: &Panel, name: &str) -> anyhow::Result<Duration> {
    let body = json!({"username": name, "data_limit": 10_737_418_240_u64});
    let began = Instant::now();
    let answer = panel.post("/api/users", &body).await?;
    let took = began.elapsed();
    ensure!(answer["config_sync"]["state"] == "applied", "the file was not written: {}", answer["config_sync"]);
    Ok(took)
}

/// What the disk alone takes for such a file: writing, making durable, putting in place.
fn plain(place: &Place, text: &str) -> anyhow::Result<Duration> {
    let (temporary, target) = (place.path("plain.tmp"), place.path("plain.toml"));
    let mut all = Vec::new();
    for _ in 0..WRITES {
        let began = Instant::now();
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, &target)?;
        std::fs::File::open(target.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        all.push(began.elapsed());
    }
    Ok(median_of(&mut all))
}

/// The median in milliseconds; sorts.
fn median(all: &mut [Duration]) -> f64 {
    median_of(all).as_secs_f64() * 1e3
}

fn median_of(all: &mut [Duration]) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}
