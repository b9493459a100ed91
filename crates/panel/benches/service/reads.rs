//! Rates of reads, each beside `/health` of the same server.

use crate::fill;
use crate::load::{self, Rate};
use crate::panel::Panel;
use crate::report::{Bar, Report};

const SECONDS: u32 = 5;
/// There are many sorts.
const SORT_SECONDS: u32 = 3;
const SORT_KEYS: [&str; 7] =
    ["created_at", "username", "data_used", "data_limit", "expire_at", "last_seen_at", "status"];

pub(crate) async fn measure(panel: &Panel, users: usize, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("  reading");
    let health = ["/health".to_owned()];
    let page = ["/api/users?limit=50".to_owned()];
    let search = |part: &String| format!("/api/users?limit=50&search={part}");
    let common: Vec<String> = fill::common_parts().iter().map(search).collect();
    let rare: Vec<String> = fill::rare_parts(users).iter().map(search).collect();
    let before = load::rate(panel, &health, SECONDS).await?;
    let one = load::rate(panel, &single(users), SECONDS).await?;
    let pages = load::rate(panel, &page, SECONDS).await?;
    let finding_many = load::rate(panel, &common, SECONDS).await?;
    let finding_one = load::rate(panel, &rare, SECONDS).await?;
    let sorts = sorts(panel).await?;
    // Twice, because the machine may have become slower or faster meanwhile.
    let after = load::rate(panel, &health, SECONDS).await?;

    let yardstick = mean(before, after);
    report.yardstick(yardstick);
    report.rate("GET /api/users/{name}, always another", one, Bar::OfHealth(0.25));
    report.rate("page of 50 users", pages, Bar::OfHealth(0.06));
    report.rate("search, always another, many found", finding_many, Bar::Of("page", pages.per_second, 0.5));
    report.rate("search, always another, one found", finding_one, Bar::Of("page", pages.per_second, 0.5));
    for (sort, rate) in sorts {
        report.rate(&format!("sort={sort}"), rate, Bar::Of("page", pages.per_second, 0.5));
    }
    Ok(())
}

/// Paths of single users, spread over all of them.
pub(crate) fn single(users: usize) -> Vec<String> {
    (0..1_000).map(|number| format!("/api/users/{}", fill::name(number * users / 1_000, users))).collect()
}

async fn sorts(panel: &Panel) -> anyhow::Result<Vec<(String, Rate)>> {
    let mut rates = Vec::new();
    for key in SORT_KEYS {
        for sort in [key.to_owned(), format!("-{key}")] {
            let path = format!("/api/users?limit=50&sort={sort}");
            rates.push((sort, load::rate(panel, &[path], SORT_SECONDS).await?));
        }
    }
    Ok(rates)
}

fn mean(a: Rate, b: Rate) -> Rate {
    Rate {
        per_second: f64::midpoint(a.per_second, b.per_second),
        processor_micros: f64::midpoint(a.processor_micros, b.processor_micros),
    }
}
