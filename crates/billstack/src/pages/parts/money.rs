//! Amounts as people read them: `1,234.56 USD`.

use billstack_core::money::Currency;
use maud::{Markup, html};

/// An amount of the smallest units of a currency.
pub(in crate::pages) fn amount(units: i64, currency: Currency) -> Markup {
    html! { span.money { (currency.text(units)) } }
}
