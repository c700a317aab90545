//! Development only: throw-away PostgreSQL clusters for tests.
//!
//! A [`Cluster`] is a real server in a directory of its own, on a loopback port, with no password.
//! It disappears when it is dropped, and also when the test process dies in any other way: a
//! small shell holds the server and waits on a pipe that only the test process keeps open.
//!
//! ```no_run
//! # fn main() -> Result<(), scratch_postgres::Error> {
//! let cluster = scratch_postgres::Cluster::shared();
//! let migrated = cluster.create_database("migrated", None)?;
//! // … migrate it once, disconnect, then copy it for each test:
//! let url = cluster.create_database("one_test", Some("migrated"))?;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Proxy`] stands before one, for what happens when a server is there but says nothing; a [`Pooler`] is a
//! PgBouncer before one.
//!
//! Everything here blocks. It may still be called from inside an async test.

mod cluster;
mod error;
mod pooler;
mod port;
mod programs;
mod proxy;
mod watcher;

pub use cluster::{Cluster, Options};
pub use error::Error;
pub use pooler::Pooler;
pub use proxy::Proxy;
