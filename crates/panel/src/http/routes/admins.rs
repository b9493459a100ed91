//! Administrators.

use axum::extract::State;
use axum::http::StatusCode;
use mtpannel_core::policy::AdminsWrite;

use crate::app::SharedApp;
use crate::http::dto::admin::{AdminBody, AdminPage, AdminPatchBody, NewAdminBody, PageQuery};
use crate::http::dto::page;
use crate::http::extract::{Json, Name};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::service::admins::{self, AdminPatch};
use crate::service::caller::{Allowed, Caller};

/// List administrators
#[utoipa::path(get, path = "/admins", tag = "Administrators", security(("bearer" = [])), params(PageQuery),
    responses((status = 200, description = "A page, by name", body = AdminPage)))]
pub(crate) async fn list(
    State(app): State<SharedApp>,
    caller: Allowed<AdminsWrite>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<AdminPage>, Problem> {
    let (offset, limit) = page(query.offset, query.limit)?;
    let (admins, total) = admins::list(&app, &caller, limit, offset).await?;
    Ok(axum::Json(AdminPage { admins: admins.into_iter().map(AdminBody::from).collect(), total }))
}

/// Create an administrator
#[utoipa::path(post, path = "/admins", tag = "Administrators", security(("bearer" = [])), request_body = NewAdminBody,
    responses((status = 201, description = "Created", body = AdminBody),
        (status = 409, description = "The name is taken", body = ProblemBody, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(app): State<SharedApp>,
    caller: Allowed<AdminsWrite>,
    Json(body): Json<NewAdminBody>,
) -> Result<(StatusCode, axum::Json<AdminBody>), Problem> {
    let created = admins::create(&app, &caller, &body.username, body.password, body.is_sudo).await?;
    Ok((StatusCode::CREATED, axum::Json(created.into())))
}

/// Change an administrator
///
/// A password: one's own, or anybody's for a sudo administrator. The role: another one's, for a sudo administrator. Their
/// older tokens become void. More than ten minutes after the login that the token comes from, `current_password` must stand
/// beside it: the present password of the administrator who asks. Otherwise the answer is 403 with `fresh_login_required`.
#[utoipa::path(put, path = "/admins/{username}", tag = "Administrators", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")), request_body = AdminPatchBody,
    responses((status = 200, description = "Changed", body = AdminBody),
        (status = 403, description = "The administrator may not do this, or `current_password` is needed",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "This is the last sudo administrator", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords; Retry-After tells when to try again",
            body = ProblemBody, content_type = "application/problem+json")))]
pub(crate) async fn update(
    State(app): State<SharedApp>,
    caller: Caller,
    Name(name): Name,
    Json(body): Json<AdminPatchBody>,
) -> Result<axum::Json<AdminBody>, Problem> {
    body.check()?;
    let AdminPatchBody { password, is_sudo, current_password } = body;
    let patch = AdminPatch { password, is_sudo, current_password };
    Ok(axum::Json(admins::update(&app, &caller, &name, patch).await?.into()))
}

/// Delete an administrator
///
/// Not oneself, and not the last sudo administrator. Their users stay.
#[utoipa::path(delete, path = "/admins/{username}", tag = "Administrators", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")),
    responses((status = 204, description = "Deleted"),
        (status = 409, description = "They are the last sudo administrator", body = ProblemBody,
            content_type = "application/problem+json")))]
pub(crate) async fn delete(
    State(app): State<SharedApp>,
    caller: Allowed<AdminsWrite>,
    Name(name): Name,
) -> Result<StatusCode, Problem> {
    admins::delete(&app, &caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
