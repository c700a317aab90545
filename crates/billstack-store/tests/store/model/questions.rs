//! Answers to what Stripe was asked about a referee.

use billstack_core::referral::GRACE;

use super::{At, Known, Model, Referral, Said, Which};

impl Model {
    /// Stripe tells of a referee, perhaps that they subscribed long before.
    pub(crate) fn answer(&mut self, at: &At, referee: &str, was_old: bool) -> Said {
        let of = |r: &Referral| r.at == *at && r.referee == referee;
        let (Some(number), Some(index)) =
            (self.referrals.iter().position(of), self.living(at, referee))
        else {
            return Said::Done;
        };
        let created = self.referrals[number].created;
        let old = |known: &Known| known.existed && created - known.began > GRACE;
        let is_old = was_old || self.known_of(&self.customers[index]).any(old);
        let referral = &mut self.referrals[number];
        if referral.open && is_old {
            referral.status = "expired";
        }
        referral.open = false;
        self.look_again(index, Which::Open);
        Said::Done
    }
}
