//! Each step: whether it is done, and what is to do.

use billstack_core::stripe_access::EVENTS;
use billstack_store::customers::Customer;
use maud::{Markup, html};

use super::Shown;
use super::blocks::{Calls, block};
use super::facts::Step;
use super::forms::path;
use crate::api::teams::stripe::events::cure_of;
use crate::pages::parts::form::{Field, Kind, fault, field, once, submit};
use crate::pages::parts::lock::Need;
use crate::pages::parts::notice::copyable;
use crate::pages::parts::time::moment;
use crate::pages::shown::panels;
use crate::pages::teams::project::address;
use crate::webhooks::stripe::Lately;

impl Shown<'_> {
    /// What a script compares to see whether there is news; nothing where nothing is waited for.
    pub(super) fn state(&self) -> Option<String> {
        let waits = |step| !self.facts.is_done(step);
        let is_waiting = self.facts.is_connected && (waits(Step::Event) || waits(Step::Conversion));
        let event = self.facts.event.as_ref();
        let refused: u64 = self.facts.refused.iter().map(|one| one.count).sum();
        is_waiting.then(|| {
            let event = event.map_or("none", |event| event.id.as_str());
            let done = Step::ALL.map(|step| u8::from(self.facts.is_done(step)).to_string());
            format!("{event}.{refused}.{}", done.concat())
        })
    }

    pub(super) fn step(&self, step: Step) -> Markup {
        let (is_done, is_skipped) = (self.facts.is_done(step), self.skipped.contains(&step));
        let open = !is_done && !is_skipped;
        html! {
            li.done[is_done] id=(step.as_str()) {
                h2 { (step.title()) " "
                    @if is_done { span.state.on { "Done" } }
                    @else if is_skipped { span.state.ended { "Skipped" } }
                    @else { span.state.off { "To do" } }
                }
                @if open { (self.work(step)) } @else { (self.result(step)) }
                @if !is_done { (self.skipping(step, is_skipped)) }
            }
        }
    }

    fn skipping(&self, step: Step, is_skipped: bool) -> Markup {
        let label = match is_skipped {
            true => "Bring back",
            false => "Skip",
        };
        html! {
            form method="post" action={ (path(self.place)) "/skip" } {
                input type="hidden" name="step" value=(step.as_str());
                button.plain { (label) span.hidden { ": " (step.title()) } }
            }
        }
    }

    /// What there is to see of a step that is done.
    fn result(&self, step: Step) -> Markup {
        let base = address(&self.place.team_id, &self.place.project_id);
        match step {
            Step::Event if self.facts.event.is_some() => self.newest(),
            Step::Key if !self.keys.is_empty() => self.new_key(),
            Step::Try if self.facts.has_referral => {
                html! {
                    p { a href={ (base) "/referrals" } { "See it" } }
                    details open[!self.keys.is_empty()] { summary { "The commands" } (self.try_it()) }
                }
            }
            Step::Conversion if self.facts.has_converted => {
                html! { p { a href={ (base) "/referrals?status=converted" } { "See it" } } }
            }
            _ => html! {},
        }
    }

    fn work(&self, step: Step) -> Markup {
        match step {
            Step::Project => html! {},
            Step::Stripe => self.stripe(),
            Step::Event => self.event(),
            Step::Program => self.program(),
            Step::Key => self.make_key(),
            Step::Try => self.try_it(),
            Step::Conversion => self.conversion(),
            Step::Share => self.share(),
        }
    }

    fn stripe(&self) -> Markup {
        let url = self.app.webhook_url(&self.place.team_id);
        if self.app.is_local() {
            return self.stripe_here(&url);
        }
        html! {
            ol.small-steps {
                li { "In Stripe, make a webhook endpoint at this address: " (copyable(&url)) }
                li { "Let it send these events:" (block("Events", &EVENTS.join("\n"))) }
                li { "Paste its signing secret here. It is kept encrypted and never shown." (self.secret("Connect")) }
            }
            p.quiet { "With a restricted key of Stripe this is one step: " a href={ "/t/" (self.place.team_id) "/stripe" } { "connect by key" } "." }
        }
    }

    /// The same where Stripe cannot reach this server.
    fn stripe_here(&self, url: &str) -> Markup {
        let events = EVENTS.join(",");
        let forward = format!("stripe listen --events {events} --forward-to {url}");
        html! {
            p { "Stripe cannot reach this machine: " code { (url) } " is an address that it alone has." }
            ol.small-steps {
                li { "Let the " a href="https://docs.stripe.com/stripe-cli" { "Stripe CLI" } " bring its events here, and keep it running:"
                    (block("On this machine", &forward)) }
                li { "Paste the signing secret that it prints. It is kept encrypted and never shown." (self.secret("Connect")) }
            }
            p.quiet { "A server that Stripe reaches has its own address in " code { "BILLSTACK_BASE_URL" } "." }
        }
    }

    /// The field for the secret, to connect or to mend a connection.
    fn secret(&self, label: &str) -> Markup {
        let (typed, error) = self.sent;
        let error = error.filter(|_| typed.has("webhookSecret"));
        html! {
            (fault(error, &["webhookSecret"]))
            form method="post" action={ (path(self.place)) "/stripe" } {
                (self.view.lock(Need::Admin).around(html! {
                    (once())
                    (field(&Field { label: "Signing secret", name: "webhookSecret", kind: Kind::Password,
                        hint: Some("It begins with whsec_."), ..Field::default() }, typed, error))
                    (submit(label))
                }))
            }
        }
    }

    fn event(&self) -> Markup {
        let url = self.app.webhook_url(&self.place.team_id);
        html! {
            @if !self.facts.is_connected {
                p { "Connect Stripe first." }
            } @else if self.facts.refused.is_empty() {
                @if self.app.is_local() {
                    p { "No event has reached this server since the secret was set. Stripe cannot reach this machine: is "
                        code { "stripe listen --forward-to " (url) } " running? Then " code { "stripe trigger customer.subscription.created" }
                        " sends one." }
                } @else {
                    p { "No event has reached this server since the secret was set. In Stripe, let the endpoint send a test event, "
                        "or do anything that it sends events of. From outside, is " code { (url) } " open?" }
                }
                (self.look_again())
            } @else {
                @for one in &self.facts.refused { (refused(one)) }
                (self.look_again())
                details { summary { "Set the secret again" } (self.secret("Keep this secret")) }
            }
        }
    }

    fn look_again(&self) -> Markup {
        html! { p { a.button href=(path(self.place)) { "Check again" } } }
    }

    /// The latest event, and what became of it.
    fn newest(&self) -> Markup {
        let Some(event) = &self.facts.event else {
            return html! {};
        };
        let (means, cure) = cure_of(&event.settled);
        html! {
            p { "The latest: "
                @if self.view.can_write() {
                    a href={ "/t/" (self.place.team_id) "/stripe/events/" (event.id) } { code { (event.kind) } }
                } @else { code { (event.kind) } }
                ", " (moment(event.received_at)) ". " (means) " " (cure) }
        }
    }

    fn program(&self) -> Markup {
        let base = address(&self.place.team_id, &self.place.project_id);
        html! {
            p { "Say what each side gets, and switch the program on. Codes can be applied from then on." }
            p { a.button href={ (base) "/program" } { "Set up the program" } }
        }
    }

    fn make_key(&self) -> Markup {
        let (typed, error) = self.sent;
        let error = error.filter(|_| typed.has("name"));
        html! {
            p { "Your backend calls with a key. This one is good for this project, and may do everything there." }
            (fault(error, &["name"]))
            form method="post" action={ (path(self.place)) "/key" } {
                (self.view.lock(Need::Admin).around(html! {
                    (once())
                    input type="hidden" name="projectId" value=(self.place.project_id);
                    (field(&Field { label: "Name", name: "name", hint: Some("Such as the program that will use it."),
                        ..Field::default() }, typed, error))
                    (submit("Make the key"))
                }))
            }
        }
    }

    fn new_key(&self) -> Markup {
        panels(
            "Your new key",
            &self.keys,
            "The commands below carry it.",
            &format!("{}/kept", path(self.place)),
        )
    }

    fn try_it(&self) -> Markup {
        let place = self.place;
        let (base, key) = (self.app.base_url(), self.keys.last());
        let key = key.map(|key| key.text.as_str());
        let api = format!(
            "{base}/api/billstack/teams/{}/projects/{}",
            place.team_id, place.project_id
        );
        let calls = Calls { api: &api, key };
        html! {
            p { "Run these one after another in the same " code { "bash" } "." }
            @if key.is_none() { p.quiet { "Set " code { "BILLSTACK_KEY" } " to your key before." } }
            (block("1. Two customers", &calls.customers()))
            (block("2. A code for who recommends", &calls.code()))
            (block("3. Who is new applies it", &calls.apply()))
            details { summary { "The same in your server" } (block("Node", &calls.server())) }
        }
    }

    fn conversion(&self) -> Markup {
        html! {
            p { "Let who is new subscribe in Stripe. A checkout session says whose it is by their id here"
                @if let Some(friend) = &self.facts.friend { ", " (copyable(&friend.id)) }
                ":" }
            ul {
                li { code { "client_reference_id" } " on the session, or on a payment link" }
                li { code { "metadata.billstackCustomerId" } " on the session or the subscription, or the customer's Stripe id here" }
            }
            p.quiet { "As soon as the event is here, the referral converts and both sides have their credits." }
            @if let (Some(friend), true) = (&self.facts.friend, self.facts.is_connected) {
                p { "Without an account of Stripe, tell it yourself. Set " code { "STRIPE_WEBHOOK_SECRET" }
                    " to the signing secret that you pasted above, and run this in " code { "bash" } ":" }
                (block("What Stripe would send", &self.event_of(friend)))
            }
            @if self.facts.is_connected { (self.look_again()) }
        }
    }

    fn event_of(&self, friend: &Customer) -> String {
        let url = self.app.webhook_url(&self.place.team_id);
        Calls::event(&url, friend)
    }

    fn share(&self) -> Markup {
        let base = address(&self.place.team_id, &self.place.project_id);
        html! {
            p { "Not needed, and good for reach: " a href={ (base) "/links" } { "links to share" } ", and a "
                a href={ (base) "/portal" } { "page on which customers see what they brought" } "." }
        }
    }
}

/// How many calls were refused, when, and what that means.
fn refused(one: &Lately) -> Markup {
    let calls = match one.count {
        1 => "1 call".to_owned(),
        count => format!("{count} calls"),
    };
    html! {
        p.notice.bad { (calls) " within the last hour came with a wrong signature, the last one " (moment(one.last)) ": "
            (one.why.advice()) "." }
    }
}
