//! Drives one connection from its first byte to its end: identifies it ([`crate::admission`]), then relays it to a data
//! centre or to the masked site ([`crate::path`]).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::accounts::{Direction, Refusal, Session};
use crate::admission::admit::Admission;
use crate::admission::identify::{Client, Verdict, identify};
use crate::admission::proof::prove;
use crate::admission::slots::Slot;
use crate::admission::tunnel::{Tunnel, open_tunnel};
use crate::inbox::Inbox;
use crate::path::relay::{Downlink, KeyWatch, Quiet, Uplink, relay};
use crate::ports;
use crate::shared::Shared;
use crate::wire::obfuscated2::{self, Accepted};
use crate::wire::proxy_protocol::{self, Connection, Header};
use crate::wire::{RecordSizes, UNRECOGNIZED_NAME};

/// How long the connection of a client may be idle.
const QUIET: Quiet = Quiet { open: Duration::from_mins(30), half_closed: Duration::from_mins(1) };

/// Serves a connection that was accepted from `peer`, until it ends. `proxied` connections must begin with a PROXY header.
pub(crate) async fn serve(shared: &Shared, mut slot: Slot, stream: TcpStream, peer: SocketAddr, proxied: bool) {
    let identified = tokio::select! {
        client = receive(shared, &slot, stream, peer, proxied) => client,
        () = slot.evicted() => return shared.stats.bad.add("crowded_out"),
    };
    let Some((inbox, client)) = identified else { return };
    if slot.recognise() {
        serve_client(shared, inbox, client).await;
    }
}

/// Identifies a connection. Gives valid clients back, and serves all others until their end.
async fn receive(
    shared: &Shared,
    slot: &Slot,
    stream: TcpStream,
    peer: SocketAddr,
    proxied: bool,
) -> Option<(Inbox, Client)> {
    let bad = &shared.stats.bad;
    let mut inbox = Inbox::new(stream);
    let told = if proxied {
        let Some(header) = read_header(shared, &mut inbox, peer).await else {
            bad.add("proxy_header");
            return None;
        };
        header.connection
    } else {
        inbox.stream.local_addr().ok().map(|target| Connection { source: peer, target })
    };
    if told.is_some_and(|connection| shared.mask.is_own(&connection)) {
        bad.add("own_relay");
        return None;
    }
    let address = told.map_or(peer, |connection| connection.source);
    slot.comes_from(address.ip());
    let mut visit = None;
    let (visitor, sni) = match identify(shared, &mut inbox, &mut visit, address.ip()).await {
        Verdict::Client(client) => return Some((inbox, *client)),
        Verdict::Visitor { .. } if shared.mask.have_come_back(&inbox.bytes) => {
            bad.add("own_relay");
            return None;
        }
        Verdict::Visitor { why, sni } => {
            bad.add(why);
            tracing::debug!(%address, why, "relayed to the masked site");
            (visit, sni)
        }
        Verdict::Refused { why, sni } => {
            shared.stats.refused.add(label(why));
            (visit, sni)
        }
        Verdict::Rejected => {
            bad.add("unknown_sni");
            // The client may have closed the connection already.
            let _ = inbox.stream.write_all(&UNRECOGNIZED_NAME).await;
            return None;
        }
        Verdict::Closed(why) => {
            bad.add(why);
            return None;
        }
    };
    if let Err(error) = shared.mask.relay(inbox, visitor, sni.as_deref(), address.ip()).await {
        tracing::debug!(%error, "the relay to the masked site ended");
    }
    None
}

/// The label of a refusal in the metrics.
const fn label(why: Refusal) -> &'static str {
    match why {
        Refusal::Unknown => "user_changed",
        Refusal::Disabled => "user_disabled",
        Refusal::Expired => "user_expired",
        Refusal::Quota => "user_quota",
        Refusal::TooManyConnections => "user_max_tcp_conns",
        Refusal::TooManyAddresses => "user_max_unique_ips",
        Refusal::SourceDenied => "user_source_deny",
    }
}

/// Reads the PROXY header, which must come first; `None` if there is none or `peer` is not trusted.
async fn read_header(shared: &Shared, inbox: &mut Inbox, peer: SocketAddr) -> Option<Header> {
    if !shared.config.trusted_proxies.iter().any(|network| network.contains(&peer.ip().to_canonical())) {
        return None;
    }
    let wait = shared.config.proxy_header_timeout;
    let deadline = Instant::now() + wait;
    loop {
        if let Some(header) = proxy_protocol::parse(&inbox.bytes).ok()? {
            inbox.bytes.drain(..header.length);
            return Some(header);
        }
        inbox.more(wait, deadline).await.ok()?;
    }
}

/// Serves a client with a valid secret until its end or its cut.
async fn serve_client(shared: &Shared, inbox: Inbox, client: Client) {
    let Client { admission, secret, address, hello, init } = client;
    let tunnel = async {
        match (hello, init) {
            (Some(hello), _) => open_tunnel(shared, inbox, &hello).await,
            (None, init) => init.map(|init| Tunnel { inbox, init, unframer: None }),
        }
    };
    match admission {
        Admission::Admitted(session) => {
            let served = async { transfer(shared, tunnel.await?, secret.bytes(), &session).await };
            until_cut(&session, served).await;
        }
        Admission::OnProof(proof) => {
            let Some(mut tunnel) = tunnel.await else { return };
            let admitted = prove(shared, &mut tunnel, &proof, &secret, address).await;
            drop(proof);
            match admitted {
                Ok(session) => until_cut(&session, transfer(shared, tunnel, secret.bytes(), &session)).await,
                Err(why) => shared.stats.refused.add(label(why)),
            }
        }
    }
}

/// Waits until the connection ends or is cut.
async fn until_cut(session: &Session, served: impl Future<Output = Option<()>>) {
    tokio::select! {
        _ = served => {}
        () = session.cut() => tracing::debug!(user = %session.account.name, "a connection was cut"),
    }
}

/// Connects to the client's data centre and relays between the two. `None` if that fails or breaks off.
async fn transfer(shared: &Shared, tunnel: Tunnel, secret: &[u8; 16], session: &Session) -> Option<()> {
    let Tunnel { inbox, init, unframer } = tunnel;
    let Accepted { from_client, to_client, transport, dc } = obfuscated2::accept(&init, secret)?;
    let mut centre = match shared.upstreams.connect(dc).await {
        Ok(centre) => centre,
        Err(error) => {
            tracing::debug!(dc, %error, "a data centre cannot be reached");
            return None;
        }
    };
    let opened = obfuscated2::open(transport, dc, ports::random);
    centre.write_all(&opened.init).await.ok()?;
    let Inbox { mut stream, mut bytes } = inbox;
    let (account, records) = (&*session.account, unframer.is_some().then(RecordSizes::default));
    let keys = session.has_address_limit.then(|| KeyWatch::new(transport, session));
    let mut up = Uplink { unframer, from_client, to_dc: opened.to_dc, keys };
    let mut down = Downlink { records, from_dc: opened.from_dc, to_client };
    up.recrypt(&mut bytes);
    let mut sent = 0;
    while sent < bytes.len() {
        let mut grant = account.grant(Direction::FromClient, bytes.len() - sent).await?;
        let written = centre.write(&bytes[sent..sent + grant.left()]).await.ok()?;
        grant.spend(written);
        sent += written;
    }
    drop(bytes);
    relay(&mut stream, &mut centre, &mut up, &mut down, Some(account), &shared.buffers, QUIET).await.ok()
}
