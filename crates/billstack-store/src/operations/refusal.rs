//! Why the state refuses a change. The HTTP layer gives each its status and sentence.

use billstack_core::credit::by_hand::NotMoved;
use billstack_core::link::Wrong;
use billstack_core::money::Currency;
use billstack_core::portal;
use billstack_core::program::Impossible;
use billstack_core::project::NotAdvanced;
use billstack_core::referral::{ApplyRefusal, Referral};

use crate::seam::{Place, fault};
use crate::tables::codes::Code;
use crate::tables::customers::Customer;

/// Why an operation ended without a result: the rules said no, or the store failed.
pub type Abort = fault::Abort<Refusal>;

/// Something that can be missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Thing {
    /// A customer of the project.
    Customer,
    /// A code of the project.
    Code,
    /// A referral of the project.
    Referral,
    /// A credit of the project.
    Credit,
    /// An event of Stripe.
    StripeEvent,
    /// An event of the log of the project.
    Event,
    /// A team.
    Team,
    /// A project of the team.
    Project,
    /// A member of the team.
    Member,
    /// An invitation to the team.
    Invitation,
    /// An API key of the team.
    ApiKey,
    /// A user.
    User,
    /// A run of reconcile.
    Run,
    /// A webhook endpoint of the project.
    WebhookEndpoint,
    /// A delivery to a webhook endpoint.
    WebhookDelivery,
    /// A line of what needs attention.
    Line,
}

/// Why a code is not given a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotNamed {
    /// The code can no longer be applied.
    Inactive,
    /// The name belongs, or belonged, to somebody else's code.
    Taken,
    /// The code was given other names often enough for one day; the next begins so many microseconds later.
    TooOften(i64),
}

/// Why a customer cannot do something on their own page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotOnPage {
    /// The session has ended.
    SessionOver,
    /// The session may only read.
    ReadOnly,
    /// The project gives codes no other names.
    NoNames,
}

/// A rule that said no. Nothing the operation wrote is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// There is no such thing in the caller's project or team.
    NotFound(Thing),
    /// The caller's key is revoked or expired, its session ended, or its role was taken away.
    CallerNoLongerAllowed,
    /// The e-mail address belongs to this customer of the project.
    CustomerExists(Place, Box<Customer>),
    /// The external id belongs to another customer of the project.
    ExternalIdTaken,
    /// The customer already has this active code.
    ActiveCodeExists(Place, Box<Code>),
    /// A code cannot be given this name.
    NotNamed(NotNamed),
    /// Eight fresh codes in a row were taken; the caller tries again with another seed.
    CodeCollision,
    /// The click token, which came without a code, is none of this project's.
    InvalidClickToken,
    /// The referee already has this referral.
    AlreadyReferred(Box<Referral>),
    /// One of the other rules of an apply.
    Apply(ApplyRefusal),
    /// A credit cannot be moved so, or not so much of it.
    NotMoved(NotMoved),
    /// The settings of a program would contradict each other.
    ImpossibleProgram(Impossible),
    /// Links cannot be set up so.
    ImpossibleLinks(Wrong),
    /// The pages of customers cannot be set up so.
    ImpossiblePortal(portal::Wrong),
    /// A customer cannot do this on their own page.
    NotOnPage(NotOnPage),
    /// Stripe is being told to give a credit, and nobody knows yet what came of it.
    DeliveryUnderWay,
    /// A credit cannot be put into a balance in Stripe without a secret key.
    NothingToDeliverWith,
    /// Credits cannot be put into a balance in Stripe without a secret key.
    StripeKeyRequired,
    /// Stripe cannot be asked without a secret key.
    NoSecretKey,
    /// Only the clock of a test project can be moved.
    NotATestProject,
    /// A clock cannot be moved so.
    NotAdvanced(NotAdvanced),
    /// Stripe bills only larger steps of this currency.
    NotBillable(Currency),
    /// The last owner of a team cannot be removed or lowered.
    LastOwner,
    /// Only an owner may make or unmake owners.
    OwnerRequired,
    /// A user with this e-mail address exists.
    UserExists,
    /// The user belongs to the team already.
    AlreadyMember,
    /// The server has its first user already.
    AlreadySetUp,
    /// The set-up token or invitation is unknown, used or expired.
    InvalidToken,
    /// The Idempotency-Key was used for another request.
    KeyReused,
    /// The first request under this Idempotency-Key is still running.
    KeyInUse,
    /// The project has as many webhook endpoints as it may have.
    TooManyEndpoints,
    /// A customer with this e-mail address is being created in Stripe right now.
    CustomerBeingCreated,
    /// The team has no Stripe connection.
    StripeNotConnected,
    /// Whether the link to this Stripe customer can be believed is for Stripe to say: ask whether they ever
    /// subscribed, and take the event in again with the answer.
    LinkInDoubt(String),
    /// All would have been done, and was only tried.
    Rehearsal,
    /// The stored event has lost its payload to retention or erasure and cannot be read again.
    PayloadGone,
}

impl From<ApplyRefusal> for Refusal {
    fn from(refusal: ApplyRefusal) -> Self {
        Refusal::Apply(refusal)
    }
}

impl From<Refusal> for Abort {
    fn from(refusal: Refusal) -> Self {
        Abort::Refused(refusal)
    }
}
