//! Where a connection leads: to a data centre, or to the masked site.

pub(crate) mod buffers;
pub(crate) mod mask;
pub(crate) mod relay;
pub(crate) mod upstream;
