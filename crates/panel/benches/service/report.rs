//! The table: figure, value, ratio to `/health`, bar, and how it stands to that.

use std::fmt;
use std::time::Duration;

use crate::load::Rate;
use crate::probe::Latency;

/// The least that a rate must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// This part of `/health`'s rate.
    OfHealth(f64),
    /// This part of another rate.
    Of(&'static str, f64, f64),
}

#[derive(Debug, Default)]
struct Row {
    figure: String,
    value: String,
    ratio: String,
    bar: String,
    verdict: String,
    missed: bool,
}

/// All figures for one number of users.
#[derive(Debug)]
pub(crate) struct Report {
    users: usize,
    health: f64,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) const fn new(users: usize) -> Self {
        Self { users, health: 0.0, rows: Vec::new() }
    }

    pub(crate) const fn users(&self) -> usize {
        self.users
    }

    /// The rate of `/health`, before any other rate.
    pub(crate) fn yardstick(&mut self, rate: Rate) {
        self.health = rate.per_second;
        self.rows.push(Row { ratio: "1".into(), ..Row::new("GET /health, the yardstick", rate_text(rate)) });
    }

    pub(crate) fn rate(&mut self, figure: &str, rate: Rate, bar: Bar) {
        let of_health = rate.per_second / self.health;
        let (found, wanted, of) = match bar {
            Bar::OfHealth(wanted) => (of_health, wanted, "/health"),
            Bar::Of(what, other, wanted) => (rate.per_second / other, wanted, what),
        };
        let (verdict, missed) = verdict(wanted / found);
        let ratio = format!("{of_health:.3}");
        let bar = format!("≥ {wanted} of {of}");
        self.rows.push(Row { ratio, bar, verdict, missed, ..Row::new(figure, rate_text(rate)) });
    }

    pub(crate) fn at_most(&mut self, figure: &str, value: f64, bar: f64, unit: &str) {
        let (verdict, missed) = verdict(value / bar);
        let (value, bar) = (format!("{value:.1} {unit}"), format!("≤ {bar} {unit}"));
        self.rows.push(Row { bar, verdict, missed, ..Row::new(figure, value) });
    }

    pub(crate) fn start(&mut self, figure: &str, took: Duration) {
        self.at_most(figure, took.as_secs_f64() * 1e3, 1_000.0, "ms");
    }

    pub(crate) fn memory(&mut self, figure: &str, bytes: u64, bar_mebibytes: u32) {
        self.at_most(figure, in_mebibytes(bytes), f64::from(bar_mebibytes), "MiB");
    }

    /// A figure without a bar, which explains others.
    pub(crate) fn info(&mut self, figure: &str, value: String) {
        self.rows.push(Row::new(figure, value));
    }

    /// What was missed, a line each.
    pub(crate) fn missed(&self) -> impl Iterator<Item = String> {
        let line =
            |row: &Row| format!("{} users: {}: {}, {} ({})", self.users, row.figure, row.value, row.verdict, row.bar);
        self.rows.iter().filter(|row| row.missed).map(line)
    }
}

impl Row {
    fn new(figure: &str, value: String) -> Self {
        Self { figure: figure.to_owned(), value, ..Self::default() }
    }

    const fn cells(&self) -> [&String; 5] {
        [&self.figure, &self.value, &self.ratio, &self.bar, &self.verdict]
    }
}

/// What to say of something that is `times` as bad as it may be, and whether that is a miss.
fn verdict(times: f64) -> (String, bool) {
    if times <= 1.0 { ("OK".into(), false) } else { (format!("MISSED {times:.2} times"), true) }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = ["figure", "value", "of /health", "bar", "verdict"].map(str::to_owned);
        let [figure, value, ratio, bar, verdict] = titles;
        let title = Row { figure, value, ratio, bar, verdict, missed: false };
        let mut widths = [0; 5];
        for row in std::iter::once(&title).chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row.cells()) {
                *width = (*width).max(cell.chars().count());
            }
        }
        writeln!(f, "\n{} users, SQLite\n", self.users)?;
        for row in std::iter::once(&title).chain(&self.rows) {
            let cells = row.cells().into_iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

pub(crate) fn summary(missed: &[String]) -> String {
    if missed.is_empty() {
        return "\nEvery bar is met.\n".into();
    }
    format!("\nMissed, {} in all:\n  {}\n", missed.len(), missed.join("\n  "))
}

fn rate_text(rate: Rate) -> String {
    format!("{:.0} /s, {:.0} µs CPU each", rate.per_second, rate.processor_micros)
}

#[expect(clippy::cast_precision_loss, reason = "it is printed with one digit after the point")]
fn in_mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", in_mebibytes(bytes))
}

pub(crate) fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1e3)
}

pub(crate) fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}

pub(crate) fn latency(latency: Latency) -> String {
    format!("{:.2} / {:.2} ms", latency.p50, latency.p99)
}
