//! What a refused request must leave as it is.

use chrono::TimeDelta;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{Answer, TestApp};

impl TestApp {
    /// The file's bytes, all users and all administrators.
    pub async fn everything(&self) -> Value {
        let users = self.get("/api/users?limit=1000&sort=username").await.expect(StatusCode::OK).await;
        let mut admins = self.get("/api/admins?limit=1000").await.expect(StatusCode::OK).await;
        for admin in admins["admins"].as_array_mut().unwrap() {
            admin.as_object_mut().unwrap().remove("last_login_at");
        }
        json!({"users": users, "admins": admins, "file": self.config()})
    }

    /// A request with this token and, unless it is null, this body.
    pub async fn ask(&self, token: &str, method: Method, path: &str, body: &Value) -> Response {
        let request = self.request(method, path).bearer_auth(token);
        let request = if body.is_null() { request } else { request.json(body) };
        request.send().await.unwrap()
    }

    /// Lets time pass: tokens end, so `root` logs in again, and what is due then is done.
    pub async fn pass(&mut self, time: TimeDelta) {
        self.shift(time).await;
        self.sudo = self.login("root").await;
        self.running().app.deadlines.notify_one();
    }

    /// Sets the clock forward, for the proxy too; nothing is woken. The proxy does not answer meanwhile, so that no scrape
    /// sees one half of it.
    pub async fn shift(&self, time: TimeDelta) {
        let raw = self
            .proxy
            .change(|figures| figures.raw.replace((axum::http::StatusCode::SERVICE_UNAVAILABLE, String::new())));
        self.clock.advance(time);
        self.scraped().await;
        self.proxy.change(|figures| {
            figures.set_uptime(figures.uptime() + time.as_seconds_f64());
            figures.raw = raw;
        });
    }

    /// Stops the panel, sets the clock, and starts the panel again. The proxy does not notice.
    pub async fn restart_with_clock(&mut self, step: TimeDelta) {
        self.running.take().unwrap().stop().await;
        self.clock.advance(step);
        self.running = Some(mtpannel::serve::start(self.settings.clone(), self.clock.clock()).await.unwrap());
        self.sudo = self.login("root").await;
    }

    /// Sets the clock while the panel runs. Tokens of another time are void, so `root` logs in again.
    pub async fn set_clock(&mut self, step: TimeDelta) {
        self.clock.advance(step);
        self.sudo = self.login("root").await;
    }

    /// Changes the proxy's figures between two scrapes, so that none sees one half of it.
    pub async fn unseen(&self, change: impl FnOnce()) {
        let silent = (axum::http::StatusCode::SERVICE_UNAVAILABLE, String::new());
        self.proxy.change(|figures| figures.raw = Some(silent));
        self.scraped().await;
        change();
        self.proxy.change(|figures| figures.raw = None);
        self.scraped().await;
    }

    /// The entries of the audit log that match, the newest first.
    pub async fn audit(&self, query: &str) -> Vec<Value> {
        let page = self.get(&format!("/api/audit?limit=1000&{query}")).await.expect(StatusCode::OK).await;
        page["entries"].as_array().unwrap().clone()
    }
}
