//! Comparing what is known of the payment for a conversion with what Stripe tells of it when it is asked.
//!
//! What makes no difference to the credits is no difference: whatever Stripe is asked for, it shows a little more than
//! its events did.

use crate::payments::{Case, Fact, Facts, Loss, Told, loss, postponed_until, qualifying};

/// A thing that we know less of than Stripe, or something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Its id in Stripe.
    pub subject: String,
    /// What it is.
    pub thing: &'static str,
    /// Whether it was told before, as something else.
    pub was_told: bool,
}

/// What of an answer makes a difference to the credits of a conversion; nothing where the whole of it makes none.
pub fn news(known: &Facts, told: &Told, case: &Case<'_>) -> Vec<News> {
    let mut all = known.clone();
    all.hear(told);
    if standing(known, case) == standing(&all, case) {
        return Vec::new();
    }
    let mut news: Vec<News> = Vec::new();
    for fact in &told.facts {
        let Some(thing) = thing(fact) else { continue };
        let subject = fact.object_id();
        let before = last_known(known, fact);
        if before.is_some_and(|before| money(before) == money(fact))
            || news.iter().any(|one| one.subject == subject)
        {
            continue;
        }
        news.push(News {
            subject: subject.to_owned(),
            thing,
            was_told: before.is_some(),
        });
    }
    if news.is_empty() {
        // It is how they belong together, or what totals were made of.
        let invoice = qualifying(&all, case.subscription);
        news.push(News {
            subject: invoice.unwrap_or(case.subscription).to_owned(),
            thing: "payment",
            was_told: true,
        });
    }
    news
}

/// What the credits go by.
fn standing(facts: &Facts, case: &Case<'_>) -> (Loss, bool) {
    (loss(facts, case), postponed_until(facts, case).is_some())
}

/// What a fact is about, if that can be news.
const fn thing(fact: &Fact) -> Option<&'static str> {
    match fact {
        Fact::Invoice(_) => Some("invoice"),
        Fact::InvoicePayment(_) => Some("payment of an invoice"),
        Fact::Refund(_) => Some("refund"),
        Fact::Dispute(_) => Some("dispute"),
        Fact::CreditNote(_) => Some("credit note"),
        Fact::SubscriptionEnd(_) => Some("end of a subscription"),
        Fact::Charge(_) | Fact::ChargeStep(_) | Fact::RefundsListed(_) => None,
    }
}

/// The latest that is known of the same thing.
fn last_known<'f>(known: &'f Facts, fact: &Fact) -> Option<&'f Fact> {
    let same = known
        .iter()
        .filter(|one| thing(one) == thing(fact) && one.object_id() == fact.object_id());
    same.max_by_key(|one| one.order())
}

/// What of a fact moves money.
fn money(fact: &Fact) -> (String, i64, usize) {
    match fact {
        Fact::Invoice(it) => (it.status.to_string(), it.paid, 0),
        Fact::InvoicePayment(it) => (it.status.to_string(), it.paid, 0),
        Fact::Refund(it) => (it.status.is_undone().to_string(), it.amount, 0),
        Fact::Dispute(it) => (it.status.to_string(), it.amount, it.lines.len()),
        Fact::CreditNote(it) => (it.is_void.to_string(), it.paid_back, it.refunds.len()),
        Fact::SubscriptionEnd(it) => (String::new(), it.ended_at.0, 0),
        Fact::Charge(_) | Fact::ChargeStep(_) | Fact::RefundsListed(_) => (String::new(), 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use crate::payments::{
        ChargeStep, Dispute, DisputeStatus, Invoice, InvoicePayment, InvoiceStatus, Link, LinkKind,
        PaymentStatus, Refund, RefundStatus, RefundsListed, Stage, SubscriptionEnd,
    };
    use crate::time::{DAY, Micros};

    const fn at(seconds: i64) -> Micros {
        Micros::from_secs(1_800_000_000 + seconds)
    }

    fn case() -> Case<'static> {
        Case {
            subscription: "sub_1",
            held_until: Some(at(0).plus(30 * DAY)),
            losses_until: Some(at(0).plus(180 * DAY)),
        }
    }

    fn invoice(status: InvoiceStatus, seconds: i64) -> Fact {
        Fact::Invoice(Invoice {
            id: "in_1".to_owned(),
            at: at(seconds),
            status,
            created_at: at(0),
            paid: 2_000,
            currency: Currency::USD,
            subscription: Some("sub_1".to_owned()),
            is_first: true,
        })
    }

    fn payment(status: PaymentStatus, seconds: i64) -> Fact {
        Fact::InvoicePayment(InvoicePayment {
            id: "inpay_1".to_owned(),
            at: at(seconds),
            status,
            invoice: "in_1".to_owned(),
            paid: 2_000,
            charge: Some("ch_1".to_owned()),
            payment_intent: None,
        })
    }

    fn refund(status: RefundStatus, made: i64) -> Fact {
        Fact::Refund(Refund {
            id: "re_1".to_owned(),
            at: at(5_000).max(at(made)),
            created_at: at(made),
            status,
            amount: 600,
            currency: Currency::USD,
            charge: Some("ch_1".to_owned()),
            payment_intent: None,
        })
    }

    fn inquiry(status: DisputeStatus) -> Fact {
        Fact::Dispute(Dispute {
            id: "dp_1".to_owned(),
            at: at(5_000),
            stage: Stage::Asked,
            created_at: at(200),
            status,
            amount: 2_000,
            currency: Currency::USD,
            lines: Vec::new(),
            charge: Some("ch_1".to_owned()),
            payment_intent: None,
        })
    }

    fn listed() -> Fact {
        Fact::RefundsListed(RefundsListed {
            charge: "ch_1".to_owned(),
            at: at(5_000),
        })
    }

    fn known(facts: impl IntoIterator<Item = Fact>) -> Facts {
        let mut known = Facts::default();
        let usual = [
            invoice(InvoiceStatus::Paid, 1),
            payment(PaymentStatus::Paid, 1),
        ];
        for fact in usual.into_iter().chain(facts) {
            known.take(fact);
        }
        known
    }

    /// What of these facts is news to whoever knows those, besides that the invoice was paid.
    fn told(
        facts: impl IntoIterator<Item = Fact>,
        besides: impl IntoIterator<Item = Fact>,
    ) -> Vec<(String, bool)> {
        let told = Told {
            facts: besides.into_iter().collect(),
            ..Told::default()
        };
        let news = news(&known(facts), &told, &case());
        let news = news.into_iter();
        news.map(|one| (one.subject, one.was_told)).collect()
    }

    fn one(subject: &str, was_told: bool) -> Vec<(String, bool)> {
        vec![(subject.to_owned(), was_told)]
    }

    #[test]
    fn what_is_known_is_no_news() {
        let all = [
            invoice(InvoiceStatus::Paid, 5_000),
            payment(PaymentStatus::Paid, 5_000),
            listed(),
        ];
        assert_eq!(told([], all.clone()), []);
        let pending = refund(RefundStatus::Pending, 100);
        let done = refund(RefundStatus::Succeeded, 100);
        assert_eq!(told([pending], all.into_iter().chain([done.clone()])), []);
        // Known by its total only.
        let step = Fact::ChargeStep(ChargeStep {
            charge: "ch_1".to_owned(),
            at: at(100),
            before: Some(0),
            refunded: 600,
            payment_intent: None,
        });
        assert_eq!(told([step], [listed(), done]), []);
    }

    #[test]
    fn what_was_missed_is_told_by_its_id() {
        let done = refund(RefundStatus::Succeeded, 100);
        assert_eq!(told([], [listed(), done.clone()]), one("re_1", false));
        let failed = refund(RefundStatus::Failed, 100);
        assert_eq!(told([done], [listed(), failed]), one("re_1", true));
        let lost = inquiry(DisputeStatus::Lost);
        assert_eq!(told([], [lost]), one("dp_1", false));
    }

    #[test]
    fn what_no_event_tells_is_told_too() {
        let detached = payment(PaymentStatus::Canceled, 5_000);
        assert_eq!(told([], [detached]), one("inpay_1", true));
        // It was taken off in the second in which it was made.
        let all = [
            invoice(InvoiceStatus::Paid, 6_000),
            payment(PaymentStatus::Canceled, 6_000),
        ];
        assert_eq!(told([payment(PaymentStatus::Canceled, 1)], all), []);
        let reopened = invoice(InvoiceStatus::Open, 5_000);
        assert_eq!(told([], [reopened]), one("in_1", true));
    }

    #[test]
    fn an_inquiry_makes_a_difference_while_it_is_open() {
        let open = || inquiry(DisputeStatus::WarningNeedsResponse);
        assert_eq!(told([], [open()]), one("dp_1", false));
        let closed = || inquiry(DisputeStatus::WarningClosed);
        assert_eq!(told([open()], [closed()]), one("dp_1", true));
        assert_eq!(told([], [closed()]), []);
    }

    #[test]
    fn what_is_too_late_is_no_news() {
        let late = refund(RefundStatus::Succeeded, 181 * DAY / 1_000_000);
        assert_eq!(told([], [listed(), late]), []);
    }

    #[test]
    fn a_link_that_was_missing_is_told_by_the_invoice() {
        let mut known = Facts::default();
        known.take(invoice(InvoiceStatus::Paid, 1));
        let done = refund(RefundStatus::Succeeded, 100);
        known.take(done);
        let told = Told {
            links: vec![Link {
                kind: LinkKind::ChargeInvoice,
                from: "ch_1".to_owned(),
                to: "in_1".to_owned(),
            }],
            ..Told::default()
        };
        let news = news(&known, &told, &case());
        assert_eq!((news.len(), &*news[0].subject), (1, "in_1"));
    }

    #[test]
    fn the_end_of_a_subscription_that_was_never_paid_is_told() {
        let end = Fact::SubscriptionEnd(SubscriptionEnd {
            id: "sub_1".to_owned(),
            at: at(5_000),
            ended_at: at(100),
        });
        let told = Told {
            facts: vec![end],
            ..Told::default()
        };
        let found = news(&Facts::default(), &told, &case());
        assert_eq!((found.len(), &*found[0].subject), (1, "sub_1"));
        assert_eq!(news(&known([]), &told, &case()), []);
    }
}
