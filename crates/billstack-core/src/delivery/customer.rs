//! Whether a customer at Stripe can be given a credit.

use super::Reason;
use crate::money::Currency;

/// What Stripe says of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Customer {
    /// The account does not know it.
    Unknown,
    /// It was deleted.
    Deleted,
    /// It is there.
    There {
        /// The currency it has, if any.
        currency: Option<Currency>,
        /// The currencies of its subscriptions that run.
        subscribed: Vec<Currency>,
    },
}

impl Customer {
    /// Why a credit in a currency cannot be put into the balance; `Ok` where it can.
    ///
    /// Stripe would accept a credit in any currency. In another one than that of the subscriptions it is never
    /// used, and a customer without a currency would be bound to it for ever.
    pub fn accepts(&self, currency: Currency) -> Result<(), Reason> {
        let (own, subscribed) = match self {
            Customer::Unknown => return Err(Reason::CustomerUnknown),
            Customer::Deleted => return Err(Reason::CustomerDeleted),
            Customer::There {
                currency,
                subscribed,
            } => (currency, subscribed),
        };
        if subscribed.contains(&currency) || (subscribed.is_empty() && *own == Some(currency)) {
            return Ok(());
        }
        if subscribed.is_empty() && own.is_none() {
            return Err(Reason::CurrencyUnset);
        }
        Err(Reason::CurrencyMismatch)
    }
}
