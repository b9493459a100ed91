//! Tokens and login sessions.

use axum::body::Bytes;
use axum::extract::{FromRequest, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::AppendHeaders;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, Expiration, SameSite};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use crate::app::SharedApp;
use crate::http::client::Client;
use crate::http::dto::Moment;
use crate::http::dto::admin::{AdminBody, Credentials, CredentialsForm, SessionBody, TokenBody};
use crate::http::extract::{Json, body_problem, media_type, parse_json};
use crate::http::problem::{Problem, ProblemBody};
use crate::runtime::token::DEVICE_KNOWN_FOR;
use crate::service::auth::{self, RefreshToken};
use crate::service::caller::Caller;
use crate::service::password_check::Origin;

const COOKIE: &str = "mtpannel_refresh";
/// By this cookie the panel recognises a browser in which somebody has logged in. It gives no access.
const DEVICE_COOKIE: &str = "mtpannel_device";

/// A cookie's name and path. With TLS the name has a prefix, for which browsers take it from this host alone: `__Host-` wants
/// the path `/`; under a base path, beside which others may live, `__Secure-` and the narrow path are better.
fn name_and_path(app: &SharedApp, client: Client, name: &str) -> (String, String) {
    let base_path = &app.settings.base_path;
    match (client.tls, base_path.is_empty()) {
        (true, true) => (format!("__Host-{name}"), "/".into()),
        (true, false) => (format!("__Secure-{name}"), format!("{base_path}/api/admin/session")),
        (false, _) => (name.to_owned(), format!("{base_path}/api/admin/session")),
    }
}

/// The value of a cookie that the panel has set.
fn sent<'j>(app: &SharedApp, client: Client, jar: &'j CookieJar, name: &str) -> Option<&'j str> {
    jar.get(&name_and_path(app, client, name).0).map(Cookie::value)
}

type SetCookie = AppendHeaders<[(header::HeaderName, String); 1]>;

fn token_body(access_token: &SecretString) -> TokenBody {
    TokenBody { access_token: access_token.expose_secret().to_owned().into(), token_type: "bearer" }
}

/// Name and password, as JSON or as the OAuth2 password form that existing bots send.
pub(crate) struct EitherCredentials(Credentials);

impl FromRequest<SharedApp> for EitherCredentials {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, app: &SharedApp) -> Result<Self, Problem> {
        let kind = media_type(request.headers());
        let body = |request| async { Bytes::from_request(request, app).await.map_err(|error| body_problem(&error)) };
        match kind.as_deref() {
            Some("application/json") => parse_json(&body(request).await?).map(Self),
            Some("application/x-www-form-urlencoded") => {
                let axum::Form(form) =
                    axum::Form::<CredentialsForm>::from_request(request, app).await.map_err(|error| {
                        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                            Problem::too_large()
                        } else {
                            Problem::invalid_field("username", "and password must be given")
                        }
                    })?;
                Ok(Self(Credentials { username: form.username, password: form.password }))
            }
            _ => Err(Problem::wrong_media_type("application/json or application/x-www-form-urlencoded")),
        }
    }
}

/// Get an access token
///
/// For the name and password of an administrator.
#[utoipa::path(post, path = "/admin/token", tag = "Login", request_body(content(
    (Credentials = "application/json"), (CredentialsForm = "application/x-www-form-urlencoded"))),
    responses((status = 200, description = "A token", body = TokenBody)))]
pub(crate) async fn token(
    State(app): State<SharedApp>,
    client: Client,
    EitherCredentials(credentials): EitherCredentials,
) -> Result<axum::Json<TokenBody>, Problem> {
    credentials.check()?;
    let token = auth::login(&app, &credentials.username, credentials.password, client.address).await?;
    Ok(axum::Json(token_body(&token)))
}

/// Who am I
#[utoipa::path(get, path = "/admin/me", tag = "Login", security(("bearer" = [])),
    responses((status = 200, description = "The administrator whose token this is", body = AdminBody)))]
pub(crate) async fn me(State(app): State<SharedApp>, caller: Caller) -> Result<axum::Json<AdminBody>, Problem> {
    Ok(axum::Json(auth::myself(&app, &caller).await?.into()))
}

/// Log in from a browser
///
/// Gives an access token and sets two cookies that no script can read: one that renews it, and one by which the browser is
/// known at later logins, so that wrong passwords from elsewhere do not lock it out.
#[utoipa::path(post, path = "/admin/session", tag = "Login", request_body = Credentials,
    responses((status = 200, description = "A token", body = SessionBody)))]
pub(crate) async fn begin(
    State(app): State<SharedApp>,
    client: Client,
    headers: HeaderMap,
    jar: CookieJar,
    Json(credentials): Json<Credentials>,
) -> Result<(CookieJar, SetCookie, axum::Json<SessionBody>), Problem> {
    same_site(&headers)?;
    credentials.check()?;
    let origin = Origin { address: client.address, device: sent(&app, client, &jar, DEVICE_COOKIE) };
    let begun = auth::begin_session(&app, &credentials.username, credentials.password, origin).await?;
    let device = cookie(&app, client, DEVICE_COOKIE, begun.device, app.clock.now() + DEVICE_KNOWN_FOR);
    let body =
        SessionBody { token: token_body(&begun.access_token), reuse_detected_at: begun.reuse_detected_at.map(Moment) };
    let jar = jar.add(refresh_cookie(&app, client, begun.refresh));
    Ok((jar, AppendHeaders([(header::SET_COOKIE, device.to_string())]), axum::Json(body)))
}

/// Renew a browser's token
///
/// Takes the refresh cookie, which is replaced; one that was replaced before ends all login sessions of the administrator.
#[utoipa::path(post, path = "/admin/session/refresh", tag = "Login",
    responses((status = 200, description = "A token", body = TokenBody),
        (status = 401, description = "The login session has ended", body = ProblemBody,
            content_type = "application/problem+json")))]
pub(crate) async fn refresh(
    State(app): State<SharedApp>,
    client: Client,
    headers: HeaderMap,
    jar: CookieJar,
) -> Result<(CookieJar, axum::Json<TokenBody>), Problem> {
    same_site(&headers)?;
    let token = sent(&app, client, &jar, COOKIE).ok_or_else(|| Problem::unauthorized("there is no session; log in"))?;
    let (access_token, refresh) = auth::refresh(&app, token, client.address).await?;
    Ok((jar.add(refresh_cookie(&app, client, refresh)), axum::Json(token_body(&access_token))))
}

/// Log out of this browser
///
/// The access tokens of the login session end at once.
#[utoipa::path(delete, path = "/admin/session", tag = "Login",
    responses((status = 204, description = "The login session has ended, if there was one")))]
pub(crate) async fn end(
    State(app): State<SharedApp>,
    client: Client,
    headers: HeaderMap,
    jar: CookieJar,
) -> Result<(StatusCode, CookieJar), Problem> {
    same_site(&headers)?;
    if let Some(token) = sent(&app, client, &jar, COOKIE) {
        auth::end_session(&app, token, client.address).await?;
    }
    let expired = refresh_cookie(&app, client, RefreshToken { token: String::new(), expires_at: DateTime::UNIX_EPOCH });
    Ok((StatusCode::NO_CONTENT, jar.add(expired)))
}

/// Log out everywhere
///
/// Voids every token of the administrator, this one too, and ends their login sessions in every browser.
#[utoipa::path(delete, path = "/admin/sessions", tag = "Login", security(("bearer" = [])),
    responses((status = 204, description = "Every token and login session is void")))]
pub(crate) async fn end_all(State(app): State<SharedApp>, caller: Caller) -> Result<StatusCode, Problem> {
    auth::log_out_everywhere(&app, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn refresh_cookie(app: &SharedApp, client: Client, refresh: RefreshToken) -> Cookie<'static> {
    cookie(app, client, COOKIE, refresh.token, refresh.expires_at)
}

fn cookie(
    app: &SharedApp,
    client: Client,
    name: &'static str,
    value: String,
    expires_at: DateTime<Utc>,
) -> Cookie<'static> {
    let (name, path) = name_and_path(app, client, name);
    let mut cookie = Cookie::new(name, value);
    cookie.set_path(path);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Strict);
    cookie.set_secure(client.tls);
    cookie.set_expires(expiration(expires_at));
    cookie
}

fn expiration(at: DateTime<Utc>) -> Expiration {
    use time::OffsetDateTime;
    OffsetDateTime::from_unix_timestamp(at.timestamp()).map_or(Expiration::Session, Expiration::DateTime)
}

/// Browsers say where a request comes from; what another site has made does not get to use the cookie.
fn same_site(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site").map(axum::http::HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => Ok(()),
        // Older browsers say at least which page asks.
        None if headers.get(header::ORIGIN).is_none_or(|origin| is_own(origin, headers)) => Ok(()),
        _ => Err(Problem::forbidden("this comes from another site")),
    }
}

/// Whether a page of this origin is one of the panel's host. Ports are left out: reverse proxies may not pass them on, and
/// cookies do not know them.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let name = |uri: Uri| uri.host().map(str::to_ascii_lowercase);
    let origin =
        origin.to_str().ok().filter(|origin| origin.contains("://")).and_then(|origin| name(origin.parse().ok()?));
    let host = headers.get(header::HOST).and_then(|host| name(host.to_str().ok()?.parse().ok()?));
    origin.is_some() && origin == host
}
