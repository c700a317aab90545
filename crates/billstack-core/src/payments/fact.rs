//! The facts themselves: ids, amounts, currencies and times, and nothing of a person.

use super::links::Subjects;
use super::status::{DisputeStatus, InvoiceStatus, PaymentStatus, RefundStatus};
use crate::money::Currency;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// Something that Stripe told.
///
/// Each has the time `at` which it was true by: that of the event, in whole seconds, because the two forms in
/// which Stripe sends one event differ in what follows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// See [`Invoice`].
    Invoice(Invoice),
    /// See [`InvoicePayment`].
    InvoicePayment(InvoicePayment),
    /// See [`Charge`].
    Charge(Charge),
    /// See [`ChargeStep`].
    ChargeStep(ChargeStep),
    /// See [`Refund`].
    Refund(Refund),
    /// See [`RefundsListed`].
    RefundsListed(RefundsListed),
    /// See [`Dispute`].
    Dispute(Dispute),
    /// See [`CreditNote`].
    CreditNote(CreditNote),
    /// See [`SubscriptionEnd`].
    SubscriptionEnd(SubscriptionEnd),
}

macro_rules! facts_from {
    ($($name:ident),+) => {
        $(impl From<$name> for Fact {
            fn from(it: $name) -> Fact {
                Fact::$name(it)
            }
        })+
    };
}

facts_from!(
    Invoice,
    InvoicePayment,
    Charge,
    ChargeStep,
    Refund,
    RefundsListed,
    Dispute,
    CreditNote,
    SubscriptionEnd
);

/// An invoice as it stood at a time. Each change of its status is kept, because it matters since when it is no
/// longer paid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Invoice {
    /// `in_…`.
    pub id: String,
    /// When it was true.
    pub at: Micros,
    /// Where it stood.
    pub status: InvoiceStatus,
    /// When it was made.
    pub created_at: Micros,
    /// What was paid on it in real money, with tax and without what was paid too much.
    pub paid: i64,
    /// Of what.
    pub currency: Currency,
    /// Its subscription.
    pub subscription: Option<String>,
    /// Whether the start of the subscription is what it bills.
    pub is_first: bool,
}

/// What one payment paid on an invoice, as it stood at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InvoicePayment {
    /// `inpay_…`.
    pub id: String,
    /// When it was true.
    pub at: Micros,
    /// Where it stood.
    pub status: PaymentStatus,
    /// The invoice.
    pub invoice: String,
    /// What was paid on this invoice; the charge may have paid others as well.
    pub paid: i64,
    /// The charge, where there is no payment intent.
    pub charge: Option<String>,
    /// The payment intent.
    pub payment_intent: Option<String>,
}

/// A charge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Charge {
    /// `ch_…` or `py_…`.
    pub id: String,
    /// When it was true.
    pub at: Micros,
    /// What was captured in all.
    pub captured: i64,
    /// Of what.
    pub currency: Currency,
    /// Its payment intent.
    pub payment_intent: Option<String>,
}

/// How much of a charge was refunded in all, and before, as an event told it.
///
/// What tells steps apart is what they say and when, not the event: Stripe sends one step in two forms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChargeStep {
    /// The charge.
    pub charge: String,
    /// When it was told.
    pub at: Micros,
    /// How much had been refunded before; `None` when it was not told.
    pub before: Option<i64>,
    /// How much has been refunded in all.
    pub refunded: i64,
    /// Its payment intent.
    pub payment_intent: Option<String>,
}

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refund {
    /// `re_…` or `pyr_…`.
    pub id: String,
    /// When it was true.
    pub at: Micros,
    /// When it was made.
    pub created_at: Micros,
    /// Where it stood.
    pub status: RefundStatus,
    /// How much.
    pub amount: i64,
    /// Of what.
    pub currency: Currency,
    /// The charge.
    pub charge: Option<String>,
    /// The payment intent.
    pub payment_intent: Option<String>,
}

/// Stripe was asked for every refund of a charge, and each that there was is known by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefundsListed {
    /// The charge.
    pub charge: String,
    /// When Stripe was asked.
    pub at: Micros,
}

/// A dispute, or an inquiry that may become one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dispute {
    /// `dp_…` or `du_…`.
    pub id: String,
    /// When it was true.
    pub at: Micros,
    /// Which kind of message told it.
    pub stage: Stage,
    /// When it was made.
    pub created_at: Micros,
    /// Where it stood.
    pub status: DisputeStatus,
    /// How much is disputed.
    pub amount: i64,
    /// Of what.
    pub currency: Currency,
    /// What it has moved so far. It says where the money is; the status does not.
    pub lines: Vec<FundsLine>,
    /// The charge.
    pub charge: Option<String>,
    /// The payment intent.
    pub payment_intent: Option<String>,
}

/// What told of a dispute. Of two messages of one second the later here is the later.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It was opened.
    Created,
    /// It changed.
    Updated,
    /// It took or gave money.
    Funds,
    /// It was closed.
    Closed,
    /// Stripe was asked.
    Asked,
}

/// An amount that a dispute moved, in whatever currency the business is paid in; below zero it was taken away.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FundsLine {
    /// When.
    pub at: Micros,
    /// How much.
    pub amount: i64,
}

/// A credit note.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CreditNote {
    /// `cn_…`.
    pub id: String,
    /// When it was true.
    pub at: Micros,
    /// When it was made.
    pub created_at: Micros,
    /// Whether it was taken back.
    pub is_void: bool,
    /// The invoice.
    pub invoice: String,
    /// How much of what had been paid it gives back, in whatever way.
    pub paid_back: i64,
    /// How much of that outside of Stripe.
    pub out_of_band: i64,
    /// Whether some of that went to the customer's balance.
    pub is_to_balance: bool,
    /// The refunds that gave back some of it.
    pub refunds: Vec<NamedRefund>,
}

/// A refund that a credit note names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NamedRefund {
    /// The refund.
    pub id: String,
    /// How much of it is of the note, since the API versions which say so.
    pub amount: Option<i64>,
}

/// The end of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubscriptionEnd {
    /// `sub_…`.
    pub id: String,
    /// When it was true.
    pub at: Micros,
    /// When it ended.
    pub ended_at: Micros,
}

impl Fact {
    /// What the versions of one fact have in common.
    pub fn key(&self) -> String {
        match self {
            Fact::Invoice(it) => format!("invoice:{}:{}:{}", it.id, it.at.as_secs(), it.status),
            Fact::InvoicePayment(it) => {
                format!(
                    "invoice_payment:{}:{}:{}",
                    it.id,
                    it.at.as_secs(),
                    it.status
                )
            }
            Fact::Charge(it) => format!("charge:{}", it.id),
            Fact::ChargeStep(it) => {
                let before = it
                    .before
                    .map_or_else(String::new, |units| units.to_string());
                let at = it.at.as_secs();
                format!("charge_step:{}:{before}:{}:{at}", it.charge, it.refunded)
            }
            Fact::Refund(it) => format!("refund:{}", it.id),
            Fact::RefundsListed(it) => format!("refunds_listed:{}", it.charge),
            Fact::Dispute(it) => format!("dispute:{}", it.id),
            Fact::CreditNote(it) => format!("credit_note:{}", it.id),
            Fact::SubscriptionEnd(it) => format!("subscription_end:{}", it.id),
        }
    }

    /// Whether this is a later version of the same fact. The order is total: of two different versions one is.
    pub fn supersedes(&self, known: &Fact) -> bool {
        (self.rank(), self) > (known.rank(), known)
    }

    /// What decides between two versions, the weightiest first. Whatever is final outdoes the rest, and a dispute
    /// whose status we do not know moves nothing, neither away nor back.
    fn rank(&self) -> [i64; 4] {
        let at = self.at().0;
        match self {
            Fact::Refund(it) => {
                let is_undone = i64::from(it.status.is_undone());
                [is_undone, at, i64::from(it.status.rank()), 0]
            }
            Fact::Dispute(it) => {
                let is_known = i64::from(it.status.known().is_some());
                let lines = i64::try_from(it.lines.len()).unwrap_or(i64::MAX);
                [is_known, lines, at, it.stage as i64]
            }
            Fact::CreditNote(it) => [i64::from(it.is_void), at, 0, 0],
            _ => [at, 0, 0, 0],
        }
    }

    /// When it was true.
    pub const fn at(&self) -> Micros {
        match self {
            Fact::Invoice(it) => it.at,
            Fact::InvoicePayment(it) => it.at,
            Fact::Charge(it) => it.at,
            Fact::ChargeStep(it) => it.at,
            Fact::Refund(it) => it.at,
            Fact::RefundsListed(it) => it.at,
            Fact::Dispute(it) => it.at,
            Fact::CreditNote(it) => it.at,
            Fact::SubscriptionEnd(it) => it.at,
        }
    }

    /// Of two versions of one thing the later has the greater of these.
    pub fn order(&self) -> (Micros, u8) {
        let rank = match self {
            Fact::Invoice(it) => it.status.rank(),
            Fact::InvoicePayment(it) => it.status.rank(),
            _ => 0,
        };
        (self.at(), rank)
    }

    /// The thing in Stripe that it tells of, by its id.
    pub fn object_id(&self) -> &str {
        match self {
            Fact::Invoice(it) => &it.id,
            Fact::InvoicePayment(it) => &it.id,
            Fact::Charge(it) => &it.id,
            Fact::ChargeStep(it) => &it.charge,
            Fact::Refund(it) => &it.id,
            Fact::RefundsListed(it) => &it.charge,
            Fact::Dispute(it) => &it.id,
            Fact::CreditNote(it) => &it.id,
            Fact::SubscriptionEnd(it) => &it.id,
        }
    }

    /// The things that it is about.
    pub fn subjects(&self) -> Subjects<'_> {
        let none = Subjects::default();
        match self {
            Fact::Invoice(it) => Subjects {
                invoice: Some(&it.id),
                subscription: it.subscription.as_deref(),
                ..none
            },
            Fact::InvoicePayment(it) => Subjects {
                invoice: Some(&it.invoice),
                charge: it.charge.as_deref(),
                payment_intent: it.payment_intent.as_deref(),
                ..none
            },
            Fact::Charge(it) => Subjects {
                charge: Some(&it.id),
                payment_intent: it.payment_intent.as_deref(),
                ..none
            },
            Fact::ChargeStep(it) => Subjects {
                charge: Some(&it.charge),
                payment_intent: it.payment_intent.as_deref(),
                ..none
            },
            Fact::Refund(it) => Subjects {
                charge: it.charge.as_deref(),
                payment_intent: it.payment_intent.as_deref(),
                ..none
            },
            Fact::RefundsListed(it) => Subjects {
                charge: Some(&it.charge),
                ..none
            },
            Fact::Dispute(it) => Subjects {
                charge: it.charge.as_deref(),
                payment_intent: it.payment_intent.as_deref(),
                ..none
            },
            Fact::CreditNote(it) => Subjects {
                invoice: Some(&it.invoice),
                ..none
            },
            Fact::SubscriptionEnd(it) => Subjects {
                subscription: Some(&it.id),
                ..none
            },
        }
    }
}
