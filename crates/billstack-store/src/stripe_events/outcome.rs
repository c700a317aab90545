//! What can become of an event.

/// What became of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It converted a referral.
    Converted,
    /// Its customer has no referral it could convert.
    NoReferral,
    /// Nobody here is its customer, so far.
    NoCustomer,
    /// Several pending referrals could be meant.
    Ambiguous,
    /// It does not concern us, or can never convert.
    Ignored,
    /// It may count later: an incomplete subscription, an unpaid session.
    Waiting,
    /// It could not be read to the end; a replay may help.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: &'static [Outcome] = &[
        Outcome::Converted,
        Outcome::NoReferral,
        Outcome::NoCustomer,
        Outcome::Ambiguous,
        Outcome::Ignored,
        Outcome::Waiting,
        Outcome::Failed,
    ];

    /// The name in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Converted => "converted",
            Outcome::NoReferral => "no_referral",
            Outcome::NoCustomer => "no_customer",
            Outcome::Ambiguous => "ambiguous",
            Outcome::Ignored => "ignored",
            Outcome::Waiting => "waiting",
            Outcome::Failed => "failed",
        }
    }

    /// Reads [`Outcome::as_str`].
    pub fn parse(text: &str) -> Option<Outcome> {
        Outcome::ALL
            .iter()
            .copied()
            .find(|outcome| outcome.as_str() == text)
    }
}
