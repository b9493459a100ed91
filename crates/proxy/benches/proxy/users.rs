//! What depends on the number of users: reloads, and handshakes with and without visitors.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::bars::{self, verdict};
use crate::client::{Client, hello, random, unix_time};
use crate::servers::{CANARIES, Proxy, secret};

/// Valid clients in one measurement, and the time between two of them.
const CLIENTS: u32 = 200;
const PACE: Duration = Duration::from_millis(15);
/// Padding that makes a hello of 1,700 bytes, as long as a browser's.
const VISITOR_PADDING: usize = 1_700 - 153;
/// Longest wait of a client for its handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Measures reloads with so many users, and handshakes of users who have not connected before.
pub(crate) async fn measure(proxy: Proxy, users: u32) {
    let address = proxy.address();
    println!("  {users} users:");
    for (at, canary) in CANARIES.into_iter().enumerate() {
        let all = (0..users).chain(CANARIES.into_iter().skip(at + 1));
        match reload(&proxy, &all, canary).await {
            Some((took, longest)) => println!(
                "    reload {took:.0?}, longest round trip meanwhile {longest:.1?} {}",
                verdict(took < bars::RELOAD, &format!("under {:?}", bars::RELOAD))
            ),
            None => println!("    reload: the connection of a user who is removed is still open after {PATIENCE:?}"),
        }
    }
    let mut cold = (0..).map(|number: u32| number.wrapping_mul(7_919) % users);
    let mut next = || cold.by_ref().take(CLIENTS as usize).map(secret).collect::<Vec<_>>();
    let began = Instant::now();
    let mut lost = 0;
    for secret in next() {
        lost += u32::from(Client::connect(address, &secret).await.is_err());
    }
    let served = f64::from(CLIENTS - lost);
    println!("    {:.0} handshakes/s one after the other, {lost} lost", served / began.elapsed().as_secs_f64());
    if users > 10_000 {
        return;
    }
    let quiet = clients(address, next()).await;
    println!("    quiet: {quiet}");
    for pause in [20, 5] {
        let storm = tokio::spawn(storm(address, Duration::from_millis(pause)));
        tokio::time::sleep(Duration::from_secs(1)).await;
        let stormy = clients(address, next()).await;
        storm.abort();
        let ratio = stormy.median.as_secs_f64() / quiet.median.as_secs_f64();
        let met = ratio <= bars::STORM && stormy.lost == 0;
        let bar = format!("at most {}, none lost", bars::STORM);
        println!("    {} visitors a second: {stormy}, ratio {ratio:.2} {}", 1_000 / pause, verdict(met, &bar));
    }
}

/// The time until the connection of the canary is cut by a file without them, and the longest round trip of another
/// connection meanwhile. `None` if the canary is not cut.
async fn reload(
    proxy: &Proxy,
    users: &(impl Iterator<Item = u32> + Clone),
    canary: u32,
) -> Option<(Duration, Duration)> {
    let mut session = ping(proxy.address(), canary).await;
    let mut steady = ping(proxy.address(), 0).await;
    let over = CancellationToken::new();
    let ended = over.clone();
    let pinging = tokio::spawn(async move {
        let mut longest = Duration::ZERO;
        while !ended.is_cancelled() {
            let since = Instant::now();
            let answer = async {
                steady.send(&[0]).await?;
                steady.receive(1).await
            };
            if answer.await.is_err() {
                break;
            }
            longest = longest.max(since.elapsed());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        longest
    });
    let since = proxy.replace(users);
    let cut = timeout(PATIENCE, session.closed()).await;
    let took = since.elapsed();
    over.cancel();
    let longest = pinging.await.unwrap();
    cut.ok().map(|()| (took, longest))
}

/// A connection on which every byte is answered by one.
async fn ping(address: SocketAddr, user: u32) -> Client {
    let mut client = Client::connect(address, &secret(user)).await.unwrap();
    client.send(&[0, 0]).await.unwrap();
    client.receive(1).await.unwrap();
    client
}

/// The handshakes of one measurement.
struct Handshakes {
    median: Duration,
    longest: Duration,
    lost: usize,
}

impl std::fmt::Display for Handshakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, longest, lost } = self;
        write!(f, "median {median:.2?}, longest {longest:.1?}, {lost} of {CLIENTS} lost")
    }
}

/// Starts handshakes at a steady pace, without waiting for earlier ones.
async fn clients(address: SocketAddr, secrets: Vec<[u8; 16]>) -> Handshakes {
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tasks = Vec::new();
    for secret in secrets {
        ticks.tick().await;
        tasks.push(tokio::spawn(async move {
            let since = Instant::now();
            let came = timeout(PATIENCE, Client::connect(address, &secret)).await;
            came.ok()?.ok().map(|_| since.elapsed())
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    times.sort_unstable();
    let at = |place: usize| times.get(place).copied().unwrap_or_default();
    let lost = CLIENTS as usize - times.len();
    Handshakes { median: at(times.len() / 2), longest: at(times.len().saturating_sub(1)), lost }
}

/// Starts visitors at a steady pace, who name the masking domain in hellos as long as a browser's. Never returns.
async fn storm(address: SocketAddr, pause: Duration) {
    let mut ticks = interval(pause);
    loop {
        ticks.tick().await;
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.ok()?;
            stream.write_all(&hello(&random(), "mask.example", VISITOR_PADDING, unix_time())).await.ok()?;
            stream.read(&mut [0; 16]).await.ok()
        });
    }
}
