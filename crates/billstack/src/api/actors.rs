//! Who did something, in words for people.

use billstack_core::ledger::Cause;
use billstack_store::credits::{HOLD_KIND, Posting, delivery};
use billstack_store::reconcile;

/// Somebody of the log whose name is not known, or not for whoever reads.
pub(crate) fn someone(actor: &str) -> &str {
    match kind(actor) {
        "user" => "somebody of the team",
        "api_key" => "an API key",
        "customer" => "a customer",
        "stripe" => "Stripe",
        "command_line" => "the command line",
        "system" => "BillStack",
        "anonymous" => "somebody who is not signed in",
        other => other,
    }
}

fn kind(actor: &str) -> &str {
    actor.split_once(':').map_or(actor, |(kind, _)| kind)
}

/// What made a booking; a person or a key by name where that is known.
pub(crate) fn booked_by<'n>(posting: &'n Posting, name: Option<&'n str>) -> &'n str {
    match (posting.cause, posting.cause_id.as_str()) {
        (Cause::User, actor) => name.unwrap_or_else(|| someone(actor)),
        (Cause::Event, _) => "Stripe's event",
        (Cause::Job, HOLD_KIND) => "BillStack, at the end of the hold",
        (Cause::Job, delivery::KIND) => "BillStack, for the balance in Stripe",
        (Cause::Job, reconcile::KIND) => "BillStack, after a comparison with Stripe",
        (Cause::Job | Cause::Other(_), _) => "BillStack",
    }
}

/// The one in the log who made a booking, if a person or a key did.
pub(crate) fn actor_of(posting: &Posting) -> Option<&str> {
    (posting.cause == Cause::User).then_some(&*posting.cause_id)
}

#[cfg(test)]
mod tests {
    use billstack_core::ledger::Account;
    use billstack_core::time::Micros;

    use super::*;

    #[test]
    fn a_booking_is_by_somebody_or_by_something() {
        let of = |cause, id: &str, name| {
            let posting = Posting {
                seq: 1,
                account: Account::Customer,
                amount: 1,
                cause,
                cause_id: id.to_owned(),
                reason: None,
                reference: None,
                stripe_object: None,
                effective_at: Micros(0),
                created_at: Micros(0),
            };
            booked_by(&posting, name).to_owned()
        };
        assert_eq!(of(Cause::User, "user:usr_1", Some("Ada")), "Ada");
        assert_eq!(of(Cause::User, "user:usr_1", None), "somebody of the team");
        assert_eq!(of(Cause::User, "api_key:key_1", None), "an API key");
        assert_eq!(of(Cause::User, "command_line", None), "the command line");
        assert_eq!(of(Cause::Event, "evt_1", None), "Stripe's event");
        let jobs = ["end_of_hold", "stripe_delivery", "reconcile"];
        let said = jobs.map(|job| of(Cause::Job, job, None));
        assert_eq!(
            said,
            [
                "BillStack, at the end of the hold",
                "BillStack, for the balance in Stripe",
                "BillStack, after a comparison with Stripe"
            ]
        );
        assert_eq!(of(Cause::Job, "of_a_newer_version", None), "BillStack");
    }
}
