//! The JSON of requests and answers.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Datelike as _, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use super::problem::Problem;
use crate::runtime::sync::ConfigSync;

pub(super) mod admin;
pub(super) mod audit;
pub(super) mod bulk;
pub(super) mod history;
pub(super) mod system;
pub(super) mod user;
pub(super) mod user_query;

/// A moment, outside always RFC 3339 in UTC and whole seconds; inside a request any zone will do, but there must be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-12-31T23:59:59Z")]
pub(crate) struct Moment(pub(crate) DateTime<Utc>);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_moment(&text).map(Self).ok_or_else(|| {
            de::Error::custom(
                "must be a date and time with a zone, such as 2026-12-31T23:59:59Z, of the years 1 to 9999",
            )
        })
    }
}

/// A whole number of 64 bits. 5.0 is one, in JSON as in its schemas; 5.5 is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = i64, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
pub(crate) struct Whole(pub(crate) i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor).map(Self)
    }
}

struct WholeVisitor;

impl de::Visitor<'_> for WholeVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
        number.try_into().map_err(|_| not_whole())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
        whole(number).ok_or_else(not_whole)
    }
}

fn not_whole<E: de::Error>() -> E {
    E::custom("must be a whole number of at most 9223372036854775807")
}

/// A float that is a whole number and exact, as an integer.
#[expect(clippy::cast_possible_truncation, reason = "it is within 53 bits")]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// A JSON object and nothing else: on its own, serde takes a list of the fields' values for a struct as well.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> de::Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(map))
    }
}

fn parse_moment(text: &str) -> Option<DateTime<Utc>> {
    let moment = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    // In whole seconds. A leap second, which the proxy's file could not hold, is the second before it.
    let moment = DateTime::from_timestamp(moment.timestamp(), 0)?;
    (1..=9999).contains(&moment.year()).then_some(moment)
}

/// A secret in an answer: it has a JSON form, and its `Debug` form does not show it.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
pub(crate) struct Shown(String);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[shown to its owner only]")
    }
}

impl From<String> for Shown {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

/// A field that may be left out, but not be null: for `deserialize_with`, beside `default`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Checks a text that the database is asked for: its length, and that it holds no NUL, which PostgreSQL refuses.
fn check_text(field: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.contains('\0') {
        return Err(Problem::invalid_field(field, "may not hold a NUL character"));
    }
    check_length(field, text, most)
}

fn check_length(field: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.chars().count() > most {
        return Err(Problem::invalid_field(field, format!("may have at most {most} characters")));
    }
    Ok(())
}

/// Checks offset and limit of any list.
pub(super) fn page(offset: Option<i64>, limit: Option<i64>) -> Result<(i64, i64), Problem> {
    let (offset, limit) = (offset.unwrap_or(0), limit.unwrap_or(50));
    if offset < 0 {
        return Err(Problem::invalid_field("offset", "must be 0 or more"));
    }
    if !(1..=1_000).contains(&limit) {
        return Err(Problem::invalid_field("limit", "must be 1 to 1000"));
    }
    Ok((offset, limit))
}

/// Whether the proxy's file says what the database says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfigSyncBody {
    state: SyncState,
    /// Why it does not yet.
    #[schema(required)]
    detail: Option<String>,
}

/// Whether a change stands in the proxy's file.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SyncState {
    /// It does.
    Applied,
    /// Not yet; the panel keeps trying.
    Pending,
}

impl SyncState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
        }
    }
}

impl From<&ConfigSync> for SyncState {
    fn from(sync: &ConfigSync) -> Self {
        match sync {
            ConfigSync::Applied => Self::Applied,
            ConfigSync::Pending(_) => Self::Pending,
        }
    }
}

impl From<ConfigSync> for ConfigSyncBody {
    fn from(sync: ConfigSync) -> Self {
        let state = SyncState::from(&sync);
        let detail = if let ConfigSync::Pending(detail) = sync { Some(detail) } else { None };
        Self { state, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("5", Some(5))]
    #[case("5.0", Some(5))]
    #[case("-1", Some(-1))]
    #[case("9223372036854775807", Some(i64::MAX))]
    #[case("9223372036854775808", None)]
    #[case("1e300", None)]
    #[case("5.5", None)]
    #[case("\"5\"", None)]
    #[case("true", None)]
    fn whole_numbers_are_taken_and_others_refused(#[case] json: &str, #[case] expected: Option<i64>) {
        assert_eq!(serde_json::from_str::<Whole>(json).ok().map(|number| number.0), expected);
    }

    #[test]
    fn what_is_shown_to_its_owner_does_not_print() {
        let shown = Shown::from("canary".to_owned());
        assert_eq!(serde_json::to_string(&shown).unwrap(), "\"canary\"");
        assert!(!format!("{shown:?}").contains("canary"));
    }

    #[rstest]
    #[case("2026-12-31T23:59:59Z", Some("2026-12-31T23:59:59+00:00"))]
    #[case("2026-12-31T23:59:59+03:00", Some("2026-12-31T20:59:59+00:00"))]
    #[case("2026-12-31T23:59:60Z", Some("2026-12-31T23:59:59+00:00"))]
    #[case("2026-12-31T23:59:59.999Z", Some("2026-12-31T23:59:59+00:00"))]
    #[case("2026-12-31T23:59:59", None)]
    #[case("2026-12-31", None)]
    #[case("1767225600", None)]
    #[case("0001-01-01T00:00:00Z", Some("0001-01-01T00:00:00+00:00"))]
    #[case("0000-12-31T00:00:00Z", None)]
    #[case("9999-12-31T23:59:59-00:01", None)]
    fn a_date_needs_a_zone(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(parse_moment(text).map(|moment| moment.to_rfc3339()), expected.map(str::to_owned));
    }
}
