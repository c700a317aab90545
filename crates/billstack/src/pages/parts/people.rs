//! Customers, as people call them.

use std::collections::BTreeMap;

use billstack_store::customers::{self, Customer};
use billstack_store::{Abort, Place, Tx};
use maud::{Markup, html};

use crate::pages::teams::project::address;

/// What a customer is called: their name, or else their address; without the signs that turn the direction of what
/// stands after them.
pub(in crate::pages) fn called(customer: &Customer) -> String {
    plain(customer.name.as_deref().unwrap_or(&customer.email))
}

fn plain(name: &str) -> String {
    let turns = |sign: &char| matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.chars().filter(|sign| !turns(sign)).collect()
}

/// The names of some customers of a project, by their ids.
#[derive(Clone, Debug, Default)]
pub(in crate::pages) struct People(BTreeMap<String, String>);

impl People {
    /// Looks up each of them once. Whoever is not there any more was erased.
    pub(in crate::pages) fn read<'i>(
        tx: &mut dyn Tx,
        place: &Place,
        ids: impl IntoIterator<Item = &'i str>,
    ) -> Result<People, Abort> {
        let contacts = customers::contacts(tx, place, ids)?.into_iter();
        let named = contacts.filter_map(|(id, contact)| {
            let email = contact.email?;
            Some((id, plain(contact.name.as_deref().unwrap_or(&email))))
        });
        Ok(People(named.collect()))
    }

    /// One customer that has been read.
    pub(in crate::pages) fn of(customer: &Customer) -> People {
        People(BTreeMap::from([(customer.id.clone(), called(customer))]))
    }

    /// Looks up one more.
    pub(in crate::pages) fn add(
        &mut self,
        tx: &mut dyn Tx,
        place: &Place,
        id: &str,
    ) -> Result<(), Abort> {
        if self.0.contains_key(id) {
            return Ok(());
        }
        if let Some(customer) = customers::get(tx, place, id)? {
            self.0.insert(id.to_owned(), called(&customer));
        }
        Ok(())
    }

    /// The name, and the way to the customer's page.
    pub(in crate::pages) fn link(&self, place: &Place, id: &str) -> Markup {
        let base = address(&place.team_id, &place.project_id);
        match self.0.get(id) {
            Some(name) => html! { a href={ (base) "/customers/" (id) } { (name) } },
            None => html! { span.quiet { "an erased customer" } },
        }
    }

    /// The name alone.
    pub(in crate::pages) fn name(&self, id: &str) -> &str {
        self.0.get(id).map_or("An erased customer", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use billstack_core::time::Micros;

    use super::*;

    #[test]
    fn a_name_turns_nothing_around() {
        let customer = Customer {
            id: "pc_1".to_owned(),
            email: "ada@example.com".to_owned(),
            name: Some("\u{202e}Ada\u{2066} L.".to_owned()),
            external_id: None,
            stripe_customer_id: None,
            metadata: "{}".to_owned(),
            created_at: Micros(0),
            updated_at: Micros(0),
        };
        assert_eq!(called(&customer), "Ada L.");
        // It is one name, whoever looked it up.
        assert_eq!(People::of(&customer).name("pc_1"), "Ada L.");
        let nameless = Customer {
            name: None,
            ..customer
        };
        assert_eq!(called(&nameless), "ada@example.com");
    }
}
