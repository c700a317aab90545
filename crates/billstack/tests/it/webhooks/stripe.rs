//! `POST /api/webhooks/stripe/{teamId}`.

mod connection;
mod conversion;
mod generations;
mod matching;
mod sdk;
mod signature;
mod thin;
