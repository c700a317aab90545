//! `POST /api/webhooks/stripe/{teamId}`.

mod connection;
mod conversion;
mod generations;
mod links;
mod matching;
mod paid_invoices;
mod payments;
mod persons;
mod sdk;
mod signature;
mod thin;
