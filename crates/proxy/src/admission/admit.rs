//! Whether a client with a valid secret is served.

use std::net::IpAddr;
use std::num::NonZeroU64;

use mtpannel_core::user::Secret;
use tokio::net::TcpStream;

use super::answering::SocketDiag;
use crate::access::User;
use crate::accounts::{Proof, Refusal, Session};
use crate::ports;
use crate::shared::Shared;

/// How a client is served.
pub(crate) enum Admission {
    /// At once.
    Admitted(Session),
    /// Only if its first message shows that it is a device that is being served from another address already.
    OnProof(Proof),
}

/// Admits a client of `user`. If the limit of addresses is reached, addresses that do not answer any more are given up
/// for it. If all of them answer, the client may prove that it is a device that is being served already.
pub(crate) fn admit(shared: &Shared, user: &User, address: IpAddr, stream: &TcpStream) -> Result<Admission, Refusal> {
    let open = || open_session(shared, user, address, stream, None);
    let opened = match open() {
        Err(Refusal::TooManyAddresses) if evict_silent(shared, user) => open(),
        opened => opened,
    };
    match opened {
        Err(Refusal::TooManyAddresses) => {
            user.account.begin_proof().map(Admission::OnProof).ok_or(Refusal::TooManyAddresses)
        }
        opened => opened.map(Admission::Admitted),
    }
}

/// Admits a client that has shown its `key`, if an admitted device of the user has the same key.
pub(crate) fn admit_device(
    shared: &Shared,
    proof: &Proof,
    secret: &Secret,
    address: IpAddr,
    stream: &TcpStream,
    key: NonZeroU64,
) -> Result<Session, Refusal> {
    let access = shared.directory.current();
    let user = access.check(&proof.0.name, secret, ports::now())?;
    open_session(shared, user, address, stream, Some(key))
}

/// Registers a connection, and then checks once more whether the user is still served. So a revision of the file that is
/// applied meanwhile either is seen by this check or finds the connection registered.
fn open_session(
    shared: &Shared,
    user: &User,
    address: IpAddr,
    stream: &TcpStream,
    key: Option<NonZeroU64>,
) -> Result<Session, Refusal> {
    user.standing(ports::now())?;
    let address = address.to_canonical();
    let session = user.account.admit(&user.rule, address, key)?;
    if shared.directory.current().check(&user.rule.name, &user.rule.secret, ports::now())?.rule.denies(address) {
        return Err(Refusal::SourceDenied);
    }
    if let (Ok(ours), Ok(theirs)) = (stream.local_addr(), stream.peer_addr()) {
        session.set_ends((ours, theirs));
    }
    Ok(session)
}

/// Closes the connections from addresses that do not answer any more; returns whether there were any.
fn evict_silent(shared: &Shared, user: &User) -> bool {
    SocketDiag::new(shared.config.timeouts.keepalive)
        .is_ok_and(|diag| user.account.evict_silent(|ends| diag.answers(ends)))
}
