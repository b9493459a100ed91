//! Clients that do not wait for their answer.

use std::pin::pin;
use std::task::Poll;

use mtpannel::service::ServiceResult;
use mtpannel::service::caller::Caller;
use mtpannel::service::users::{NewUser, create};
use mtpannel::store::users;
use mtpannel_core::policy::Actor;
use mtpannel_core::user::UserPatch;
use rstest::rstest;

use crate::common::{Engine, TestApp, eventually};

/// Drops `work` when it has been polled so many times; tells whether it came to its end before.
async fn poll_at_most(polls: usize, work: impl Future) -> bool {
    let mut work = pin!(work);
    let mut polled = 0;
    std::future::poll_fn(|context| {
        polled += 1;
        match work.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if polled == polls => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_undone_or_reaches_the_file_whenever_its_client_hangs_up(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let actor = Actor { id: 1, username: "root".into(), is_sudo: true };
    let caller = Caller::new(actor, None, app.clock.now()).allow().unwrap();
    let mut hung_up_too_late = 0;
    for round in 0..60 {
        let name = format!("user-{round}");
        let new = NewUser { username: name.parse().unwrap(), patch: UserPatch::default() };
        let work = async {
            let answer: ServiceResult<_> = create(&app.running().app, &caller, new).await;
            answer.unwrap()
        };
        let is_answered = poll_at_most(1 + round % 20, work).await;
        // Writers follow one another, so what was begun has ended when the next one has its turn.
        drop(app.store().write().await.unwrap());
        let user = users::by_name(app.store().read().await.unwrap().db(), &name, None).await.unwrap();
        assert!(user.is_some() || !is_answered);
        if user.is_some() {
            eventually(&format!("{name} in the file"), async || app.access("users", &name).is_some()).await;
            hung_up_too_late += usize::from(!is_answered);
        }
    }
    assert!(hung_up_too_late > 0);
}
