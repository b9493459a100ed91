//! The panel's speed and size: the built program over SQLite, with 10,000 and with 100,000 users.
//!
//! `make bench` runs it; `cargo bench -p mtpannel --bench service -- 10000` measures one number of users. A missed bar
//! is told and fails nothing, because a busy machine misses too; what cannot be measured fails the run.

mod fill;
mod load;
mod panel;
mod probe;
mod proxy;
mod reads;
mod report;
mod scrapes;
mod writes;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use crate::panel::Place;
use crate::proxy::FakeProxy;
use crate::report::Report;

const SIZES: [usize; 2] = [10_000, 100_000];
/// Whatever hangs ends here.
const LONGEST: Duration = Duration::from_mins(10);
/// No scrape but the one at the start.
const HARDLY_EVER: u64 = 3_600;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("measures nothing unless cargo bench runs it");
        return ExitCode::SUCCESS;
    }
    let asked: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if asked.is_empty() { SIZES.to_vec() } else { asked };
    match run(&sizes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: not everything could be measured: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(sizes: &[usize]) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let all = async {
            let mut missed = Vec::new();
            for users in sizes {
                let mut report = Report::new(*users);
                let outcome = measure(*users, &mut report).await;
                // What was measured before a failure is worth a look, too.
                print!("{report}");
                outcome.with_context(|| format!("with {users} users"))?;
                missed.extend(report.missed());
            }
            anyhow::Ok(missed)
        };
        let missed = tokio::time::timeout(LONGEST, all).await.context("it took too long")??;
        print!("{}", report::summary(&missed));
        Ok(())
    })
}

async fn measure(users: usize, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("{users} users:");
    let proxy = FakeProxy::start(users).await?;
    let place = Place::new(&proxy.url())?;
    place.prepare()?;
    step("filling the database");
    fill::fill(&place.database(), users).await?;

    step("starting for the first time");
    let panel = place.start(HARDLY_EVER).await?;
    report.start("start to first answer, no file yet", panel.first_answer);
    report.info("start until the file is written", report::seconds(panel.settled));
    panel.stop().await?;

    step("starting again");
    let panel = place.start(HARDLY_EVER).await?;
    report.start("start to first answer", panel.first_answer);
    // What the start needed may have to be given back first.
    tokio::time::sleep(Duration::from_secs(3)).await;
    report.memory("memory idle", panel.memory()?.now, 64);
    panel.forget_peak()?;
    reads::measure(&panel, users, report).await?;
    report.memory("memory, peak while reading", panel.memory()?.peak, 200);
    panel.forget_peak()?;
    step("creating users");
    writes::measure(&panel, &place, report).await?;
    report.memory("memory, peak while creating", panel.memory()?.peak, 200);
    panel.stop().await?;

    let panel = place.start(scrapes::interval(users)).await?;
    panel.forget_peak()?;
    scrapes::measure(&panel, &proxy, report).await?;
    report.memory("memory, peak while scraping", panel.memory()?.peak, 200);
    report.info("memory after all that", report::mebibytes(panel.memory()?.now));
    panel.stop().await
}

/// Tells on the terminal what takes its time now.
fn step(what: &str) {
    eprintln!("  {what}");
}
