//! Scrapes in which many users moved, and what a request takes meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::panel::Panel;
use crate::probe::{Latency, Probe, Sample};
use crate::proxy::{Crowd, FakeProxy, SHOWN};
use crate::reads;
use crate::report::{self, Report};

const ROUNDS: usize = 3;
const ATTEMPTS: usize = 3;
/// Longest wait for the end of a scrape.
const PATIENCE: Duration = Duration::from_secs(20);
/// Around a scrape, and around the bench's own questions, requests count for neither side.
const MARGIN: Duration = Duration::from_millis(150);

/// A stretch of time.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: Instant,
    to: Instant,
}

impl Window {
    fn meets(self, sample: &Sample, margin: Duration) -> bool {
        sample.at < self.to + margin && sample.at + sample.took + margin > self.from
    }
}

/// One scrape.
struct Round {
    took: Duration,
    scrape: Window,
    /// When the panel's own metrics were asked for, which loads its lists again.
    question: Window,
}

/// Seconds between two scrapes: enough for the longest to end and for a quiet time after it.
pub(crate) fn interval(users: usize) -> u64 {
    if users <= 10_000 { 3 } else { 10 }
}

pub(crate) async fn measure(panel: &Panel, proxy: &FakeProxy, report: &mut Report) -> anyhow::Result<()> {
    let shown = format!("scrape, {SHOWN} users moved");
    let all = format!("scrape, {} users moved", report.users());
    eprintln!("  scraping");
    crowd(panel, proxy, report, Crowd::Shown, (&shown, 150.0)).await?;
    crowd(panel, proxy, report, Crowd::All, (&all, 1_500.0)).await
}

async fn crowd(
    panel: &Panel,
    proxy: &FakeProxy,
    report: &mut Report,
    crowd: Crowd,
    (figure, bar): (&str, f64),
) -> anyhow::Result<()> {
    let first = round(panel, proxy, report.users(), crowd).await?;
    let mut alone = rounds(panel, proxy, report.users(), crowd).await?;
    alone.sort_by_key(|round| round.took);
    report.at_most(figure, alone[ROUNDS / 2].took.as_secs_f64() * 1e3, bar, "ms");
    report.info(&format!("{figure}: the first of its kind"), report::milliseconds(first.took));
    report.info(&format!("{figure}: slowest"), report::milliseconds(alone[ROUNDS - 1].took));

    let probe = Probe::start(panel, &reads::single(report.users()));
    let loaded = rounds(panel, proxy, report.users(), crowd).await?;
    let samples = probe.stop()?;
    let took = loaded.iter().map(|round| round.took).max().unwrap_or_default();
    report.info(&format!("{figure}: slowest under load"), report::milliseconds(took));
    let (quiet, during) = split(&samples, &loaded)?;
    report.info("GET /api/users/{name} quiet, p50 / p99", report::latency(quiet));
    report.info("GET /api/users/{name} meanwhile, p50 / p99", report::latency(during));
    report.at_most("p99 meanwhile : p99 quiet", during.p99 / quiet.p99, 3.0, "");
    Ok(())
}

async fn rounds(panel: &Panel, proxy: &FakeProxy, users: usize, crowd: Crowd) -> anyhow::Result<Vec<Round>> {
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        all.push(round(panel, proxy, users, crowd).await?);
    }
    Ok(all)
}

/// The next scrape in which everybody in the crowd has moved. On a very busy machine one may last until the next begins;
/// then their times cannot be told apart, and another is waited for.
async fn round(panel: &Panel, proxy: &FakeProxy, users: usize, crowd: Crowd) -> anyhow::Result<Round> {
    for _ in 0..ATTEMPTS {
        if let Some(round) = attempt(panel, proxy, users, crowd).await? {
            return Ok(round);
        }
    }
    bail!("scrapes follow each other without a pause")
}

async fn attempt(panel: &Panel, proxy: &FakeProxy, users: usize, crowd: Crowd) -> anyhow::Result<Option<Round>> {
    proxy.advance(crowd);
    let next = proxy.next();
    let before = Recorded::read(panel).await?;
    let from = tokio::time::timeout(PATIENCE, next.asked()).await.context("the panel does not ask")??;
    // Not sooner, because the question itself would slow the scrape down.
    tokio::time::sleep(Duration::from_secs(interval(users)) * 4 / 10).await;
    loop {
        let asked = Instant::now();
        let after = Recorded::read(panel).await?;
        let question = Window { from: asked, to: Instant::now() };
        if after.count > before.count {
            ensure!(after.failures == before.failures, "the scrape failed");
            let took = Duration::from_secs_f64(after.seconds - before.seconds);
            let round = Round { took, scrape: Window { from, to: from + took }, question };
            return Ok((after.count == before.count + 1).then_some(round));
        }
        ensure!(from.elapsed() < PATIENCE, "the scrape does not end");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What the panel says of its scrapes.
struct Recorded {
    seconds: f64,
    count: u32,
    failures: u32,
}

impl Recorded {
    async fn read(panel: &Panel) -> anyhow::Result<Self> {
        let text = panel.own_metrics().await?;
        let find = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let seconds = find("mtpannel_scrape_duration_seconds_sum").context("no duration of scrapes is told")?;
        let count = find("mtpannel_scrape_duration_seconds_count").context("no number of scrapes is told")?;
        // There is none before the first.
        let failures = find("mtpannel_scrape_failures_total").unwrap_or("0");
        Ok(Self { seconds: seconds.parse()?, count: count.parse()?, failures: failures.parse()? })
    }
}

/// Latencies outside and during the scrapes.
fn split(samples: &[Sample], rounds: &[Round]) -> anyhow::Result<(Latency, Latency)> {
    let none = Duration::ZERO;
    let asked = |sample: &Sample| rounds.iter().any(|round| round.question.meets(sample, MARGIN));
    let during = |sample: &Sample| rounds.iter().any(|round| round.scrape.meets(sample, none));
    let near = |sample: &Sample| rounds.iter().any(|round| round.scrape.meets(sample, MARGIN));
    let samples = || samples.iter().copied();
    let quiet = Latency::of(samples().filter(|sample| !asked(sample) && !near(sample))).context("quiet")?;
    let busy = Latency::of(samples().filter(|sample| !asked(sample) && during(sample))).context("during scrapes")?;
    Ok((quiet, busy))
}
