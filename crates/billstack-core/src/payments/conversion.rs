//! Whether an invoice is a payment that converts a referral.

use super::fact::Invoice;
use super::status::InvoiceStatus;
use crate::money::{Amount, Currency};
use crate::time::Micros;

/// A payment for a subscription.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Payment<'i> {
    /// The subscription.
    pub subscription: &'i str,
    /// How much was paid in real money.
    pub paid: i64,
    /// When the subscription began, if the invoice tells: that of its start was made then.
    pub began_at: Option<Micros>,
}

/// Why an invoice converts nothing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NotPaid {
    /// It is of no subscription.
    NoSubscription,
    /// It is not paid, or not wholly.
    Unpaid,
    /// No real money was paid: a trial, a coupon, or a balance paid it.
    NoMoney,
    /// Less was paid than the program asks for.
    BelowMinimum,
    /// The program asks for a minimum in another currency.
    MinimumInOtherCurrency,
}

impl NotPaid {
    /// The reason as a short phrase, for the event log.
    pub const fn as_str(self) -> &'static str {
        match self {
            NotPaid::NoSubscription => "invoice without a subscription",
            NotPaid::Unpaid => "invoice not paid",
            NotPaid::NoMoney => "nothing was paid",
            NotPaid::BelowMinimum => "less than the minimum was paid",
            NotPaid::MinimumInOtherCurrency => "minimum_in_other_currency",
        }
    }

    /// Whether a person has to decide, so that the event is kept as one that waits.
    pub const fn waits(self) -> bool {
        matches!(self, NotPaid::MinimumInOtherCurrency)
    }
}

/// The payment that an invoice is, if it is worth at least the minimum of a program. What it bills is no matter: the
/// first money after a trial is that of an ordinary month.
///
/// # Errors
/// Tells what is missing.
pub fn payment<'i>(
    invoice: &'i Invoice,
    minimum: Amount,
    currency: Currency,
) -> Result<Payment<'i>, NotPaid> {
    let subscription = invoice.subscription.as_deref();
    let subscription = subscription.ok_or(NotPaid::NoSubscription)?;
    if invoice.status != InvoiceStatus::Paid {
        return Err(NotPaid::Unpaid);
    }
    if invoice.paid <= 0 {
        return Err(NotPaid::NoMoney);
    }
    // Any money at all is one unit of any currency.
    if minimum.get() > 1 && invoice.currency != currency {
        return Err(NotPaid::MinimumInOtherCurrency);
    }
    if invoice.paid < minimum.get() {
        return Err(NotPaid::BelowMinimum);
    }
    Ok(Payment {
        subscription,
        paid: invoice.paid,
        began_at: invoice.is_first.then_some(invoice.created_at),
    })
}
