//! Customers, their subscriptions and their balances.

use serde_json::{Map, Value, json};

use super::{Money, edit, number, read, text};
use crate::balance::{self, Line};
use crate::books::Books;
use crate::generation::Generation;
use crate::happening::{Cause, differences};
use crate::object::{Customer, EventObject, Subscription};

impl Money<'_> {
    /// A new customer: `customer.created`. Returns the id.
    pub fn customer(&self, customer: &Customer) -> String {
        self.act(|books, cause| {
            let customer = customer.render(Generation::Endive, cause.livemode);
            books.customers.put(customer.clone());
            books.tell("customer.created", &customer, None, cause);
            text(&customer["id"])
        })
    }

    /// A customer is deleted, with what runs for it: `customer.subscription.deleted`,
    /// `customer.deleted`.
    pub fn delete_customer(&self, id: &str) {
        self.act(|books, cause| {
            let customer = books.customer_mut(id).map(|customer| text(&customer["id"]));
            let customer = customer.unwrap_or_else(|| panic!("the books have no {id}"));
            books.delete_customer(&customer, cause);
        });
    }

    /// The merchant changes a balance by hand: `customer.updated`. Returns the id of the line.
    pub fn adjust(&self, customer: &str, amount: i64, currency: &str) -> String {
        self.act(|books, cause| {
            known(books, customer, cause);
            let line = Line {
                customer: customer.to_owned(),
                amount,
                currency: currency.to_owned(),
                kind: "adjustment",
                ..Line::default()
            };
            posted(books, line, cause)
        })
    }

    /// The merchant writes another description and other metadata on a line. No event tells of it.
    pub fn edit_line(&self, line: &str, description: &str, metadata: &[(&str, &str)]) {
        let metadata = metadata.iter();
        let metadata: Map<String, Value> = metadata
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        self.act(|books, _| {
            edit(&mut books.balance_transactions, line, |line| {
                line["description"] = json!(description);
                line["metadata"] = json!(metadata);
            });
        });
    }

    /// A line is gone, and the balance is what it was without it. That cannot happen at Stripe, but a
    /// reconciliation has to notice it. No event tells of it.
    pub fn lose_line(&self, line: &str) {
        self.act(|books, _| {
            let lost = books.balance_transactions.remove(line);
            let lost = lost.unwrap_or_else(|| panic!("the books have no {line}"));
            let customer = books.customer_mut(&balance::holder(&lost));
            let customer = customer.expect("a customer that is there");
            let (amount, currency) = (number(&lost["amount"]), text(&lost["currency"]));
            balance::change(customer, -amount, &currency).expect("the balance that was before");
        });
    }

    /// A new subscription: `customer.subscription.created`. Returns the id.
    pub fn subscription(&self, subscription: &Subscription) -> String {
        self.act(|books, cause| {
            let subscription = subscription.render(Generation::Endive, cause.livemode);
            books.subscriptions.put(subscription.clone());
            books.tell("customer.subscription.created", &subscription, None, cause);
            text(&subscription["id"])
        })
    }

    /// A subscription has another status: `customer.subscription.updated`, or `.deleted` for `canceled`,
    /// which ends it.
    pub fn set_subscription_status(&self, id: &str, status: &str) {
        self.act(|books, cause| {
            let before = read(&books.subscriptions, id);
            let after = edit(&mut books.subscriptions, id, |subscription| {
                subscription["status"] = json!(status);
                if status == "canceled" {
                    subscription["canceled_at"] = json!(cause.now);
                    subscription["ended_at"] = json!(cause.now);
                }
            });
            match status {
                "canceled" => books.tell("customer.subscription.deleted", &after, None, cause),
                _ => {
                    let previous = differences(&before, &after);
                    books.tell(
                        "customer.subscription.updated",
                        &after,
                        Some(previous),
                        cause,
                    );
                }
            }
        });
    }
}

impl Books {
    /// Deletes a customer and ends what runs for it. Returns what is left.
    pub(crate) fn delete_customer(&mut self, id: &str, cause: &Cause) -> Value {
        let customer = read(&self.customers, id);
        let running = self
            .subscriptions
            .newest_first()
            .into_iter()
            .filter(|one| one["customer"] == id && one["status"] != "canceled");
        for mut subscription in running.cloned().collect::<Vec<_>>() {
            subscription["status"] = json!("canceled");
            subscription["canceled_at"] = json!(cause.now);
            subscription["ended_at"] = json!(cause.now);
            self.tell("customer.subscription.deleted", &subscription, None, cause);
            self.subscriptions.put(subscription);
        }
        let deleted = json!({"id": id, "object": "customer", "deleted": true});
        self.customers.put(deleted.clone());
        self.tell("customer.deleted", &customer, None, cause);
        deleted
    }
}

/// The customer, put in first when the books do not know it.
pub(super) fn known(books: &mut Books, id: &str, cause: &Cause) -> Value {
    if books.customer_mut(id).is_none() && books.customers.get(id).is_none() {
        let customer = Customer::new(id).created(cause.now);
        let customer = customer.render(Generation::Endive, cause.livemode);
        books.customers.put(customer);
    }
    let customer = books.customer_mut(id).map(|customer| customer.clone());
    customer.unwrap_or_else(|| panic!("{id} has been deleted"))
}

/// Posts a line and returns its id.
pub(super) fn posted(books: &mut Books, line: Line, cause: &Cause) -> String {
    let line = balance::post(books, line, cause);
    text(&line.expect("a customer that is there")["id"])
}
