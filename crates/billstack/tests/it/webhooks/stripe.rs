//! `POST /api/webhooks/stripe/{teamId}`.

mod conversion;
mod generations;
mod matching;
mod sdk;
mod signature;
mod thin;
