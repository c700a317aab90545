//! What every route shares: rights, bodies in, answers out, and the layers around them.
//!
//! Nothing here knows a single call of the API; `routes.rs` is where the two meet.

pub mod access;
pub mod answer;
pub mod cookie;
pub mod failures;
pub mod fixed;
pub mod input;
pub mod json;
pub mod known;
pub mod openapi;
pub mod origin;
pub mod page;
pub mod path;
pub mod query;
pub mod request_id;
pub mod route;
pub mod rows;
pub mod schema;
pub mod serve;
pub mod two_origins;
pub mod visitor;
