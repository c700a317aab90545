//! The one place where refusals and faults of the store become answers.

use billstack_core::credit::by_hand::NotMoved;
use billstack_core::program::Impossible;
use billstack_core::project::NotAdvanced;
use billstack_core::referral::ApplyRefusal;
use billstack_core::time::SECOND;
use billstack_store::NotNamed;
use billstack_store::NotOnPage;
use billstack_store::Refusal;
use billstack_store::Thing;
use billstack_store::{Abort, Fault};

use crate::api::currency;
use crate::api::customers::CustomerJson;
use crate::api::links;
use crate::api::portal;
use crate::api::referrals::ReferralJson;
use crate::api::referrals::codes::CodeJson;
use crate::error::{ApiError, Reason};

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        match refusal {
            Refusal::NotFound(what) => not_found(what),
            Refusal::CallerNoLongerAllowed => ApiError::new(Reason::Unauthenticated),
            Refusal::CustomerExists(place, customer) => {
                let customer = CustomerJson::new(&customer, &place.project_id);
                ApiError::new(Reason::CustomerExists).showing("customer", &customer)
            }
            Refusal::ExternalIdTaken => ApiError::new(Reason::ExternalIdTaken).field("externalId"),
            Refusal::ActiveCodeExists(place, code) => {
                let code = CodeJson::new(&code.listed(), &place.project_id);
                ApiError::new(Reason::ActiveCodeExists).showing("code", &code)
            }
            Refusal::NotNamed(why) => not_named(why),
            Refusal::CodeCollision => ApiError::new(Reason::Overloaded),
            Refusal::InvalidClickToken => {
                ApiError::new(Reason::InvalidClickToken).field("clickToken")
            }
            Refusal::AlreadyReferred(referral) => ApiError::new(Reason::AlreadyReferred)
                .showing("referral", &ReferralJson::new(&referral)),
            Refusal::Apply(refusal) => ApiError::new(not_applied(refusal)),
            Refusal::NotMoved(NotMoved::IllegalTransition) => {
                ApiError::new(Reason::IllegalTransition)
            }
            Refusal::NotMoved(NotMoved::AmountExceedsCredit) => {
                ApiError::new(Reason::AmountExceedsCredit).field("amount")
            }
            Refusal::ImpossibleProgram(Impossible::ClawbackWithoutHold) => {
                let why = "`clawback` can be `within_hold` only with `holdDays` above 0.";
                ApiError::invalid("clawback", why)
            }
            Refusal::ImpossiblePortal(wrong) => portal::settings::put::wrong(wrong),
            Refusal::NotOnPage(why) => not_on_page(why),
            Refusal::ImpossibleLinks(wrong) => links::settings::put::wrong(wrong),
            Refusal::StripeKeyRequired => {
                ApiError::new(Reason::StripeKeyRequired).field("creditDelivery")
            }
            Refusal::NoSecretKey => ApiError::new(Reason::StripeKeyRequired)
                .message("Stripe can only be asked with a secret key; connect one."),
            Refusal::NotATestProject => ApiError::new(Reason::NotATestProject),
            Refusal::NotAdvanced(why) => ApiError::invalid(
                "to",
                match why {
                    NotAdvanced::Backward => "`to` must not be earlier than what the clock shows.",
                    NotAdvanced::TooFar => {
                        "`to` must be at most ten years ahead of what the clock shows."
                    }
                },
            ),
            Refusal::DeliveryUnderWay => ApiError::new(Reason::DeliveryUnderWay),
            Refusal::NothingToDeliverWith => ApiError::new(Reason::StripeKeyRequired),
            Refusal::NotBillable(currency) => currency::not_billable("amount", currency),
            Refusal::LastOwner => ApiError::new(Reason::LastOwner),
            Refusal::OwnerRequired => ApiError::new(Reason::Forbidden)
                .message("Only an owner may make, change or remove owners."),
            Refusal::UserExists => ApiError::new(Reason::UserExists),
            Refusal::AlreadyMember => ApiError::new(Reason::AlreadyMember),
            Refusal::AlreadySetUp => ApiError::new(Reason::AlreadySetUp),
            Refusal::InvalidToken => ApiError::new(Reason::InvalidToken).field("token"),
            Refusal::KeyReused => ApiError::new(Reason::IdempotencyKeyReused),
            // No call is only tried.
            Refusal::Rehearsal => ApiError::new(Reason::Internal),
            Refusal::KeyInUse => ApiError::new(Reason::IdempotencyKeyInUse),
            Refusal::CustomerBeingCreated => ApiError::new(Reason::CustomerBeingCreated),
            Refusal::TooManyEndpoints => ApiError::new(Reason::TooManyEndpoints),
            Refusal::StripeNotConnected => ApiError::new(Reason::StripeNotConnected),
            // Stripe was asked, and the link has changed each time meanwhile.
            Refusal::LinkInDoubt(_) => ApiError::new(Reason::StripeUnavailable),
            Refusal::PayloadGone => ApiError::new(Reason::PayloadGone),
        }
    }
}

fn not_applied(why: ApplyRefusal) -> Reason {
    match why {
        ApplyRefusal::AlreadyReferred => Reason::AlreadyReferred,
        ApplyRefusal::ReferralsDisabled => Reason::ReferralsDisabled,
        ApplyRefusal::ClickExpired => Reason::ClickExpired,
        ApplyRefusal::CodeInactive => Reason::CodeInactive,
        ApplyRefusal::SelfReferral => Reason::SelfReferral,
        ApplyRefusal::ReciprocalReferral => Reason::ReciprocalReferral,
        ApplyRefusal::NotANewCustomer => Reason::NotANewCustomer,
    }
}

fn not_on_page(why: NotOnPage) -> ApiError {
    match why {
        NotOnPage::SessionOver => ApiError::new(Reason::InvalidPortalToken),
        NotOnPage::ReadOnly => {
            ApiError::new(Reason::Forbidden).message("This session may only read.")
        }
        NotOnPage::NoNames => ApiError::new(Reason::Forbidden)
            .field("vanity")
            .message("In this project codes keep the name that they have."),
    }
}

fn not_named(why: NotNamed) -> ApiError {
    match why {
        NotNamed::Inactive => ApiError::new(Reason::CodeInactive),
        NotNamed::Taken => ApiError::new(Reason::VanityTaken).field("vanity"),
        NotNamed::TooOften(wait) => {
            let seconds = u64::try_from(wait / SECOND).unwrap_or(0);
            let refused = ApiError::new(Reason::TooManyRenames).field("vanity");
            refused.retry_after(seconds + 1)
        }
    }
}

/// A 404 that says what is missing.
fn not_found(what: Thing) -> ApiError {
    match what {
        Thing::Customer => ApiError::new(Reason::CustomerNotFound),
        Thing::Code => ApiError::new(Reason::CodeNotFound),
        Thing::Referral => ApiError::new(Reason::ReferralNotFound),
        Thing::Credit => ApiError::new(Reason::CreditNotFound),
        Thing::StripeEvent | Thing::Event => ApiError::new(Reason::EventNotFound),
        Thing::Project => missing("No such project in this team."),
        Thing::Member => missing("No such member of this team."),
        Thing::Invitation => missing("No such invitation to this team."),
        Thing::ApiKey => missing("No such API key of this team."),
        Thing::Run => missing("No such run in this project."),
        Thing::WebhookEndpoint => missing("No such webhook endpoint in this project."),
        Thing::Line => missing("There is no such line."),
        Thing::WebhookDelivery => missing("No such delivery to this webhook endpoint."),
        Thing::Team | Thing::User => ApiError::new(Reason::NotFound),
    }
}

fn missing(sentence: &'static str) -> ApiError {
    ApiError::new(Reason::NotFound).message(sentence)
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> ApiError {
        let reason = match &fault {
            Fault::Overloaded => Reason::Overloaded,
            Fault::Closed => Reason::ShuttingDown,
            Fault::Unavailable(_) | Fault::Conflict(_) => Reason::DatabaseUnavailable,
            Fault::Unknown(_) => Reason::OutcomeUnknown,
            Fault::Defect(_) | Fault::Panicked(_) => Reason::Internal,
        };
        // The caller learns nothing of the inside; the operator learns all of it, once, here.
        match reason {
            Reason::Overloaded | Reason::ShuttingDown => tracing::warn!(%fault, "request refused"),
            _ => tracing::error!(%fault, "request failed"),
        }
        ApiError::new(reason)
    }
}

impl From<Abort> for ApiError {
    fn from(abort: Abort) -> ApiError {
        match abort {
            Abort::Refused(refusal) => refusal.into(),
            Abort::Fault(fault) => fault.into(),
        }
    }
}
