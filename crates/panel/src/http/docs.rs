//! Serves the OpenAPI document and a page that shows it. Both are embedded in the program.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use utoipa::openapi::{OpenApi, Server};
use utoipa_swagger_ui::Config;

use super::problem::Problem;
use super::{compress, web};
use crate::app::SharedApp;

/// The page sets styles on its elements, so inline styles are allowed; scripts must be files.
const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// `/api/openapi.json` and `/api/docs`.
pub(super) fn router(mut openapi: OpenApi, base_path: &str) -> Router<SharedApp> {
    openapi.servers = Some(vec![Server::new(if base_path.is_empty() { "/" } else { base_path })]);
    let openapi = Bytes::from(openapi.to_json().expect("the document has a JSON form"));
    // Compressed once, because anybody may request it without a login.
    let packed = compress::gzip(&openapi);
    let config = Arc::new(Config::from(format!("{base_path}/api/openapi.json")));
    let page = format!("{base_path}/api/docs/");
    let index = Arc::clone(&config);
    Router::new()
        .route("/api/openapi.json", get(async move |headers: HeaderMap| document(&headers, openapi, packed)))
        .route("/api/docs", get(async move || Redirect::permanent(&page)))
        .route("/api/docs/", get(async move || file("index.html", index)))
        .route("/api/docs/{*file}", get(async move |Path(path): Path<String>| file(&path, config)))
}

fn document(headers: &HeaderMap, plain: Bytes, packed: Bytes) -> Response {
    let common = [(header::CONTENT_TYPE, "application/json"), (header::VARY, "accept-encoding")];
    if compress::wants_gzip(headers) {
        (common, [(header::CONTENT_ENCODING, "gzip")], packed).into_response()
    } else {
        (common, plain).into_response()
    }
}

fn file(path: &str, config: Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(path, config) {
        Ok(Some(file)) => {
            let mut response = ([(header::CONTENT_TYPE, file.content_type)], web::shared(file.bytes)).into_response();
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, CSP);
            response
        }
        Ok(None) => Problem::not_found("the documentation has no such file").into_response(),
        Err(error) => {
            tracing::error!(%error, "a file of the API documentation could not be read");
            Problem::internal().into_response()
        }
    }
}
