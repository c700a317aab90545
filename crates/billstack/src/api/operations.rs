//! Calls for operators and tools: health, metrics, the API document.

pub mod docs;
pub mod health;
pub mod metrics;
pub mod openapi;
pub mod ready;
