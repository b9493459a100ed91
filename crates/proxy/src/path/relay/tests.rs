use super::*;
use std::sync::Arc;

use crate::accounts::Account;
use crate::wire::obfuscated2::{Stream, Transport, open};
use crate::wire::{Unframer, application_header};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

/// Passes bytes on unchanged.
struct Plain;

impl Transform for Plain {
    fn apply(&mut self, _: &mut [u8], read: usize) -> io::Result<usize> {
        Ok(read)
    }
}

const QUIET: Quiet = Quiet { open: Duration::from_mins(10), half_closed: Duration::from_mins(10) };

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let far = listener.accept().await.unwrap().0;
    // Small buffers in the kernel, so that tests can fill them.
    for socket in [socket2::SockRef::from(&near), socket2::SockRef::from(&far)] {
        socket.set_send_buffer_size(32_768).unwrap();
        socket.set_recv_buffer_size(32_768).unwrap();
    }
    (near, far)
}

/// Two cipher streams with the same keys: one decrypts what the other encrypts.
fn keys(seed: u8) -> (Stream, Stream) {
    let stream = || open(Transport::Padded, 2, || [seed; 64]).to_dc;
    (stream(), stream())
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// A relay with the far ends of its two connections and the ciphers of the client and the data centre.
struct Line {
    client: TcpStream,
    dc: TcpStream,
    to_proxy: Stream,
    from_proxy: Stream,
    to_dc: Stream,
    from_dc: Stream,
    account: Arc<Account>,
    relay: tokio::task::JoinHandle<io::Result<()>>,
}

async fn line(framed: bool, quota: Option<u64>) -> Line {
    let account = Arc::new(Account::new("alice"));
    account.set_quota(quota);
    line_of(framed, account).await
}

async fn line_of(framed: bool, account: Arc<Account>) -> Line {
    let ((client, mut near), (dc, mut far)) = (pair().await, pair().await);
    let ((to_proxy, from_client), (to_client, from_proxy)) = (keys(1), keys(2));
    let ((proxy_to_dc, to_dc), (proxy_from_dc, from_dc)) = (keys(3), keys(4));
    let unframer = framed.then(Unframer::default);
    let mut up = Uplink { unframer, from_client, to_dc: proxy_to_dc, keys: None };
    let mut down = Downlink { records: framed.then(RecordSizes::default), from_dc: proxy_from_dc, to_client };
    let counted = account.clone();
    let relay = tokio::spawn(async move {
        relay(&mut near, &mut far, &mut up, &mut down, Some(&counted), &Buffers::for_clients(), QUIET).await
    });
    Line { client, dc, to_proxy, from_proxy, to_dc, from_dc, account, relay }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    payload.chunks(1_000).flat_map(|chunk| [&application_header(chunk.len())[..], chunk].concat()).collect()
}

#[tokio::test]
async fn framed_bytes_arrive_in_both_directions_and_are_counted_exactly() {
    let mut line = line(true, None).await;
    let (up, down) = (bytes(300_000), bytes(500_000));
    let mut sent = up.clone();
    line.to_proxy.apply(&mut sent);
    let mut answered = down.clone();
    line.from_dc.apply(&mut answered);
    let (mut client_read, mut client_write) = line.client.split();
    let (mut dc_read, mut dc_write) = line.dc.split();
    let client = async {
        client_write.write_all(&framed(&sent)).await.unwrap();
        client_write.shutdown().await.unwrap();
    };
    let dc = async {
        dc_write.write_all(&answered).await.unwrap();
        dc_write.shutdown().await.unwrap();
    };
    let (mut at_client, mut at_dc) = (Vec::new(), Vec::new());
    let ((), (), read, also_read) =
        tokio::join!(client, dc, client_read.read_to_end(&mut at_client), dc_read.read_to_end(&mut at_dc));
    read.and(also_read).unwrap();
    line.relay.await.unwrap().unwrap();
    line.to_dc.apply(&mut at_dc);
    assert!(at_dc == up);
    let length = Unframer::default().unframe(&mut at_client).unwrap();
    line.from_proxy.apply(&mut at_client[..length]);
    assert!(at_client[..length] == down);
    assert_eq!(line.account.read().octets, [300_000, 500_000]);
}

#[tokio::test]
async fn a_quota_cuts_at_exactly_its_last_byte() {
    for framed in [false, true] {
        let mut line = line(framed, Some(100_000)).await;
        let mut answered = bytes(150_000);
        line.from_dc.apply(&mut answered);
        let dc = tokio::spawn(async move {
            let _ = line.dc.write_all(&answered).await;
            line.dc
        });
        let mut at_client = Vec::new();
        let _ = line.client.read_to_end(&mut at_client).await;
        assert_eq!(line.relay.await.unwrap().unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
        let length = if framed { Unframer::default().unframe(&mut at_client).unwrap() } else { at_client.len() };
        assert_eq!((length, line.account.read().octets), (100_000, [0, 100_000]));
        line.from_proxy.apply(&mut at_client[..length]);
        assert!(at_client[..length] == bytes(100_000));
        drop(dc.await);
    }
}

/// Ends a relay while it waits for a reader that has stopped, and compares what was counted with what the reader can
/// still read.
#[tokio::test]
async fn what_a_broken_transfer_had_delivered_is_counted_to_the_byte() {
    for framed in [false, true] {
        let mut line = line(framed, None).await;
        let answered = bytes(3_000_000);
        // Fills all buffers on the way; then the relay waits in the middle of a write.
        let mut sent = 0;
        while let Ok(written) = tokio::time::timeout(Duration::from_millis(100), line.dc.write(&answered[sent..])).await
        {
            sent += written.unwrap();
        }
        line.relay.abort();
        assert!(line.relay.await.unwrap_err().is_cancelled());
        let mut at_client = Vec::new();
        line.client.read_to_end(&mut at_client).await.unwrap();
        let length = if framed { Unframer::default().unframe(&mut at_client).unwrap() } else { at_client.len() };
        assert!(length > 0 && length < sent);
        assert_eq!(line.account.read().octets, [0, length as u64]);
    }
}

#[tokio::test]
async fn a_connection_that_stalls_does_not_end_the_others_of_its_user() {
    let quota = 400_000;
    let mut stalled = line(true, Some(quota)).await;
    let answered = bytes(1_000_000);
    while let Ok(written) = tokio::time::timeout(Duration::from_millis(100), stalled.dc.write(&answered)).await {
        written.unwrap();
    }
    let counted = stalled.account.read().octets[1];
    assert!(counted < quota);
    let mut other = line_of(true, Arc::clone(&stalled.account)).await;
    let (mut other_dc, mut other_client) = (other.dc, other.client);
    let more = usize::try_from(quota - counted).unwrap();
    let sending = tokio::spawn(async move {
        let _ = other_dc.write_all(&bytes(more)).await;
        other_dc
    });
    let receiving = async {
        let mut got = Vec::new();
        let _ = other_client.read_to_end(&mut got).await;
        got
    };
    let giving_up = async {
        // The other connection gets what the stalled one does not hold, and waits for the rest.
        while other.account.read().octets[1] == counted {
            tokio::task::yield_now().await;
        }
        assert!(!other.relay.is_finished());
        stalled.relay.abort();
    };
    let (mut got, ()) = tokio::join!(receiving, giving_up);
    assert_eq!((&mut other.relay).await.unwrap().unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
    assert_eq!(Unframer::default().unframe(&mut got).unwrap(), more);
    assert_eq!(other.account.read().octets, [0, quota]);
    drop(sending.await);
}

#[tokio::test]
async fn both_directions_go_on_when_all_buffers_were_full() {
    let mut line = line(false, None).await;
    let big = bytes(3_000_000);
    let (mut client_read, mut client_write) = line.client.split();
    let (mut dc_read, mut dc_write) = line.dc.split();
    // Nobody reads before both sides have filled all buffers on the way.
    let fill = async |to: &mut WriteHalf<'_>| {
        let mut sent = 0;
        while let Ok(written) = tokio::time::timeout(Duration::from_millis(100), to.write(&big[sent..])).await {
            sent += written.unwrap();
        }
        sent
    };
    let (up, down) = tokio::join!(fill(&mut client_write), fill(&mut dc_write));
    assert!(up < big.len() && down < big.len());
    let (mut at_client, mut at_dc) = (vec![0; big.len()], vec![0; big.len()]);
    let (a, b, c, d) = tokio::join!(
        client_write.write_all(&big[up..]),
        dc_write.write_all(&big[down..]),
        client_read.read_exact(&mut at_client),
        dc_read.read_exact(&mut at_dc),
    );
    a.and(b).and(c).and(d).unwrap();
    assert_eq!(line.account.read().octets, [3_000_000, 3_000_000]);
}

#[tokio::test]
async fn silence_ends_a_relay() {
    let ((_client, mut near), (_dc, mut far)) = (pair().await, pair().await);
    let quiet = Quiet { open: Duration::from_millis(20), ..QUIET };
    let ended = relay(&mut near, &mut far, &mut Plain, &mut Plain, None, &Buffers::for_visitors(), quiet).await;
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn when_one_direction_has_ended_the_other_goes_on_as_long_as_it_moves() {
    let ((mut client, mut near), (mut server, mut far)) = (pair().await, pair().await);
    let half_closed = Duration::from_millis(400);
    let relaying = tokio::spawn(async move {
        let quiet = Quiet { half_closed, ..QUIET };
        relay(&mut near, &mut far, &mut Plain, &mut Plain, None, &Buffers::for_visitors(), quiet).await
    });
    client.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    let since = Instant::now();
    for byte in 0..8 {
        server.write_all(&[byte]).await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), byte);
        tokio::time::sleep(half_closed / 4).await;
    }
    assert!(since.elapsed() > half_closed);
    assert_eq!(relaying.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_record_that_is_not_allowed_ends_a_relay() {
    let mut line = line(true, None).await;
    line.client.write_all(&[0x15, 3, 3, 0, 2, 2, 40]).await.unwrap();
    assert!(line.relay.await.unwrap().is_err());
}

/// The lengths of the records in which the client gets `payload` bytes.
async fn lengths(client: &mut TcpStream, payload: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    while lengths.iter().sum::<usize>() < payload {
        let mut head = [0; 5];
        client.read_exact(&mut head).await.unwrap();
        let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
        client.read_exact(&mut vec![0; length]).await.unwrap();
        lengths.push(length);
    }
    lengths
}

#[tokio::test]
async fn no_record_is_too_short_for_tls_while_more_follows() {
    for pieces in [&[4, 300][..], &[1, 1, 1, 30], &[16, 1], &[1_386, 1_386 + 5], &[1_386, 3, 40]] {
        let mut line = line(true, None).await;
        line.dc.set_nodelay(true).unwrap();
        for &piece in pieces {
            line.dc.write_all(&bytes(piece)).await.unwrap();
            // The relay gets each piece alone.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        let lengths = lengths(&mut line.client, pieces.iter().sum()).await;
        assert!(lengths.iter().all(|&length| length >= 17), "{pieces:?} {lengths:?}");
    }
}

#[tokio::test]
async fn a_few_bytes_before_an_end_arrive_and_a_quota_is_still_kept_to_the_byte() {
    let mut line = line(true, Some(5)).await;
    line.dc.write_all(&bytes(4)).await.unwrap();
    line.dc.shutdown().await.unwrap();
    assert_eq!(lengths(&mut line.client, 4).await, [4]);
    assert_eq!(line.account.read().octets, [0, 4]);
}
