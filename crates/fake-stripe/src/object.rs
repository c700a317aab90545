//! Builders of the objects that events carry and the API answers with.

mod checkout_session;
mod customer;
mod subscription;

pub use checkout_session::CheckoutSession;
pub use customer::Customer;
pub use subscription::Subscription;

use serde_json::{Value, json};

use crate::generation::Generation;

/// Something that can be the `data.object` of an event.
pub trait EventObject {
    /// The object in the shape of a generation.
    fn render(&self, generation: Generation, livemode: bool) -> Value;
}

/// JSON made by hand is taken as it is.
impl EventObject for Value {
    fn render(&self, _: Generation, _: bool) -> Value {
        self.clone()
    }
}

/// The ways in which an object names its customer.
#[derive(Debug, Clone, PartialEq)]
pub enum CustomerRef {
    /// By its id.
    Id(String),
    /// By the customer itself, as when `customer` was expanded.
    Expanded(Value),
    /// Not at all: `"customer": null`.
    Null,
}

impl CustomerRef {
    fn to_json(&self) -> Value {
        match self {
            Self::Id(id) => json!(id),
            Self::Expanded(customer) => customer.clone(),
            Self::Null => Value::Null,
        }
    }
}

impl From<&str> for CustomerRef {
    fn from(id: &str) -> Self {
        Self::Id(id.to_owned())
    }
}

impl From<Value> for CustomerRef {
    fn from(customer: Value) -> Self {
        if customer.is_null() {
            Self::Null
        } else {
            Self::Expanded(customer)
        }
    }
}

/// The created time of an object for which none was given: 2025-01-01T00:00:00Z.
const DEFAULT_CREATED: i64 = 1_735_689_600;

/// Adds the members of `more` to `object`.
pub(crate) fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
