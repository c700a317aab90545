//! The store as a whole, on both engines: what it promises is tested here, not how it does it.

mod backup;
mod batch;
mod crash;
mod damage;
mod distribute;
mod engine;
mod erased;
mod failing;
mod figures;
mod idle;
mod log;
mod look_ups;
mod lost;
mod migrate;
mod model;
mod plans;
mod pooler;
mod race;
mod reports;
mod same_dump;
mod schema;
mod session;
mod silent;
mod support;
mod tls;
mod verify;
