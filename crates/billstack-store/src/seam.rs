//! What operations stand on: a transaction, values and rows, why something failed, and who acts when.
//!
//! Nothing here knows a subject. Engines implement [`tx::Tx`]; everything above uses it.

pub mod act;
pub mod dialect;
pub mod fault;
pub mod list;
pub mod place;
pub mod rows;
pub mod tx;

pub(crate) use act::ProjectClock;
pub use act::{Act, Actor, Lane, Origin};
pub use fault::{Abort, Fault};
pub use place::Place;
pub use rows::{Row, Val};
pub use tx::Tx;
