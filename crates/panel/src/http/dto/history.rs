//! Traffic over time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Moment;
use crate::http::problem::Problem;
use crate::service::history::{Range, Step};
use crate::store::traffic::Moved;

/// Which part of the history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Beginning, with a zone; a day before the end if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Moment>,
    /// End, exclusive; now if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Moment>,
    /// Width of the points; `hour` for up to two days and `day` for more if absent.
    #[param(inline)]
    step: Option<StepWord>,
}

/// Width of the points of a history, UTC.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StepWord {
    /// As it is stored: by scrape for a day, then by the hour, after 30 days by the day.
    Stored,
    /// By the hour.
    Hour,
    /// By the day.
    Day,
}

impl HistoryQuery {
    pub(in crate::http) fn range(self, now: DateTime<Utc>) -> Result<Range, Problem> {
        let step = self.step.map(|step| match step {
            StepWord::Stored => Step::Stored,
            StepWord::Hour => Step::Hour,
            StepWord::Day => Step::Day,
        });
        Ok(Range::new(self.from.map(|from| from.0), self.to.map(|to| to.0), step, now)?)
    }
}

/// Traffic over time; steps in which nothing moved are left out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct History {
    points: Vec<Point>,
}

/// Bytes that moved in one step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Point {
    /// Beginning of the step.
    at: Moment,
    /// Bytes from the clients.
    octets_from: i64,
    /// Bytes to the clients.
    octets_to: i64,
}

impl From<Vec<Moved>> for History {
    fn from(rows: Vec<Moved>) -> Self {
        let point = |moved: Moved| Point {
            at: Moment(moved.recorded_at),
            octets_from: moved.octets_from,
            octets_to: moved.octets_to,
        };
        Self { points: rows.into_iter().map(point).collect() }
    }
}
