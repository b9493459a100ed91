//! The HTTP server: API, web interface, health checks and metrics.

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::SharedApp;

mod client;
mod compress;
mod docs;
mod dto;
mod etag;
mod extract;
mod layers;
mod metrics;
mod openapi;
mod problem;
mod query;
mod routes;
mod server;
mod web;

pub use metrics::{install_metrics, internal_router, upkeep};
pub use server::serve;

use problem::Problem;
use routes::{admins, audit, auth, health, system, users};

/// The routes under `/api`.
fn api() -> OpenApiRouter<SharedApp> {
    OpenApiRouter::new()
        .routes(routes!(auth::token))
        .routes(routes!(auth::me))
        .routes(routes!(auth::begin, auth::end))
        .routes(routes!(auth::refresh))
        .routes(routes!(auth::end_all))
        .routes(routes!(admins::list, admins::create))
        .routes(routes!(admins::update, admins::delete))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::bulk))
        // A user may have the name `bulk`.
        .route("/users/bulk", get(users::show).put(users::update).delete(users::delete))
        .routes(routes!(users::show, users::update, users::delete))
        .routes(routes!(users::regenerate_secret))
        .routes(routes!(users::reset_usage))
        .routes(routes!(users::show_links))
        .routes(routes!(users::qr))
        .routes(routes!(users::traffic))
        .routes(routes!(system::show))
        .routes(routes!(system::traffic))
        .routes(routes!(system::soon))
        .routes(routes!(system::settings))
        .routes(routes!(system::metrics))
        .routes(routes!(audit::audit_log))
        .layer(middleware::from_fn(etag::tag))
        .layer(middleware::from_fn(compress::compress))
}

fn health_checks() -> OpenApiRouter<SharedApp> {
    OpenApiRouter::new().routes(routes!(health::live)).routes(routes!(health::ready))
}

fn described() -> (Router<SharedApp>, OpenApi) {
    let (router, openapi) =
        OpenApiRouter::with_openapi(openapi::frame()).nest("/api", api()).merge(health_checks()).split_for_parts();
    (router, openapi::complete(openapi))
}

/// The OpenAPI document, without a running service.
pub fn openapi() -> OpenApi {
    described().1
}

/// The routes of the public listener.
pub fn router(app: SharedApp) -> Router {
    let base_path = app.settings.base_path.clone();
    let (mut routes, openapi) = described();
    if app.settings.api_docs {
        routes = routes.merge(docs::router(openapi, &base_path));
    }
    let routes = routes.fallback(web::serve);
    let routes = if base_path.is_empty() {
        routes
    } else {
        // Health checks on this machine need not know the base path.
        Router::new()
            .nest(&base_path, routes)
            // The nested routes do not have the base path with a slash at its end.
            .route(&format!("{base_path}/"), get(web::page))
            .merge(health_checks().split_for_parts().0)
            .fallback(async || Problem::not_found("there is nothing under this path"))
    };
    routes
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(layers::MAX_BODY))
        .layer(middleware::from_fn(layers::limit_body))
        .layer(middleware::from_fn(layers::require_host))
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
        .layer(middleware::from_fn(layers::observe))
        .layer(middleware::from_fn_with_state(app.clone(), layers::secure))
        .with_state(app)
}
