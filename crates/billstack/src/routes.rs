//! Every route on one screen, and the server made of them.

use std::sync::LazyLock;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, get, on, options, post};
use billstack_core::access::Scope::{
    CustomersRead, CustomersWrite, ReferralsRead, ReferralsWrite, WebhooksRead, WebhooksWrite,
};
use utoipa_axum::routes;

use crate::api::operations::docs;
use crate::api::teams::stripe;
use crate::api::{
    attention, auth, caller, customers, events, find, links, operations, portal, public, referrals,
    reports, teams, test_clock, webhook_endpoints,
};
use crate::app::Shared;
use crate::error::Reason;
use crate::http::access::Right::{
    self, Known, Project, ProjectAdmin, SignedIn, TeamAdmin, TeamKnown, TeamMember, TeamReader,
    TeamWriter,
};
use crate::http::route::{Route, router};
use crate::http::serve::{Limits, harden};
use crate::http::two_origins::separate;
use crate::http::{openapi, request_id};
use crate::links as share_links;
use crate::pages;
use crate::portal as own_pages;
use crate::webhooks;

/// What does not wait behind other requests when there are too many connections: what Stripe tells, and what decides
/// whether a balancer or an operator lets this node live.
pub const URGENT: [&str; 3] = ["/api/webhooks/", "/healthz", "/readyz"];

/// The largest body of a call that anybody may make, in bytes: whoever holds on to many holds little.
const SMALL: usize = 16 * 1024;

/// Anybody may call; the handler itself asks for a password, a token or a signature.
const OPEN: Option<Right> = None;

macro_rules! table {
    ($($method:ident $path:literal $($handler:ident)::+, $right:expr, $reasons:expr $(, $largest_body:expr)?;)*) => {
        vec![$(
            Route::new(Method::$method, $path, $right, $reasons, routes!($($handler)::+::handle))
                $(.with_largest_body($largest_body))?
        ),*]
    };
}

macro_rules! pages {
    ($($method:ident $path:literal $($handler:ident)::+, $right:expr;)*) => {
        vec![$(
            Route::page(Method::$method, $path, $right, on(MethodFilter::$method, $($handler)::+))
        ),*]
    };
}

/// Every route.
pub fn table() -> Vec<Route> {
    let mut routes = calls();
    routes.extend(for_people());
    routes
}

/// Every call: method, path, handler, who may call it, how it may refuse, and its largest body where
/// that is not the usual one.
pub fn calls() -> Vec<Route> {
    let mut routes = in_projects();
    routes.extend(webhooks_out());
    routes.extend(elsewhere());
    routes
}

/// Every page: method, path, handler, and who may see it or send it.
pub fn for_people() -> Vec<Route> {
    let mut pages = anywhere();
    pages.extend(of_projects());
    pages
}

fn anywhere() -> Vec<Route> {
    use pages::{accept, account, find, home, setup, sign_in, sign_out, teams};
    pages! {
        GET "/" home::handle, SignedIn;
        GET "/setup" setup::show, OPEN;
        POST "/setup" setup::enter, OPEN;
        GET "/sign-in" sign_in::show, OPEN;
        POST "/sign-in" sign_in::enter, OPEN;
        GET "/sign-in/{ticket}" sign_in::once::enter, OPEN;
        GET "/accept" accept::show, OPEN;
        POST "/accept" accept::join, SignedIn;
        POST "/accept/new" accept::enter, OPEN;
        POST "/sign-out" sign_out::handle, OPEN;
        GET "/account" account::show, SignedIn;
        POST "/account/theme" account::theme::handle, SignedIn;
        POST "/account/password" account::password::handle, SignedIn;
        POST "/account/sessions" account::sessions::handle, SignedIn;
        POST "/account/keys" account::single_keys::handle, SignedIn;
        GET "/find" find::show, SignedIn;
        GET "/go/{id}" find::go, SignedIn;
        GET "/t" teams::show, SignedIn;
        POST "/t" teams::create, SignedIn;
        GET "/t/{teamId}" teams::projects::show, TeamMember;
        POST "/t/{teamId}" teams::projects::create, TeamAdmin;
        POST "/t/{teamId}/leave" teams::members::leave, TeamMember;
        GET "/t/{teamId}/members" teams::members::show, TeamAdmin;
        POST "/t/{teamId}/members" teams::members::invite, TeamAdmin;
        POST "/t/{teamId}/members/kept" teams::members::kept, TeamAdmin;
        POST "/t/{teamId}/members/uninvite" teams::members::uninvite, TeamAdmin;
        POST "/t/{teamId}/members/role" teams::members::change, TeamAdmin;
        POST "/t/{teamId}/members/remove" teams::members::remove, TeamAdmin;
        GET "/t/{teamId}/activity" teams::activity::show, TeamAdmin;
        GET "/t/{teamId}/status" teams::status::show, TeamAdmin;
        GET "/t/{teamId}/keys" teams::keys::show, TeamAdmin;
        POST "/t/{teamId}/keys" teams::keys::create, TeamAdmin;
        POST "/t/{teamId}/keys/revoke" teams::keys::revoke, TeamAdmin;
        POST "/t/{teamId}/keys/kept" teams::keys::kept, TeamAdmin;
    }
}

fn of_projects() -> Vec<Route> {
    use pages::teams;
    pages! {
        GET "/t/{teamId}/p/{projectId}" teams::project::overview::show, Project(ReferralsRead);
        GET "/t/{teamId}/p/{projectId}/start" teams::project::start::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/start/stripe" teams::project::start::connect, ProjectAdmin(ReferralsWrite);
        POST "/t/{teamId}/p/{projectId}/start/key" teams::project::start::make_key, ProjectAdmin(ReferralsWrite);
        POST "/t/{teamId}/p/{projectId}/start/kept" teams::project::start::kept, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/start/skip" teams::project::start::skip, Project(ReferralsRead);
        GET "/t/{teamId}/stripe" teams::stripe::show, TeamAdmin;
        POST "/t/{teamId}/stripe" teams::stripe::connect::handle, TeamAdmin;
        POST "/t/{teamId}/stripe/roll" teams::stripe::roll::handle, TeamAdmin;
        POST "/t/{teamId}/stripe/disconnect" teams::stripe::disconnect::handle, TeamAdmin;
        GET "/t/{teamId}/stripe/events" teams::stripe::events::show, TeamWriter;
        GET "/t/{teamId}/stripe/events/{id}" teams::stripe::events::one::show, TeamWriter;
        POST "/t/{teamId}/stripe/events/{id}" teams::stripe::events::one::replay, TeamAdmin;
        GET "/t/{teamId}/p/{projectId}/attention" teams::project::attention::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/attention" teams::project::attention::dismiss, Project(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/credits" teams::project::credits::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/credits" teams::project::credits::picked::handle, Project(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/credits/move" teams::project::credits::confirm::show, Project(ReferralsWrite);
        POST "/t/{teamId}/p/{projectId}/credits/move" teams::project::credits::confirm::act, Project(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/credits/{id}" teams::project::credits::one::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/credits/{id}" teams::project::credits::one::act, Project(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/credits/moved/{id}" teams::project::credits::picked::show, Project(ReferralsRead);
        GET "/t/{teamId}/p/{projectId}/referrals" teams::project::referrals::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/referrals" teams::project::referrals::checked::handle, Project(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/referrals/checked/{id}" teams::project::referrals::checked::show, Project(ReferralsRead);
        GET "/t/{teamId}/p/{projectId}/referrals/{id}" teams::project::referrals::one::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/referrals/{id}" teams::project::referrals::one::check, Project(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/program" teams::project::program::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/program" teams::project::program::change, Project(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/clicks" teams::project::clicks::show, Project(ReferralsRead);
        GET "/t/{teamId}/p/{projectId}/codes" teams::project::codes::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/codes" teams::project::codes::create, Project(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/codes/{id}" teams::project::codes::one::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/codes/{id}" teams::project::codes::one::change, Project(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/reports" teams::project::reports::show, Project(ReferralsRead);
        GET "/t/{teamId}/p/{projectId}/reports/bookings" teams::project::reports::bookings::show, Project(ReferralsRead);
        GET "/t/{teamId}/p/{projectId}/reports/{id}" teams::project::reports::one::show, Project(ReferralsRead);
        GET "/t/{teamId}/p/{projectId}/links" teams::project::links::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/links" teams::project::links::save, ProjectAdmin(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/portal" teams::project::portal::show, Project(ReferralsRead);
        POST "/t/{teamId}/p/{projectId}/portal" teams::project::portal::save, ProjectAdmin(ReferralsWrite);
        POST "/t/{teamId}/p/{projectId}/portal/end-sessions" teams::project::portal::end_sessions, ProjectAdmin(ReferralsWrite);
        GET "/t/{teamId}/p/{projectId}/webhooks" teams::project::webhooks::show, Project(WebhooksRead);
        POST "/t/{teamId}/p/{projectId}/webhooks" teams::project::webhooks::create, Project(WebhooksWrite);
        GET "/t/{teamId}/p/{projectId}/webhooks/{endpointId}" teams::project::webhooks::one::show, Project(WebhooksRead);
        POST "/t/{teamId}/p/{projectId}/webhooks/{endpointId}" teams::project::webhooks::acts::save, Project(WebhooksWrite);
        POST "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/test" teams::project::webhooks::trial::send, Project(WebhooksWrite);
        POST "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/rotate" teams::project::webhooks::acts::rotate, Project(WebhooksWrite);
        POST "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/kept" teams::project::webhooks::acts::kept, Project(WebhooksWrite);
        POST "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/enable" teams::project::webhooks::acts::enable, Project(WebhooksWrite);
        POST "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/disable" teams::project::webhooks::acts::disable, Project(WebhooksWrite);
        GET "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/replay" teams::project::webhooks::replay::counted, Project(WebhooksWrite);
        POST "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/replay" teams::project::webhooks::replay::range, Project(WebhooksWrite);
        POST "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/delete" teams::project::webhooks::acts::delete, Project(WebhooksWrite);
        GET "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/deliveries/{id}" teams::project::webhooks::delivery::show, Project(WebhooksRead);
        POST "/t/{teamId}/p/{projectId}/webhooks/{endpointId}/deliveries/{id}" teams::project::webhooks::delivery::send, Project(WebhooksWrite);
        GET "/t/{teamId}/p/{projectId}/customers" teams::project::customers::show, Project(CustomersRead);
        POST "/t/{teamId}/p/{projectId}/customers" teams::project::customers::create::handle, Project(CustomersWrite);
        GET "/t/{teamId}/p/{projectId}/customers/{id}" teams::project::customers::one::show, Project(CustomersRead);
        POST "/t/{teamId}/p/{projectId}/customers/{id}" teams::project::customers::edit::handle, Project(CustomersWrite);
        POST "/t/{teamId}/p/{projectId}/customers/{id}/erase" teams::project::customers::erase::handle, Project(CustomersWrite);
        POST "/t/{teamId}/p/{projectId}/customers/{id}/portal" teams::project::customers::own_page::handle, Project(ReferralsRead);
    }
}

fn in_projects() -> Vec<Route> {
    use Reason::*;
    table! {
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/customers" customers::list, Project(CustomersRead), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/customers" customers::create, Project(CustomersWrite), customers::create::REASONS;
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/customers/{id}" customers::get, Project(CustomersRead), &[CustomerNotFound];
        PATCH "/api/billstack/teams/{teamId}/projects/{projectId}/customers/{id}" customers::update, Project(CustomersWrite), customers::update::REASONS;
        DELETE "/api/billstack/teams/{teamId}/projects/{projectId}/customers/{id}" customers::erase, Project(CustomersWrite), &[CustomerNotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/customers/{id}/credit-balance" customers::credit_balance, Project(ReferralsRead), &[CustomerNotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/customers/{id}/credit-statement" customers::credit_statement, Project(ReferralsRead), &[CustomerNotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/customers/{id}/credit-statement/export" customers::credit_statement::export, Project(ReferralsRead), &[CustomerNotFound];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/customers/{id}/portal-sessions" customers::portal_sessions, Project(ReferralsRead), &[CustomerNotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/config" referrals::config::get, Project(ReferralsRead), &[];
        PUT "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/config" referrals::config::put, Project(ReferralsWrite), &[StripeKeyRequired];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/codes" referrals::codes::list, Project(ReferralsRead), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/codes" referrals::codes::create, Project(ReferralsWrite), referrals::codes::create::REASONS;
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/codes/{code}" referrals::codes::get, Project(ReferralsRead), &[CodeNotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/codes/{code}/clicks" referrals::codes::clicks, Project(ReferralsRead), &[CodeNotFound];
        PATCH "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/codes/{code}" referrals::codes::rename, Project(ReferralsWrite), referrals::codes::rename::REASONS;
        DELETE "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/codes/{code}" referrals::codes::deactivate, Project(ReferralsWrite), &[CodeNotFound];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/apply" referrals::apply, Project(ReferralsRead), referrals::apply::REASONS;
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals" referrals::list, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/credits" referrals::credits::list, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/credits/{id}" referrals::credits::get, Project(ReferralsRead), &[CreditNotFound];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/credits" referrals::credits::create, Project(ReferralsWrite), &[CustomerNotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/credits/{id}/postings" referrals::credits::postings, Project(ReferralsRead), &[CreditNotFound];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/credits/{id}/release" referrals::credits::release, Project(ReferralsWrite), referrals::credits::REASONS_OF_MOVES;
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/credits/{id}/reverse" referrals::credits::reverse, Project(ReferralsWrite), referrals::credits::REASONS_OF_MOVES;
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/credits/{id}/settle" referrals::credits::settle, Project(ReferralsWrite), referrals::credits::REASONS_OF_MOVES;
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/credits/{id}/retry" referrals::credits::retry, Project(ReferralsWrite), &[CreditNotFound, IllegalTransition];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/credits/{id}/deliver" referrals::credits::deliver, Project(ReferralsWrite), &[CreditNotFound, IllegalTransition, StripeKeyRequired];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/liability" referrals::liability, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/roll-forward" referrals::roll_forward, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/exports/credits" referrals::exports::credits, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/exports/referrals" referrals::exports::referrals, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/exports/clicks" referrals::exports::clicks, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/exports/codes" referrals::exports::codes, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/exports/postings" referrals::exports::postings, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/exports/roll-forward" referrals::exports::roll_forward, Project(ReferralsRead), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/verify" referrals::verify, Project(ReferralsWrite), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/reconcile" referrals::reconcile::start, Project(ReferralsWrite), &[StripeKeyRequired];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/reconcile/{runId}" referrals::reconcile::get, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/stats" referrals::stats, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/overview" referrals::overview, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/{id}" referrals::get, Project(ReferralsRead), &[ReferralNotFound];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/{id}/recheck" referrals::recheck, Project(ReferralsWrite), &[ReferralNotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/referrals/{id}/events" referrals::story, Project(ReferralsRead), &[ReferralNotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/events" events, Project(ReferralsRead), &[EventNotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/reports" reports::list, Project(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/reports/{month}" reports, Project(ReferralsRead), &[InvalidRequest, NotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/attention" attention, Project(ReferralsRead), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/attention/{id}/dismiss" attention::dismiss, Project(ReferralsWrite), &[NotFound];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/links/settings" links::settings::get, Project(ReferralsRead), &[];
        PUT "/api/billstack/teams/{teamId}/projects/{projectId}/links/settings" links::settings::put, ProjectAdmin(ReferralsWrite), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/portal/settings" portal::settings::get, Project(ReferralsRead), &[];
        PUT "/api/billstack/teams/{teamId}/projects/{projectId}/portal/settings" portal::settings::put, ProjectAdmin(ReferralsWrite), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/portal/end-sessions" portal::end_sessions, ProjectAdmin(ReferralsWrite), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/test-clock" test_clock::get, Project(ReferralsRead), &[NotATestProject];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/test-clock/advance" test_clock::advance, Project(ReferralsWrite), &[NotATestProject];
    }
}

fn webhooks_out() -> Vec<Route> {
    use Reason::*;
    use webhook_endpoints::deliveries;
    table! {
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints" webhook_endpoints::list, Project(WebhooksRead), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints" webhook_endpoints::create, Project(WebhooksWrite), webhook_endpoints::create::REASONS;
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}" webhook_endpoints::get, Project(WebhooksRead), &[];
        PATCH "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}" webhook_endpoints::update, Project(WebhooksWrite), &[WebhookAddressNotAllowed];
        DELETE "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}" webhook_endpoints::delete, Project(WebhooksWrite), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}/test" webhook_endpoints::test, Project(WebhooksWrite), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}/rotate-secret" webhook_endpoints::rotate_secret, Project(WebhooksWrite), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}/enable" webhook_endpoints::enable, Project(WebhooksWrite), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}/disable" webhook_endpoints::disable, Project(WebhooksWrite), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}/replay" webhook_endpoints::replay, Project(WebhooksWrite), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}/deliveries" deliveries::list, Project(WebhooksRead), &[];
        GET "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}/deliveries/{id}" deliveries::get, Project(WebhooksRead), &[];
        POST "/api/billstack/teams/{teamId}/projects/{projectId}/webhook-endpoints/{endpointId}/deliveries/{id}/replay" deliveries::replay, Project(WebhooksWrite), &[];
    }
}

fn elsewhere() -> Vec<Route> {
    use Reason::*;
    table! {
        GET "/api/public/teams/{teamId}/projects/{projectId}/offer" public::offer, OPEN, &[TooManyRequests];
        GET "/api/portal/me" portal::me, OPEN, portal::REASONS;
        GET "/api/portal/referrals" portal::referrals, OPEN, portal::REASONS;
        GET "/api/portal/credits" portal::credits, OPEN, portal::REASONS;
        POST "/api/portal/code" portal::code, OPEN, portal::code::REASONS, SMALL;
        POST "/api/auth/sign-up/email" auth::sign_up, OPEN, auth::sign_up::REASONS, SMALL;
        POST "/api/auth/sign-in/email" auth::sign_in, OPEN, auth::sign_in::REASONS, SMALL;
        POST "/api/auth/sign-out" auth::sign_out, OPEN, &[CrossSiteRequest], SMALL;
        GET "/api/auth/get-session" auth::get_session, OPEN, &[];
        POST "/api/auth/change-password" auth::change_password, SignedIn, auth::change_password::REASONS;
        GET "/api/auth/preferences" auth::preferences::get, SignedIn, &[];
        PUT "/api/auth/preferences" auth::preferences::put, SignedIn, &[];
        POST "/api/auth/end-other-sessions" auth::end_other_sessions, SignedIn, &[];
        POST "/api/auth/accept-invitation" auth::accept_invitation, SignedIn, auth::accept_invitation::REASONS;
        GET "/api/billstack/caller" caller, Known, &[];
        GET "/api/billstack/find" find, Known, &[];
        GET "/api/billstack/find/{id}" find::resolve, Known, &[NotFound];
        GET "/api/billstack/teams" teams::list, SignedIn, &[];
        POST "/api/billstack/teams" teams::create, SignedIn, &[];
        GET "/api/billstack/teams/{teamId}/projects" teams::projects::list, TeamKnown, &[];
        POST "/api/billstack/teams/{teamId}/projects" teams::projects::create, TeamAdmin, &[];
        GET "/api/billstack/teams/{teamId}/activity" teams::activity, TeamAdmin, &[];
        GET "/api/billstack/teams/{teamId}/activity.csv" teams::activity::csv, TeamAdmin, &[];
        GET "/api/billstack/teams/{teamId}/status" teams::status, TeamAdmin, &[];
        GET "/api/billstack/teams/{teamId}/members" teams::members::list, TeamAdmin, &[];
        PATCH "/api/billstack/teams/{teamId}/members/{userId}" teams::members::update, TeamAdmin, teams::members::update::REASONS;
        DELETE "/api/billstack/teams/{teamId}/members/{userId}" teams::members::remove, TeamMember, teams::members::remove::REASONS;
        GET "/api/billstack/teams/{teamId}/invitations" teams::invitations::list, TeamAdmin, &[];
        POST "/api/billstack/teams/{teamId}/invitations" teams::invitations::create, TeamAdmin, teams::invitations::create::REASONS;
        DELETE "/api/billstack/teams/{teamId}/invitations/{id}" teams::invitations::revoke, TeamAdmin, &[NotFound];
        GET "/api/billstack/teams/{teamId}/api-keys" teams::api_keys::list, TeamAdmin, &[];
        POST "/api/billstack/teams/{teamId}/api-keys" teams::api_keys::create, TeamAdmin, teams::api_keys::create::REASONS;
        DELETE "/api/billstack/teams/{teamId}/api-keys/{keyId}" teams::api_keys::revoke, TeamAdmin, &[NotFound];
        POST "/api/billstack/teams/{teamId}/stripe/connect" stripe::connect, TeamAdmin, stripe::connect::REASONS;
        GET "/api/billstack/teams/{teamId}/stripe/status" stripe::status, TeamAdmin, &[];
        GET "/api/billstack/teams/{teamId}/stripe/webhook-url" stripe::webhook_url, TeamAdmin, &[];
        POST "/api/billstack/teams/{teamId}/stripe/disconnect" stripe::disconnect, TeamAdmin, &[StripeNotConnected];
        POST "/api/billstack/teams/{teamId}/stripe/roll-webhook-secret" stripe::roll_webhook_secret, TeamAdmin, &[StripeNotConnected];
        GET "/api/billstack/teams/{teamId}/stripe/events" stripe::events::list, TeamReader(ReferralsRead), &[];
        GET "/api/billstack/teams/{teamId}/stripe/events/{id}" stripe::events::get, TeamReader(ReferralsRead), &[EventNotFound];
        POST "/api/billstack/teams/{teamId}/stripe/events/{id}/replay" stripe::events::replay, TeamAdmin, stripe::events::replay::REASONS;
        POST "/api/webhooks/stripe/{teamId}" webhooks::stripe, OPEN, &[NotFound, InvalidSignature, NotAnEvent, StripeUnavailable], webhooks::stripe::LARGEST_EVENT;
        GET "/healthz" operations::health, OPEN, &[];
        GET "/readyz" operations::ready, OPEN, &[WrongSecretKey];
        GET "/metrics" operations::metrics, OPEN, &[Unauthenticated, Forbidden];
        GET "/openapi.json" operations::openapi, OPEN, &[];
    }
}

/// The API document, as it is served and printed.
pub fn document() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| openapi::text(calls(), webhooks::out::document::webhooks()));
    &TEXT
}

/// The whole server: routes, and around them what every answer needs.
pub fn app(app: &Shared, limits: &Limits) -> Router {
    let people = from_fn_with_state(app.clone(), pages::dress);
    let routes = router(calls(), app)
        .merge(router(for_people(), app).layer(people))
        .route("/assets/{hash}/{name}", get(pages::asset))
        .route("/r/{code}", get(share_links::of_first))
        .route("/r/{slug}/{code}", get(share_links::of_project))
        .route("/r/{code}/qr.svg", get(share_links::qr::svg_of_first))
        .route("/r/{code}/qr.png", get(share_links::qr::png_of_first))
        .route("/r/{slug}/{code}/qr.svg", get(share_links::qr::svg))
        .route("/r/{slug}/{code}/qr.png", get(share_links::qr::png))
        .route("/api/portal/me", options(own_pages::preflight))
        .route("/api/portal/referrals", options(own_pages::preflight))
        .route("/api/portal/credits", options(own_pages::preflight))
        .route("/api/portal/code", options(own_pages::preflight))
        .route(
            "/api/public/teams/{teamId}/projects/{projectId}/offer",
            options(own_pages::preflight),
        )
        .route("/portal", get(own_pages::page))
        .route("/portal/code", post(own_pages::code))
        .route("/portal/view", get(own_pages::fragment))
        .route("/portal/theme.css", get(own_pages::theme))
        .route("/portal/assets/{hash}/portal.css", get(own_pages::style))
        .route("/portal/assets/{hash}/icon.svg", get(own_pages::icon))
        .route("/portal/enter/{ticket}", get(own_pages::enter))
        .route("/embed/v1.js", get(own_pages::element))
        .route(
            "/embed/assets/{hash}/frame.js",
            get(own_pages::frame_script),
        )
        .route("/embed/{teamId}/{projectId}", get(own_pages::frame))
        .route("/embed/{teamId}/{projectId}/sample", get(own_pages::sample))
        .route("/docs", get(docs::index))
        .route("/docs/", get(docs::index))
        .route("/docs/{*file}", get(docs::asset))
        .fallback(pages::nowhere)
        .with_state(app.clone());
    let routes = match app.settings.public_url {
        Some(_) => routes.layer(from_fn_with_state(app.clone(), separate)),
        None => routes,
    };
    harden(routes, limits, request_id::fresh, pages::dresser(app))
}
