//! What happens to money without a call of ours: invoices, payments, refunds, disputes, credit notes.

mod credit_notes;
mod disputes;
mod invoices;
mod payments;
mod people;
mod refunds;

pub use credit_notes::NewCreditNote;
pub use invoices::{NewInvoice, OnVoid};
pub use payments::{Pay, Payment};

use serde_json::{Value, json};

use crate::books::{Books, Collection};
use crate::happening::Cause;
use crate::server::App;

/// Makes things happen in one mode of a fake, at the time of its clock.
///
/// Each method does what Stripe would do and tells of it with the events that Stripe would send;
/// [`FakeStripe::take_events`](crate::FakeStripe::take_events) hands them out in the shape of a chosen
/// version. What a method names has to be there, or it panics; only a customer whom the books do not
/// know is put in.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use fake_stripe::{FakeStripe, Generation, NewInvoice};
///
/// let fake = FakeStripe::start().await;
/// let money = fake.money();
/// let payment = money.paid(&NewInvoice::new("cus_1", 2000, "usd").subscription("sub_1"));
/// money.refund(payment.charge(), 600);
/// let dispute = money.dispute(payment.charge(), 1400);
/// money.reinstate(&dispute, 1400);
/// money.close_dispute(&dispute, "won");
/// for event in fake.take_events(Generation::BasilMay) {
///     println!("{}", event["type"]);
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Money<'a> {
    app: &'a App,
    livemode: bool,
}

impl<'a> Money<'a> {
    pub(crate) fn new(app: &'a App, livemode: bool) -> Self {
        Self { app, livemode }
    }

    fn act<T>(&self, work: impl FnOnce(&mut Books, &Cause) -> T) -> T {
        let cause = Cause {
            now: self.app.clock.now(),
            livemode: self.livemode,
            request: None,
        };
        work(&mut self.app.books(self.livemode), &cause)
    }
}

/// Changes an object. Returns it as it is now.
fn edit(collection: &mut Collection, id: &str, change: impl FnOnce(&mut Value)) -> Value {
    let object = collection.get_mut(id);
    let object = object.unwrap_or_else(|| panic!("the books have no {id}"));
    change(object);
    object.clone()
}

/// An object that has to be there.
fn read(collection: &Collection, id: &str) -> Value {
    let object = collection.get(id).cloned();
    object.unwrap_or_else(|| panic!("the books have no {id}"))
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A list inside another object.
fn sublist(data: Vec<Value>, url: &str) -> Value {
    json!({
        "object": "list", "total_count": data.len(), "data": data, "has_more": false, "url": url
    })
}
