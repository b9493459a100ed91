//! The OpenAPI document: what the handlers say of themselves, and what is true of all of them.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use super::problem::{self, ProblemBody};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "mtpannel",
        description = "Control panel for MTProxy. Errors are problem documents (RFC 9457). Times are UTC; bytes are \
            64-bit integers. A GET of JSON that brings If-None-Match (at first an empty tag) gets an ETag, and 304 \
            while nothing but ages has changed.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact()
    ),
    components(schemas(ProblemBody)),
    modifiers(&Bearer),
    tags(
        (name = "Login", description = "Tokens and login sessions"),
        (name = "Users", description = "Users of the proxy"),
        (name = "Administrators", description = "Administrators of the panel"),
        (name = "System", description = "Figures, history, audit"),
        (name = "Health", description = "For load balancers and monitoring")
    )
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The frame that the routes are added to.
pub(super) fn frame() -> OpenApi {
    Document::openapi()
}

/// Adds to every operation the problems that the layers around it and its extractors can answer with.
pub(super) fn complete(mut openapi: OpenApi) -> OpenApi {
    for (path, item) in &mut openapi.paths.paths {
        let named = path.contains('{');
        if let Some(get) = item.get.as_mut().filter(|get| is_tagged(get)) {
            let same = ResponseBuilder::new().description("The same as the answer whose ETag If-None-Match holds");
            get.responses.responses.insert("304".to_owned(), same.build().into());
        }
        for operation in operations(item) {
            name(operation);
            operation.parameters.iter_mut().flatten().for_each(allow_empty);
            for (status, why) in problems(operation, named) {
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| problem(why));
            }
        }
    }
    openapi
}

/// Tells that an optional query parameter without a value, such as `limit=`, is as if it were absent.
fn allow_empty(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    if parameter.parameter_in != ParameterIn::Query || parameter.required == Required::True {
        return;
    }
    if let Some(schema) = parameter.schema.take() {
        let empty = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([""]));
        parameter.schema = Some(AnyOfBuilder::new().item(schema).item(empty).into());
    }
}

/// Whether the answer is JSON for an administrator, which the API tags.
fn is_tagged(get: &Operation) -> bool {
    let Some(RefOr::T(answer)) = get.responses.responses.get("200") else { return false };
    get.security.is_some() && answer.content.contains_key("application/json")
}

/// Makes the operation's id unique: handlers of different areas may have the same name.
fn name(operation: &mut Operation) {
    if let (Some(id), Some(tag)) = (&operation.operation_id, tag(operation)) {
        operation.operation_id = Some(format!("{}_{id}", tag.to_lowercase()));
    }
}

fn tag(operation: &Operation) -> Option<&str> {
    operation.tags.iter().flatten().next().map(String::as_str)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete].into_iter().flatten()
}

fn problems(operation: &Operation, named: bool) -> Vec<(&'static str, &'static str)> {
    let tag = tag(operation).unwrap_or_default();
    if tag == "Health" {
        return Vec::new();
    }
    let mut all = vec![("413", "The body is larger than 1 MiB"), ("500", "Something went wrong on the server")];
    let has_query = operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query));
    if operation.security.is_some() {
        all.push(("401", "There is no valid access token"));
        all.push(("403", "The administrator may not do this"));
    } else if tag == "Login" {
        all.push(("401", "Wrong user name or password"));
        all.push(("403", "The request comes from another site"));
        all.push(("429", "Too many failed logins; Retry-After tells when to try again"));
        all.push(("503", "It took too long, too many logins wait, or the database is away or takes no writes; Retry-After tells when to try again"));
    }
    all.push(("503", "It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again"));
    if named {
        all.push(("404", "There is no such thing, or it belongs to somebody else"));
    }
    if operation.request_body.is_some() {
        all.push(("400", "The body is not JSON"));
        all.push(("415", "The body is of another kind"));
    }
    if operation.request_body.is_some() || has_query {
        all.push(("422", "Something in the request does not fit; errors lists the fields"));
    }
    all
}

fn problem(why: &str) -> RefOr<utoipa::openapi::Response> {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(why).content(problem::MEDIA_TYPE, content).build().into()
}
