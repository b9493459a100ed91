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

/// Whether a client is served.
pub(crate) enum Admission {
    Admitted(Session),
    /// Only if its first message shows that it is a device that is served from another address.
    OnProof(Proof),
}

/// Opens a session. Where the limit of addresses is reached, one that does not answer any more gives way; if there is none,
/// the client may prove that it is a device that is served already.
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

/// Opens a session for a client that has shown its `key`, if an admitted device of the user has that key.
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

/// Opens a session, and looks once more whether the user is still served: a revision that came meanwhile has either been
/// seen here, or has seen the session.
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

/// Ends the sessions of addresses that do not answer any more.
fn evict_silent(shared: &Shared, user: &User) -> bool {
    SocketDiag::new(shared.config.timeouts.keepalive)
        .is_ok_and(|diag| user.account.evict_silent(|ends| diag.answers(ends)))
}
