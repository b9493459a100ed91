//! Where a connection is relayed to: a data centre or the masked site.

pub(crate) mod buffers;
pub(crate) mod mask;
pub(crate) mod relay;
pub(crate) mod upstream;
