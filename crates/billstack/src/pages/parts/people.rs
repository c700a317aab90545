//! Customers, as people call them.

use std::collections::BTreeMap;

use billstack_store::{Abort, Place, Tx, customers};
use maud::{Markup, html};

use crate::pages::teams::project::address;

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
        let mut people = People::default();
        for id in ids {
            people.add(tx, place, id)?;
        }
        Ok(people)
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
            let name = customer.name.unwrap_or(customer.email);
            self.0.insert(id.to_owned(), name);
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
