//! Which user a connection belongs to, and whether it is served.

pub(crate) mod addresses;
pub(crate) mod admit;
mod answering;
pub(crate) mod identify;
pub(crate) mod proof;
pub(crate) mod replay;
pub(crate) mod search;
pub(crate) mod slots;
pub(crate) mod tunnel;
