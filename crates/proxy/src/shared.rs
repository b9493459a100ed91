//! The state that all connections share.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::access::Directory;
use crate::admission::addresses::AddressMemory;
use crate::admission::replay::Replays;
use crate::admission::search::Searcher;
use crate::config::Config;
use crate::path::buffers::Buffers;
use crate::path::mask::Mask;
use crate::path::upstream::Upstreams;
use crate::stats::Stats;

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The configuration at the start, without users: these are in `directory`.
    pub(crate) config: Config,
    pub(crate) directory: Directory,
    pub(crate) stats: Arc<Stats>,
    pub(crate) searcher: Searcher,
    pub(crate) addresses: AddressMemory,
    pub(crate) replays: Replays,
    pub(crate) upstreams: Upstreams,
    pub(crate) mask: Mask,
    pub(crate) buffers: Buffers,
}

impl Shared {
    /// Builds the state for a server with these listeners. Fails if a thread cannot be started.
    pub(crate) fn new(config: Config, listeners: Vec<SocketAddr>) -> io::Result<Self> {
        let stats = Arc::new(Stats::new());
        let (routes, centres) = (config.upstreams.clone(), config.data_centres.clone());
        Ok(Self {
            directory: Directory::default(),
            searcher: Searcher::start()?,
            addresses: AddressMemory::default(),
            replays: Replays::new(config.replay.capacity, config.replay.window),
            upstreams: Upstreams::new(routes, centres, config.timeouts, Arc::clone(&stats)),
            mask: Mask::new(config.masking.clone(), listeners),
            buffers: Buffers::for_clients(),
            stats,
            config,
        })
    }
}
