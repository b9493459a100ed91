//! What handlers take of a request: the caller, the address of the client, and a body, query or name that fits.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use mtpannel_core::policy::Right;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Client;
use super::dto::Object;
use super::problem::Problem;
use crate::app::SharedApp;
use crate::service::caller::{self, Allowed, Caller};
use crate::service::users;
use crate::store::users::User;

impl FromRequestParts<SharedApp> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self::new(peer, &parts.headers, &app.settings.trusted_proxies))
    }
}

impl FromRequestParts<SharedApp> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        caller_and_user(parts, app, None).await.map(|(caller, _)| caller)
    }
}

impl<R: Right> FromRequestParts<SharedApp> for Allowed<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        Ok(Caller::from_request_parts(parts, app).await?.allow()?)
    }
}

/// The one way in: from the credential of a request to the caller; with `name` also the user of this name whom they see.
async fn caller_and_user(
    parts: &mut Parts,
    app: &SharedApp,
    name: Option<&str>,
) -> Result<(Caller, Option<User>), Problem> {
    let address = Client::from_request_parts(parts, app).await?.address;
    let token = bearer(&parts.headers)?;
    Ok(match name {
        Some(name) => caller::authenticate_with_user(app, token, address, name).await?,
        None => (caller::authenticate(app, token, address).await?, None),
    })
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let credentials = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let token = credentials.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    token.ok_or_else(|| Problem::unauthorized("send an access token as 'Authorization: Bearer …'"))
}

/// The user in the path, for a caller who sees them and has the permission `R`.
pub(super) struct Found<R> {
    pub(super) user: User,
    pub(super) caller: Allowed<R>,
}

impl<R: Right> FromRequestParts<SharedApp> for Found<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        let name = Name::from_request_parts(parts, app).await;
        let (caller, user) = caller_and_user(parts, app, name.as_ref().ok().map(|Name(name)| name.as_str())).await?;
        let caller = caller.allow()?;
        // Only a caller is told that the name is none.
        name?;
        Ok(Self { user: users::found(user)?, caller })
    }
}

/// The name in the path. One that is no text names nobody.
pub(super) struct Name(pub(super) String);

impl FromRequestParts<SharedApp> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        let name = match Path::<String>::from_request_parts(parts, app).await {
            Ok(Path(name)) => name,
            // The path of bulk actions has no parameter; a user may be called like it.
            Err(_) if parts.uri.path().ends_with("/users/bulk") => "bulk".to_owned(),
            Err(_) => return Err(nothing()),
        };
        // No name holds a NUL, which PostgreSQL refuses in a text, or a letter outside of ASCII, whatever a database takes
        // for its lower case.
        if name.is_ascii() && !name.contains('\0') { Ok(Self(name)) } else { Err(nothing()) }
    }
}

fn nothing() -> Problem {
    Problem::not_found("there is nothing of this name")
}

/// A JSON body that fits `T`: 415 for another kind, 413 if too long, 400 if it does not parse, 422 if it does not fit.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<SharedApp> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Problem> {
        if media_type(request.headers()).as_deref() != Some("application/json") {
            return Err(Problem::wrong_media_type("application/json"));
        }
        let body = Bytes::from_request(request, app).await.map_err(|rejection| body_problem(&rejection))?;
        parse_json(&body).map(Self)
    }
}

/// The media type of a body, in lower case and without parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

pub(super) fn body_problem(rejection: &BytesRejection) -> Problem {
    if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        Problem::too_large()
    } else {
        Problem::bad_request("the body could not be read to its end")
    }
}

pub(super) fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Some editors and shells put a byte order mark in front.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut json = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        // What does not fit may stand before the place where it stops being JSON, and serde takes some of what does not fit
        // for no JSON.
        match serde_json::from_slice::<Value>(body) {
            Ok(_) => {
                let field = if path == "." { "body" } else { &path };
                Problem::invalid_field(field, without_position(&inner.to_string()))
            }
            Err(syntax) => not_json(&syntax),
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    let what = if error.to_string().starts_with("number out of range") {
        "a number in the body is too large"
    } else {
        "the body is not JSON"
    };
    Problem::bad_request(format!("{what}: line {}, column {}", error.line(), error.column()))
}

/// serde's message without "at line 1 column 2", which the field's name replaces.
fn without_position(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| &message[..at])
}
