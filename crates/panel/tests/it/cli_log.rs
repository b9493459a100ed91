//! What a panel that runs writes into its log: a request's id, and no secret, whatever the level.

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Method, Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::cli_support::{Panel, Place};
use crate::common::{Answer as _, Engine, FakeProxy, eventually};

/// Asks the panel, and collects what must not be in its log.
struct Client {
    http: reqwest::Client,
    address: String,
    token: String,
    secrets: Vec<String>,
}

impl Client {
    async fn ask(&self, method: Method, path: &str, body: Value) -> Response {
        let request = self.http.request(method, format!("http://{}{path}", self.address)).bearer_auth(&self.token);
        let request = if body.is_null() { request } else { request.json(&body) };
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, Value::Null).await.expect(StatusCode::OK).await
    }

    async fn log_in(&self, path: &str, password: &str) -> Response {
        self.ask(Method::POST, path, json!({"username": "root", "password": password})).await
    }

    fn keep(&mut self, secret: &Value) {
        self.secrets.push(secret.as_str().unwrap().to_owned());
    }

    /// Every kind of login and of answer that holds a secret.
    async fn use_everything(&mut self, password: &str) {
        self.log_in("/api/admin/token", "a wrong password, mistyped").await;
        self.secrets.push("mistyped".to_owned());
        let token =
            self.log_in("/api/admin/token", password).await.expect(StatusCode::OK).await["access_token"].clone();
        self.keep(&token);
        token.as_str().unwrap().clone_into(&mut self.token);
        let session = self.log_in("/api/admin/session", password).await;
        let cookie = session.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        self.secrets.extend(cookie.split(['=', '.']).skip(1).map(str::to_owned));
        let url = format!("http://{}/api/admin/session/refresh", self.address);
        let refreshed = self.http.post(url).header(COOKIE, cookie).send().await.unwrap();
        self.keep(&refreshed.expect(StatusCode::OK).await["access_token"]);
        let created = self.ask(Method::POST, "/api/users", json!({"username": "alice"})).await;
        let created = created.expect(StatusCode::CREATED).await;
        self.keep(&created["secret"]);
        self.keep(&created["proxy_links"]["tg_link"]);
        let again = self.ask(Method::POST, "/api/users/alice/regenerate-secret", Value::Null).await;
        self.keep(&again.expect(StatusCode::OK).await["secret"]);
        self.get("/api/users/alice/links").await;
        let other = json!({"username": "other", "password": "another password, typed"});
        self.ask(Method::POST, "/api/admins", other).await.expect(StatusCode::CREATED).await;
        self.secrets.push("another password, typed".to_owned());
        let odd = json!({"username": "root", "password": 7, "canary-field": "canary-value"});
        self.ask(Method::POST, "/api/admin/token", odd)
            .await
            .problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid")
            .await;
        self.secrets.push("canary-value".to_owned());
    }
}

#[rstest]
#[case::text("text", Engine::Sqlite)]
#[case::json("json", Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_at_any_level_and_every_request_by_its_id(#[case] format: &str, #[case] engine: Engine) {
    let proxy = FakeProxy::start().await;
    let mut place = Place::new();
    let url = engine.fresh(place.folder.path()).await;
    // The server of the tests asks for no password, and takes any.
    place.set("DATABASE_URL", &url.replace("postgres@", "postgres:canary-of-the-database@"));
    place.set("SECRET_KEY", "canary-of-the-key-0123456789abcdef");
    place.set("TELEMT_METRICS_URL", &proxy.url());
    place.set("METRICS_SCRAPE_INTERVAL_SECONDS", "1");
    place.set("TELEMT_API_URL", &format!("http://{}", proxy.address));
    place.set("TELEMT_API_AUTH", "Bearer canary-of-the-api");
    place.set("LOG_FORMAT", format);
    place.set("RUST_LOG", "trace");
    let password = "a long password, typed";
    place.run_with_input(&["admin", "create", "root", "--sudo", "--password-stdin"], password).ok();
    let panel = Panel::start(&mut place);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let secrets = ["canary-of-the-", password].map(str::to_owned).to_vec();
    let mut client = Client { http, address: panel.address.clone(), token: String::new(), secrets };
    client.use_everything(password).await;
    let answer = client.ask(Method::GET, "/api/users/nobody", Value::Null).await;
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let asked = proxy.change(|figures| figures.asked);
    eventually("a scrape", async || proxy.change(|figures| figures.asked) > asked + 1).await;
    let log = panel.end();

    for secret in &client.secrets {
        let at = log.find(secret.as_str());
        assert!(at.is_none(), "{secret}: {}", &log[at.unwrap()..].lines().next().unwrap());
    }
    let answered = log.lines().find(|line| line.contains(&id)).expect("the request is in the log");
    assert!(answered.contains("404"), "{answered}");
    if format == "json" {
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(line["level"].is_string() && line["message"].is_string() || line["target"].is_string(), "{line}");
        }
        let answered: Value = serde_json::from_str(answered).unwrap();
        assert_eq!(answered["span"]["id"], id.as_str());
    }
}
