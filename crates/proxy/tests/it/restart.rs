//! What the proxy remembers after a restart.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, hello, init, unix_time};
use crate::masking::sees_the_site;
use crate::peers::{ALICE, BOB, World, users};

/// Sends a valid hello, checks that it is answered, and returns the connection.
async fn is_answered(world: &World, hello: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(hello).await.unwrap();
    let mut head = [0; 3];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, [0x16, 3, 3]);
    stream
}

#[tokio::test]
async fn a_hello_from_before_a_restart_sees_the_site_after_it() {
    let access = users(&[("alice", ALICE), ("bob", BOB)]);
    let mut world = World::start("general.modes = { classic = true, secure = true, tls = true }", &access).await;
    let now = unix_time();
    // From a clock that is right, one that is slow, and one that is fast.
    let hellos = [now, now - 100, now + 100].map(|time| hello(&ALICE, "mask.example", 0, time));
    let (plain, _, _) = init(&BOB, 0xdd, 2);
    let mut plain_client = TcpStream::connect(world.address()).await.unwrap();
    plain_client.write_all(&plain).await.unwrap();
    world.shows("telemt_user_connections_total{user=\"bob\"} 1").await;
    for hello in &hellos {
        drop(is_answered(&world, hello).await);
    }
    for _ in 0..2 {
        world = world.restarted().await;
        for hello in &hellos {
            sees_the_site(&world, hello).await;
        }
        sees_the_site(&world, &plain).await;
        world.shows("telemt_connections_bad_by_class_total{class=\"replay\"} 4").await;
        // New hellos are accepted, also from clients with slow clocks.
        is_answered(&world, &hello(&ALICE, "mask.example", 0, now - 100)).await;
        Client::connect(world.address(), &BOB).await.unwrap().echo(b"ping").await.unwrap();
    }
}

#[tokio::test]
async fn a_hello_from_before_a_sudden_end_sees_the_site_too() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let right = hello(&ALICE, "mask.example", 0, unix_time());
    let open = is_answered(&world, &right).await;
    // The first proxy is not stopped in order, so it cannot write anything more.
    let second = world.replaced_by_a_second_one().await;
    sees_the_site(&second, &right).await;
    drop(open);
}

#[tokio::test]
async fn without_a_memory_on_disk_hellos_from_before_the_start_see_the_site() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let right = hello(&ALICE, "mask.example", 0, unix_time() - 1);
    let file = world.directory.path().join(".config.toml.replays");
    let _ = std::fs::remove_file(&file);
    // A folder with the name of the file: it can be neither read nor replaced.
    std::fs::create_dir(&file).unwrap();
    let world = world.restarted().await;
    sees_the_site(&world, &right).await;
    is_answered(&world, &hello(&ALICE, "mask.example", 0, unix_time() + 1)).await;
    world.shows("telemt_connections_bad_by_class_total{class=\"before_start\"} 1").await;
}

#[tokio::test]
async fn only_the_owner_may_read_the_memory_of_hellos_and_a_reload_is_no_restart() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    is_answered(&world, &hello(&ALICE, "mask.example", 0, unix_time())).await;
    let mode = std::fs::metadata(world.directory.path().join(".config.toml.replays")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    world.replace(&users(&[("alice", ALICE), ("bob", BOB)]));
    world.shows("mtproxy_config_reloads_total 2").await;
    is_answered(&world, &hello(&BOB, "mask.example", 0, unix_time() - 100)).await;
}
