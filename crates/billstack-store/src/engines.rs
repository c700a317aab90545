//! The engines. Each runs queued operations in transactions of its own kind; of the store it knows the seam, the
//! queue and its options.

pub(crate) mod failing;
pub(crate) mod lanes;
pub mod options;
pub(crate) mod postgres;
pub(crate) mod queue;
pub(crate) mod sqlite;
