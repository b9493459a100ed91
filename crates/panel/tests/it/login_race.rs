//! What happens between the comparison of a password, which takes its time, and the login.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mtpannel::app::App;
use mtpannel::clock::Clock;
use mtpannel::service::admins::{self, NewAdmin};
use mtpannel::service::password_check::Origin;
use mtpannel::service::{ServiceError, auth};
use mtpannel::store::{Store, admins as rows};
use mtpannel_core::audit::By;
use rstest::rstest;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::common::{Engine, FakeProxy, TestClock, settings};

const OLD: &str = "the old long password";
const NEW: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// An application in which `root`'s password changes when the clock is asked for the second time: a login asks before it
/// hashes and after.
async fn app(engine: Engine, hash: &str) -> (App, tempfile::TempDir) {
    let (folder, proxy, time) = (tempfile::tempdir().unwrap(), FakeProxy::start().await, TestClock::default());
    let settings = settings(&folder, engine.fresh(folder.path()).await.parse().unwrap(), &proxy);
    let store = Store::open(&settings.database, time.now()).await.unwrap();
    let root = NewAdmin { username: &"root".parse().unwrap(), hash, is_sudo: true, now: time.now() };
    admins::insert(&store, &By::CommandLine, &root).await.unwrap();
    let (asked, same_store) = (Arc::new(AtomicUsize::new(0)), store.clone());
    let clock = Clock::new(move || {
        if asked.fetch_add(1, Ordering::SeqCst) == 1 {
            let change = admins::set_password(&same_store, &By::CommandLine, "root", NEW, time.now());
            block_in_place(|| Handle::current().block_on(change)).unwrap();
        }
        time.now()
    });
    (App::new(store, settings, clock), folder)
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_flight_neither_undoes_a_new_password_nor_outlives_it(#[case] engine: Engine) {
    // A bcrypt hash, because a login would replace it.
    let hash = bcrypt::hash(OLD, 4).unwrap();
    for browser in [false, true] {
        let (app, _folder) = app(engine, &hash).await;
        let refused = if browser {
            auth::begin_session(&app, "root", OLD.into(), Origin::default()).await.err()
        } else {
            auth::login(&app, "root", OLD.into(), None).await.err()
        };
        assert!(matches!(refused, Some(ServiceError::Unauthorized(_))), "{refused:?}");
        let mut conn = app.store.read().await.unwrap();
        let stored = rows::credentials(conn.db(), "root").await.unwrap().unwrap();
        assert_eq!(stored.hashed_password, NEW);
        let root = rows::by_name(conn.db(), "root").await.unwrap().unwrap();
        assert_eq!(root.last_login_at, None);
    }
}
