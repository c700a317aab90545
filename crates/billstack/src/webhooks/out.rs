//! Webhooks that go out.
//!
//! What one says is made from the log ([`body`]), with a sample of each type ([`samples`]).
//!
//! Whoever may make an endpoint chooses where this server connects to. So the URL is judged by its form ([`url`]),
//! every address of its host is ([`address`]), at save and before each connection, and the connection goes to an address
//! that was judged ([`client`]). Whoever is called can check that it was us by the [`signature`]; [`send`] makes one
//! attempt of it all.

pub mod address;
pub mod body;
pub mod client;
pub mod document;
pub mod samples;
pub mod secret;
pub mod send;
pub mod signature;
pub mod url;
