//! Users are served while many probes connect.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::{Client, hello, random, unix_time};
use crate::peers::{World, users};

fn secret(number: u32) -> [u8; 16] {
    let mut secret = [0x55; 16];
    secret[..4].copy_from_slice(&number.to_be_bytes());
    secret
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_valid_client_gets_through_a_storm_of_probes() {
    let names: Vec<String> = (0..1_000).map(|number| format!("user-{number}")).collect();
    let all: Vec<_> = names.iter().zip(0..).map(|(name, number)| (name.as_str(), secret(number))).collect();
    let world = World::start("", &users(&all)).await;
    let (address, over) = (world.address(), Arc::new(AtomicBool::new(false)));
    let ended = Arc::clone(&over);
    let probes = tokio::spawn(async move {
        let (mut open, mut came) = (VecDeque::new(), 0);
        while !ended.load(Relaxed) {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&hello(&random(), "mask.example", 300, unix_time())).await.unwrap();
            open.push_back(stream);
            came += 1;
            if open.len() > 50 {
                open.pop_front();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        came
    });
    for number in (0..1_000).step_by(17) {
        Client::connect(address, &secret(number)).await.unwrap().echo(b"ping").await.unwrap();
    }
    over.store(true, Relaxed);
    assert!(probes.await.unwrap() > 0);
}
