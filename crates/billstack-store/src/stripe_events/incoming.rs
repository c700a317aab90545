//! An event on its way in.

use billstack_core::stripe_event::Start;
use billstack_core::time::Micros;

use super::Settled;

/// A verified event, read as far as it could be.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// `evt_…`, unique inside the team.
    pub id: String,
    /// Its type, such as `customer.subscription.created`.
    pub kind: String,
    /// When it happened, as Stripe says.
    pub created_at: Micros,
    /// Live or test mode, when it says.
    pub livemode: Option<bool>,
    /// What it means to us.
    pub content: Content,
    /// The body as it came.
    pub payload: String,
    /// How long before the apply a subscription may have begun, in microseconds.
    pub grace: i64,
}

impl Incoming {
    /// A body is kept only where it is known whose it is: nobody could be erased from any other. The
    /// facts that were read from it are kept in any case, and are all that deciding anew needs.
    pub(super) fn body_to_keep(&self, settled: &Settled) -> Option<&str> {
        let keeps = match self.content {
            Content::Start(_) => settled.customer_id.is_some(),
            Content::Ignored(_) => false,
            // Of these only a thin event was not read, and that holds nothing but ids.
            Content::OtherMode { ref start, .. } => start.is_none(),
            Content::Failed(_) => true,
        };
        keeps.then_some(self.payload.as_str())
    }
}

/// What an event means to us.
#[derive(Clone, Debug)]
pub enum Content {
    /// It tells of a subscription.
    Start(Box<Start>),
    /// It is kept and has no effect; the text says why.
    Ignored(&'static str),
    /// It is of the mode that the team is not connected in, which may be a mistake: so it has no effect,
    /// and is kept such that it can be decided again.
    OtherMode {
        /// Which mode it is of.
        why: &'static str,
        /// The subscription it tells of; `None` for a thin event, whose object was not fetched.
        start: Option<Box<Start>>,
    },
    /// It could not be read to the end; the text says why.
    Failed(String),
}

impl Content {
    /// The subscription it tells of, whether or not that has an effect.
    pub(super) fn start(&self) -> Option<&Start> {
        match self {
            Content::Start(start) => Some(start),
            Content::OtherMode { start, .. } => start.as_deref(),
            Content::Ignored(_) | Content::Failed(_) => None,
        }
    }
}
