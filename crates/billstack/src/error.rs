//! The one shape of a refusal: a sentence for a person, a stable reason for a program.
//!
//! The list of reasons is closed. A client may branch on `reason`, so a reason keeps its name and
//! its status for ever; the sentence beside it may be improved at any time.

use std::borrow::Cow;
use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::http::answer::json;

/// Builds the enum and its look-ups from one table, so that no reason can lack a status or text.
macro_rules! reasons {
    ($($name:ident = $text:literal, $status:ident, $sentence:literal;)+) => {
        /// Why a request was refused: the closed list of reasons the API ever gives.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = concat!("`", $text, "`: ", $sentence)] $name,)+
        }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable name a client sees in `reason`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The HTTP status that always goes with this reason.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The sentence a person reads unless a better one is at hand.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }
        }
    };
}

reasons! {
    InvalidRequest = "invalid_request", BAD_REQUEST, "The request is not valid.";
    InvalidJson = "invalid_json", BAD_REQUEST, "The body is not a valid JSON object.";
    UnknownParameter = "unknown_parameter", BAD_REQUEST, "The query has a parameter that this call does not know.";
    UnknownMember = "unknown_member", BAD_REQUEST, "The body has a member that this call does not know.";
    UseCursor = "use_cursor", BAD_REQUEST, "`offset` is at most 10000; go on by `cursor`.";
    VanityNotAllowed = "vanity_not_allowed", BAD_REQUEST, "This cannot be the name of a code.";
    InvalidClickToken = "invalid_click_token", BAD_REQUEST, "The click token is none of this project.";
    InvalidSignature = "invalid_signature", BAD_REQUEST, "The signature is missing or does not match.";
    NotAnEvent = "not_an_event", BAD_REQUEST, "The body is not a Stripe event.";
    WeakPassword = "weak_password", BAD_REQUEST, "Choose another password: 8 to 256 characters, and not a common one.";
    WebhookAddressNotAllowed = "webhook_address_not_allowed", BAD_REQUEST, "Webhooks are not sent to this address.";
    StripeKeyInvalid = "stripe_key_invalid", BAD_REQUEST, "Stripe does not accept this key.";

    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Send an API key or sign in.";
    InvalidApiKey = "invalid_api_key", UNAUTHORIZED, "The API key is not known.";
    ApiKeyExpired = "api_key_expired", UNAUTHORIZED, "The API key has expired.";
    ApiKeyRevoked = "api_key_revoked", UNAUTHORIZED, "The API key has been revoked.";
    SessionExpired = "session_expired", UNAUTHORIZED, "The session has ended; sign in again.";
    InvalidPortalToken = "invalid_portal_token", UNAUTHORIZED, "The portal session is unknown or has ended; ask for a new one.";
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "The e-mail address or the password is wrong.";

    Forbidden = "forbidden", FORBIDDEN, "You have no access to this.";
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The API key lacks the scope for this call.";
    CrossSiteRequest = "cross_site_request", FORBIDDEN, "A write from another site is refused.";
    SessionRequired = "session_required", FORBIDDEN, "This call needs a signed-in user, not an API key.";
    NotATestProject = "not_a_test_project", FORBIDDEN, "Only a project of mode test has a clock that can be moved.";
    InvalidToken = "invalid_token", FORBIDDEN, "The token is unknown, used or expired.";

    NotFound = "not_found", NOT_FOUND, "There is nothing here.";
    CustomerNotFound = "customer_not_found", NOT_FOUND, "No such customer in this project.";
    CodeNotFound = "code_not_found", NOT_FOUND, "No such referral code in this project.";
    ReferralNotFound = "referral_not_found", NOT_FOUND, "No such referral in this project.";
    CreditNotFound = "credit_not_found", NOT_FOUND, "No such credit in this project.";
    EventNotFound = "event_not_found", NOT_FOUND, "No such event.";

    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This address does not take that method.";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request did not arrive in time.";
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json.";

    CustomerExists = "customer_exists", CONFLICT, "A customer with this e-mail address exists already.";
    ExternalIdTaken = "external_id_taken", CONFLICT, "Another customer has this external id.";
    ActiveCodeExists = "active_code_exists", CONFLICT, "The customer has an active code already.";
    AlreadyReferred = "already_referred", CONFLICT, "The customer has been referred already.";
    ReferralsDisabled = "referrals_disabled", CONFLICT, "The referral program is switched off.";
    VanityTaken = "vanity_taken", CONFLICT, "The name belongs, or once belonged, to the code of somebody else.";
    ClickExpired = "click_expired", CONFLICT, "The click was too long ago.";
    CodeInactive = "code_inactive", CONFLICT, "The code is no longer active.";
    SelfReferral = "self_referral", CONFLICT, "Nobody can use their own code.";
    ReciprocalReferral = "reciprocal_referral", CONFLICT, "The owner of the code was referred by this customer.";
    NotANewCustomer = "not_a_new_customer", CONFLICT, "The customer subscribed before the code was applied.";
    LastOwner = "last_owner", CONFLICT, "A team keeps at least one owner.";
    UserExists = "user_exists", CONFLICT, "A user with this e-mail address exists already.";
    AlreadyMember = "already_member", CONFLICT, "The user is a member of the team already.";
    AlreadySetUp = "already_set_up", CONFLICT, "The server has been set up already.";
    IdempotencyKeyInUse = "idempotency_key_in_use", CONFLICT, "A request with this Idempotency-Key is still running.";
    CustomerBeingCreated = "customer_being_created", CONFLICT, "This customer is being created by another request.";
    TooManyEndpoints = "too_many_endpoints", CONFLICT, "The project has as many webhook endpoints as it may have.";
    StripeNotConnected = "stripe_not_connected", CONFLICT, "The team is not connected to Stripe.";
    StripeKeyRequired = "stripe_key_required", CONFLICT, "Credits reach a balance in Stripe only with a secret key; connect one.";
    IllegalTransition = "illegal_transition", CONFLICT, "The credit is not in a state in which this can be done.";
    AmountExceedsCredit = "amount_exceeds_credit", CONFLICT, "There is not so much of the credit.";
    DeliveryUnderWay = "delivery_under_way", CONFLICT, "Stripe is just being told about this credit; try again in a moment.";
    PayloadGone = "payload_gone", CONFLICT, "The content of this event has been removed.";

    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "This Idempotency-Key belongs to another request.";

    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests; slow down.";
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "Too many requests; slow down.";
    TooManyMisses = "too_many_misses", TOO_MANY_REQUESTS, "Too many unknown codes; try again later.";
    TooManyRenames = "too_many_renames", TOO_MANY_REQUESTS, "The code was renamed five times today; try again tomorrow.";
    TooManySignIns = "too_many_sign_ins", TOO_MANY_REQUESTS, "Too many attempts to sign in; try again later.";

    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on our side.";
    StripeRefused = "stripe_refused", BAD_GATEWAY, "Stripe refused the request.";
    StripeUnavailable = "stripe_unavailable", BAD_GATEWAY, "Stripe cannot be reached; try again.";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "The server is busy; try again.";
    DatabaseUnavailable = "database_unavailable", SERVICE_UNAVAILABLE, "The database cannot be reached; try again.";
    WrongSecretKey = "wrong_secret_key", SERVICE_UNAVAILABLE, "BILLSTACK_SECRET_KEY does not open the Stripe secrets in the database.";
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE, "The server is shutting down; try again.";
    OutcomeUnknown = "outcome_unknown", SERVICE_UNAVAILABLE, "It is not known whether the request took effect; look before you repeat it.";
}

impl Reason {
    /// Whether answers with this reason must say when to come back.
    #[must_use]
    pub const fn asks_to_retry(self) -> bool {
        matches!(
            self.status(),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        ) || self.waits_for_another()
    }

    /// Whether another request is in the way, which ends within a second, or with the lease of one that broke off.
    const fn waits_for_another(self) -> bool {
        matches!(self, Self::IdempotencyKeyInUse | Self::CustomerBeingCreated)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal on its way to the client.
///
/// Nothing of the inside belongs in it: causes are logged where they happen.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct ApiError {
    /// The stable reason, which also decides the status.
    pub reason: Reason,
    /// The sentence for a person.
    pub message: Cow<'static, str>,
    /// The one member, parameter or header at fault, where there is one.
    pub field: Option<Cow<'static, str>>,
    /// The resource that is there already: its name, and its JSON as it is sent. Read into values it
    /// would change, because metadata may hold any number and any name.
    pub resource: Option<(&'static str, String)>,
    /// Seconds to wait before another attempt.
    pub retry_after: Option<u64>,
}

impl ApiError {
    /// A refusal with the reason's own sentence.
    pub const fn new(reason: Reason) -> Self {
        Self {
            reason,
            message: Cow::Borrowed(reason.sentence()),
            field: None,
            resource: None,
            retry_after: None,
        }
    }

    /// A refusal of one field of the input.
    pub fn invalid(
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Reason::InvalidRequest)
            .field(field)
            .message(message)
    }

    /// Whether it is Stripe that did not answer, or said no.
    pub fn is_of_stripe(&self) -> bool {
        matches!(
            self.reason,
            Reason::StripeUnavailable | Reason::StripeRefused
        )
    }

    /// Replaces the sentence.
    pub fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Names the field at fault.
    pub fn field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names a field the client called so, if that name is plain enough to be repeated.
    ///
    /// A name that is not short, or has more than letters, digits and what joins words, is left out: input is
    /// never echoed blindly.
    pub fn field_as_sent(mut self, name: &str) -> Self {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.[]".contains(&b);
        if name.bytes().all(plain) && (1..=40).contains(&name.len()) {
            self.field = Some(Cow::Owned(name.to_owned()));
        }
        self
    }

    /// Shows the resource that is there already, under its singular name.
    pub fn showing(mut self, name: &'static str, resource: &impl Serialize) -> Self {
        self.resource = Some((name, json(resource)));
        self
    }

    /// Says how many seconds to wait; never less than one.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// The JSON body of the answer.
    #[must_use]
    pub fn body(&self) -> String {
        json(self)
    }

    /// The seconds a client is told to wait: 429, 503 and whoever waits for another request are never left in doubt.
    pub fn wait(&self) -> Option<u64> {
        match self.retry_after {
            Some(seconds) => Some(seconds.max(1)),
            None => self.reason.asks_to_retry().then_some(1),
        }
    }
}

impl Serialize for ApiError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("error", &self.message)?;
        members.serialize_entry("reason", self.reason.as_str())?;
        if let Some(field) = &self.field {
            members.serialize_entry("field", field)?;
        }
        if let Some((name, json)) = &self.resource {
            let json: &RawValue = serde_json::from_str(json).map_err(S::Error::custom)?;
            members.serialize_entry(name, json)?;
        }
        members.end()
    }
}

impl From<Reason> for ApiError {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

impl std::error::Error for ApiError {}

/// What a refusal says to people, kept beside its answer.
#[derive(Clone, Debug)]
pub struct Said {
    /// The sentence.
    pub message: Cow<'static, str>,
    /// The one member, parameter or header at fault, where there is one.
    pub field: Option<Cow<'static, str>>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let status = self.reason.status();
        let body = self.body();
        let mut response = (status, [(header::CONTENT_TYPE, json)], body).into_response();
        // For the log line of the request, and for the page that says it.
        response.extensions_mut().insert(self.reason);
        response.extensions_mut().insert(Said {
            message: self.message.clone(),
            field: self.field.clone(),
        });
        if let Some(seconds) = self.wait() {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 wants every 401 to name a scheme. Bearer makes no browser show a dialog.
            let scheme = HeaderValue::from_static("Bearer realm=\"billstack\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn reasons_are_distinct_snake_case_and_errors() {
        let mut seen = HashSet::new();
        for reason in Reason::ALL {
            let text = reason.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(reason.status().is_client_error() || reason.status().is_server_error());
            assert!(reason.sentence().ends_with('.'), "{text}");
        }
        assert_eq!(seen.len(), Reason::ALL.len());
    }

    #[test]
    fn only_a_reused_idempotency_key_is_422() {
        let with_422: Vec<_> = Reason::ALL
            .iter()
            .filter(|r| r.status() == StatusCode::UNPROCESSABLE_ENTITY)
            .collect();
        assert_eq!(with_422, [&Reason::IdempotencyKeyReused]);
    }

    #[test]
    fn every_reason_to_wait_says_when_to_return() {
        for &reason in Reason::ALL {
            let response = ApiError::new(reason).into_response();
            let told = response.headers().contains_key(header::RETRY_AFTER);
            assert_eq!(told, reason.asks_to_retry(), "{reason}");
        }
        let response = ApiError::new(Reason::RateLimited)
            .retry_after(0)
            .into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }

    #[test]
    fn a_resource_is_shown_as_it_is_written() {
        let metadata = r#"{"$serde_json::private::RawValue":"x","n":1.10,"b":1e400}"#;
        let metadata = serde_json::value::RawValue::from_string(metadata.to_owned());
        let body = ApiError::invalid("a", "Say \"b\".").showing("customer", &metadata.unwrap());
        assert_eq!(
            body.body(),
            concat!(
                r#"{"error":"Say \"b\".","reason":"invalid_request","field":"a","customer":"#,
                r#"{"$serde_json::private::RawValue":"x","n":1.10,"b":1e400}}"#,
            )
        );
    }

    #[test]
    fn only_plain_names_are_repeated() {
        let error = ApiError::new(Reason::InvalidRequest);
        assert_eq!(
            error.clone().field_as_sent("limit").field.as_deref(),
            Some("limit")
        );
        let form = error.clone().field_as_sent("metadata[first-plan]");
        assert_eq!(form.field.as_deref(), Some("metadata[first-plan]"));
        for odd in ["", "a b", "<b>", "\u{e9}", &"x".repeat(41)] {
            assert_eq!(error.clone().field_as_sent(odd).field, None, "{odd}");
        }
    }
}
