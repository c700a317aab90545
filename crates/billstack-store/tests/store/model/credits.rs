//! What conversions grant.

use super::{At, Model};

impl Model {
    /// Every credit there should be: customer, side, amount, currency.
    pub(crate) fn credits(&self, at: &At) -> Vec<(String, &'static str, i64, &'static str)> {
        let converted = self
            .referrals
            .iter()
            .filter(|r| r.at == *at && r.status == "converted");
        let mut credits: Vec<_> = converted
            .flat_map(|r| {
                let (referrer, referee, currency) = r.promise;
                [
                    (r.referrer.clone(), "referrer", referrer, currency),
                    (r.referee.clone(), "referee", referee, currency),
                ]
            })
            .filter(|(_, _, amount, _)| *amount > 0)
            .collect();
        credits.sort();
        credits
    }
}
