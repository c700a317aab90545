//! Tickets that sign in once, for whoever has started this process: they are kept in its memory alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::secrets::{new_token, token_hash};

/// Whom a ticket signs in, and where it leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ticket {
    /// The user.
    pub user_id: String,
    /// A path of this server.
    pub leads_to: String,
}

/// The tickets that were not used yet, by the hash of each.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<HashMap<String, Ticket>>);

impl Tickets {
    /// Makes one. Returns its text, which is kept nowhere.
    pub fn make(&self, ticket: Ticket) -> String {
        let token = new_token();
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.insert(token_hash(&token), ticket);
        token
    }

    /// Takes a ticket, which is then used up.
    pub fn take(&self, text: &str) -> Option<Ticket> {
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.remove(&token_hash(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_used_once() {
        let tickets = Tickets::default();
        let ticket = Ticket {
            user_id: "usr_1".to_owned(),
            leads_to: "/t".to_owned(),
        };
        let text = tickets.make(ticket.clone());
        assert_eq!(tickets.take(&text[1..]), None);
        assert_eq!(tickets.take(&text), Some(ticket));
        assert_eq!(tickets.take(&text), None);
    }
}
