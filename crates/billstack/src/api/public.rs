//! `/api/public`: what pages of the product may ask without a key.

pub mod offer;
