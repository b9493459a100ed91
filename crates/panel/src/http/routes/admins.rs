//! Administrators (specification section 2.2).

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::SharedApp;
use crate::http::dto::admin::{AdminBody, AdminPage, AdminPatchBody, NewAdminBody, PageQuery};
use crate::http::dto::page;
use crate::http::extract::{Admin, Json, Name, Sudo};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::service::admins::{self, AdminPatch};

/// List administrators
#[utoipa::path(get, path = "/admins", tag = "Administrators", security(("bearer" = [])), params(PageQuery),
    responses((status = 200, description = "A page, by name", body = AdminPage)))]
pub(crate) async fn list(
    State(app): State<SharedApp>,
    _sudo: Sudo,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<AdminPage>, Problem> {
    let (offset, limit) = page(query.offset, query.limit)?;
    let (admins, total) = admins::list(&app, limit, offset).await?;
    Ok(axum::Json(AdminPage { admins: admins.into_iter().map(AdminBody::from).collect(), total }))
}

/// Create an administrator
#[utoipa::path(post, path = "/admins", tag = "Administrators", security(("bearer" = [])), request_body = NewAdminBody,
    responses((status = 201, description = "Created", body = AdminBody),
        (status = 409, description = "The name is taken", body = ProblemBody, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(app): State<SharedApp>,
    Sudo(admin): Sudo,
    Json(body): Json<NewAdminBody>,
) -> Result<(StatusCode, axum::Json<AdminBody>), Problem> {
    let created = admins::create(&app, &admin.by, &body.username, body.password, body.is_sudo).await?;
    Ok((StatusCode::CREATED, axum::Json(created.into())))
}

/// Change an administrator
///
/// A password: his own, or anybody's for a sudo administrator. The role: another one's, for a sudo administrator. His
/// older tokens become void.
#[utoipa::path(put, path = "/admins/{username}", tag = "Administrators", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")), request_body = AdminPatchBody,
    responses((status = 200, description = "Changed", body = AdminBody),
        (status = 409, description = "He is the last sudo administrator", body = ProblemBody,
            content_type = "application/problem+json")))]
pub(crate) async fn update(
    State(app): State<SharedApp>,
    admin: Admin,
    Name(name): Name,
    Json(body): Json<AdminPatchBody>,
) -> Result<axum::Json<AdminBody>, Problem> {
    let patch = AdminPatch { password: body.password, is_sudo: body.is_sudo };
    Ok(axum::Json(admins::update(&app, &admin.by, &admin.actor, &name, patch).await?.into()))
}

/// Delete an administrator
///
/// Not oneself, and not the last sudo administrator. His users stay.
#[utoipa::path(delete, path = "/admins/{username}", tag = "Administrators", security(("bearer" = [])),
    params(("username" = String, Path, description = "Name, in any case")),
    responses((status = 204, description = "Deleted"),
        (status = 409, description = "He is the last sudo administrator", body = ProblemBody,
            content_type = "application/problem+json")))]
pub(crate) async fn delete(
    State(app): State<SharedApp>,
    Sudo(admin): Sudo,
    Name(name): Name,
) -> Result<StatusCode, Problem> {
    admins::delete(&app, &admin.by, &admin.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
