//! Users of the proxy.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use mtpannel_core::policy::{StatsRead, UsersRead, UsersSecrets, UsersWrite};

use crate::app::SharedApp;
use crate::http::dto::SyncState;
use crate::http::dto::bulk::{BulkBody, BulkDone};
use crate::http::dto::history::{History, HistoryQuery};
use crate::http::dto::user::{
    ChangedUser, LinkedUser, LinksBody, NewUserBody, UserBody, UserPage, UserPatchBody, UserWithSecret,
};
use crate::http::dto::user_query::UserQuery;
use crate::http::extract::{Found, Json, Name};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::runtime::sync::ConfigSync;
use crate::service::caller::Allowed;
use crate::service::{bulk, history, users};
use crate::store::users::User;

fn links(app: &SharedApp, user: &User) -> LinksBody {
    app.settings.proxy.endpoint.links(&user.secret).into()
}

fn linked(app: &SharedApp, user: User) -> LinkedUser {
    LinkedUser { proxy_links: links(app, &user), user: user.into() }
}

fn changed(app: &SharedApp, (user, sync): (User, ConfigSync)) -> ChangedUser {
    ChangedUser { user: linked(app, user), config_sync: sync.into() }
}

fn with_secret(app: &SharedApp, (user, sync): (User, ConfigSync)) -> UserWithSecret {
    UserWithSecret { secret: user.secret.to_hex().into(), user: changed(app, (user, sync)) }
}

/// List users
#[utoipa::path(get, path = "/users", tag = "Users", security(("bearer" = [])), params(UserQuery),
    responses((status = 200, description = "A page", body = UserPage)))]
pub(crate) async fn list(
    State(app): State<SharedApp>,
    caller: Allowed<UsersRead>,
    Query(query): Query<UserQuery>,
) -> Result<axum::Json<UserPage>, Problem> {
    let (offset, limit, selection) = query.selection(caller.scope())?;
    let (users, total) = users::list(&app, &caller, selection, offset, limit).await?;
    Ok(axum::Json(UserPage { users: users.into_iter().map(UserBody::from).collect(), total }))
}

/// Create a user
///
/// With a fresh secret. The answer comes when the proxy's file holds the user, or says that it does not yet.
#[utoipa::path(post, path = "/users", tag = "Users", security(("bearer" = [])), request_body = NewUserBody,
    responses((status = 201, description = "Created", body = UserWithSecret),
        (status = 409, description = "The name is taken", body = ProblemBody, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(app): State<SharedApp>,
    caller: Allowed<UsersWrite>,
    Json(body): Json<NewUserBody>,
) -> Result<(StatusCode, axum::Json<UserWithSecret>), Problem> {
    let created = users::create(&app, &caller, body.parse()?).await?;
    Ok((StatusCode::CREATED, axum::Json(with_secret(&app, created))))
}

/// Show a user
#[utoipa::path(get, path = "/users/{username}", tag = "Users", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")),
    responses((status = 200, description = "The user", body = LinkedUser)))]
pub(crate) async fn show(State(app): State<SharedApp>, Found { user, .. }: Found<UsersRead>) -> axum::Json<LinkedUser> {
    axum::Json(linked(&app, user))
}

/// Change a user
///
/// Absent fields stay, null clears. A user who was limited or expired is served again when the limit or the date allows it.
#[utoipa::path(put, path = "/users/{username}", tag = "Users", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")), request_body = UserPatchBody,
    responses((status = 200, description = "Changed", body = ChangedUser)))]
pub(crate) async fn update(
    State(app): State<SharedApp>,
    caller: Allowed<UsersWrite>,
    Name(name): Name,
    Json(body): Json<UserPatchBody>,
) -> Result<axum::Json<ChangedUser>, Problem> {
    let updated = users::update(&app, &caller, &name, body.parse()?).await?;
    Ok(axum::Json(changed(&app, updated)))
}

/// Delete a user
///
/// Their open connections are cut.
#[utoipa::path(delete, path = "/users/{username}", tag = "Users", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")),
    responses((status = 204, description = "Deleted",
        headers(("Config-Sync" = SyncState, description = "Whether the proxy's file says so already")))))]
pub(crate) async fn delete(
    State(app): State<SharedApp>,
    caller: Allowed<UsersWrite>,
    Name(name): Name,
) -> Result<impl IntoResponse, Problem> {
    let sync = users::delete(&app, &caller, &name).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([("config-sync", SyncState::from(&sync).as_str())])))
}

/// Give a user a new secret
///
/// The old link stops working, and connections that were opened with it are cut.
#[utoipa::path(post, path = "/users/{username}/regenerate-secret", tag = "Users", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")),
    responses((status = 200, description = "Changed", body = UserWithSecret)))]
pub(crate) async fn regenerate_secret(
    State(app): State<SharedApp>,
    caller: Allowed<UsersWrite>,
    Name(name): Name,
) -> Result<axum::Json<UserWithSecret>, Problem> {
    let changed = users::regenerate_secret(&app, &caller, &name).await?;
    Ok(axum::Json(with_secret(&app, changed)))
}

/// Set a user's usage to 0
#[utoipa::path(post, path = "/users/{username}/reset-usage", tag = "Users", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")),
    responses((status = 200, description = "Changed", body = ChangedUser)))]
pub(crate) async fn reset_usage(
    State(app): State<SharedApp>,
    caller: Allowed<UsersWrite>,
    Name(name): Name,
) -> Result<axum::Json<ChangedUser>, Problem> {
    let reset = users::reset_usage(&app, &caller, &name).await?;
    Ok(axum::Json(changed(&app, reset)))
}

/// Links of a user
#[utoipa::path(get, path = "/users/{username}/links", tag = "Users", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")),
    responses((status = 200, description = "Both forms of the link", body = LinksBody)))]
pub(crate) async fn show_links(State(app): State<SharedApp>, found: Found<UsersSecrets>) -> axum::Json<LinksBody> {
    let Found { user, caller } = found;
    axum::Json(users::show_links(&app, &caller, &user, "user.show_links").into())
}

/// A user's link as a QR code
#[utoipa::path(get, path = "/users/{username}/qr.svg", tag = "Users", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")),
    responses((status = 200, description = "The tg:// link as a QR code", body = String, content_type = "image/svg+xml")))]
pub(crate) async fn qr(
    State(app): State<SharedApp>,
    Found { user, caller }: Found<UsersSecrets>,
) -> Result<impl IntoResponse, Problem> {
    let links = users::show_links(&app, &caller, &user, "user.show_qr");
    let code = qrcode::QrCode::new(links.tg_link).map_err(|error| {
        tracing::error!(%error, "a link does not fit into a QR code");
        Problem::internal()
    })?;
    let picture = code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(240, 240).build();
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture))
}

/// A user's traffic over time
#[utoipa::path(get, path = "/users/{username}/traffic", tag = "Users", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case"), HistoryQuery),
    responses((status = 200, description = "The history", body = History)))]
pub(crate) async fn traffic(
    State(app): State<SharedApp>,
    Found { user, .. }: Found<StatsRead>,
    Query(query): Query<HistoryQuery>,
) -> Result<axum::Json<History>, Problem> {
    let range = query.range(app.clock.now())?;
    Ok(axum::Json(history::of_user(&app, &user, range).await?.into()))
}

/// One action on many users
///
/// One transaction and one write of the proxy's file. GET, PUT and DELETE of this path are about a user of this name.
#[utoipa::path(post, path = "/users/bulk", tag = "Users", security(("bearer" = [])), request_body = BulkBody,
    responses((status = 200, description = "What was done", body = BulkDone)))]
pub(crate) async fn bulk(
    State(app): State<SharedApp>,
    caller: Allowed<UsersWrite>,
    Json(body): Json<BulkBody>,
) -> Result<axum::Json<BulkDone>, Problem> {
    let dry_run = body.dry_run;
    let (which, action) = body.into_parts()?;
    let (done, sync) = bulk::run(&app, &caller, which, action, dry_run).await?;
    Ok(axum::Json(BulkDone::new(done, dry_run, sync.into())))
}
