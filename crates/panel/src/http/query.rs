//! The query of a request: a parameter without a value is as if it were absent.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::{DeserializeOwned, Deserializer, Visitor, value};
use serde::forward_to_deserialize_any;

use super::problem::Problem;
use crate::app::SharedApp;

/// A query that fits `T`; unknown parameters do not.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<SharedApp> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &SharedApp) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let known = fields::<T>();
    let has_value = |part: &&str| match part.split_once('=') {
        Some((name, value)) => !value.is_empty() || !known.contains(&name),
        None => !known.contains(part),
    };
    let kept: Vec<_> = query.split('&').filter(has_value).collect();
    let uri: Uri = format!("/?{}", kept.join("&")).parse().map_err(|_| Problem::invalid_field("query", "is none"))?;
    axum::extract::Query::<T>::try_from_uri(&uri).map(|query| query.0).map_err(|rejection| {
        let text = rejection.body_text();
        let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
        match text.split_once(": ").filter(|(field, _)| !field.contains(' ')) {
            Some((field, message)) => Problem::invalid_field(field, plain(message)),
            None => Problem::invalid_field("query", text),
        }
    })
}

/// The message about a number that cannot be read, in plain words.
fn plain(message: &str) -> &str {
    const OF_NUMBERS: [&str; 3] = ["invalid digit found in string", "number too large", "number too small"];
    if OF_NUMBERS.iter().any(|start| message.starts_with(start)) {
        "must be a whole number of at most 9223372036854775807"
    } else {
        message
    }
}

/// The names of the fields of a struct, as its derived `Deserialize` asks for them.
fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // It gets no value, so it fails in any case.
    let _ = T::deserialize(Fields(&mut fields));
    fields
}

struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("there is no value"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        limit: Option<i64>,
        sort: Option<String>,
    }

    #[rstest]
    #[case("", Some((None, None)))]
    #[case("limit=5&sort=name", Some((Some(5), Some("name"))))]
    #[case("limit=&sort=", Some((None, None)))]
    #[case("limit&sort=name", Some((None, Some("name"))))]
    #[case("limit=&limit=5", Some((Some(5), None)))]
    #[case("limit=5&limit=6", None)]
    #[case("page=", None)]
    #[case("page", None)]
    #[case("=", None)]
    #[case("limit=x", None)]
    #[case("limit==", None)]
    fn a_known_parameter_without_a_value_is_absent_and_an_unknown_one_is_refused(
        #[case] query: &str,
        #[case] expected: Option<(Option<i64>, Option<&str>)>,
    ) {
        let expected = expected.map(|(limit, sort)| Page { limit, sort: sort.map(str::to_owned) });
        assert_eq!(parse::<Page>(query).ok(), expected);
    }
}
