//! What the log tells of a deed, as people say it: what was done, by whom, and with which facts.

use std::collections::BTreeMap;

use billstack_core::credit::CreditStatus;
use billstack_core::event::Event;
use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::ledger::Cause;
use billstack_core::money::Currency;
use billstack_core::referral::Status;
use billstack_core::time::Micros;
use billstack_store::credits::Posting;
use maud::{Markup, html};
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value};

use super::deed_names::fact;
use super::people::People;
use super::time::moment;
use super::words;
use crate::api::actors::{actor_of, booked_by, someone};
use crate::pages::dress::PLAIN;
use crate::pages::teams::project::address;
use crate::pages::view::View;

/// Who reads a deed, and where it stands: what they may not open is not a link.
#[derive(Clone, Copy)]
pub(in crate::pages) struct Reader<'v> {
    can_write: bool,
    can_administer: bool,
    team_id: &'v TeamId,
    people: Option<&'v People>,
}

impl<'v> Reader<'v> {
    /// Whoever looks at a page of this team.
    pub(in crate::pages) fn new(view: &View, team_id: &'v TeamId) -> Reader<'v> {
        Reader {
            can_write: view.can_write(),
            can_administer: view.can_administer(),
            team_id,
            people: None,
        }
    }

    /// With the names of customers that are looked up.
    pub(in crate::pages) fn knowing(self, people: &'v People) -> Reader<'v> {
        Reader {
            people: Some(people),
            ..self
        }
    }

    /// Who did it: a person or a key by name where that is known, with the way to them.
    pub(in crate::pages) fn actor(&self, actor: &str, name: Option<&str>) -> Markup {
        let (kind, id) = actor.split_once(':').unwrap_or((actor, ""));
        let someone = someone(actor);
        match kind {
            "user" | "api_key" if self.can_administer => {
                html! { a href=(go(id)) { (name.unwrap_or(someone)) } }
            }
            "customer" => html! { a href=(go(id)) { (someone) } },
            "stripe" => self.event(someone, id),
            _ => html! { (someone) },
        }
    }

    /// Who made a booking, or what, like [`Reader::actor`].
    pub(in crate::pages) fn booked_by(
        &self,
        posting: &Posting,
        names: &BTreeMap<String, String>,
    ) -> Markup {
        match actor_of(posting) {
            Some(actor) => self.actor(actor, names.get(actor).map(String::as_str)),
            None if posting.cause == Cause::Event => {
                self.event(booked_by(posting, None), &posting.cause_id)
            }
            None => html! { (booked_by(posting, None)) },
        }
    }

    /// An event of Stripe, which many of a table may be: for those who hear it, it has its id.
    fn event(&self, called: &str, id: &str) -> Markup {
        html! {
            @if self.can_write { a href=(go(id)) { (called) span.hidden { ", event " (id) } } }
            @else { (called) }
        }
    }

    /// What a deed was done to, with the way there.
    pub(in crate::pages) fn subject(
        &self,
        kind: &str,
        project: Option<&ProjectId>,
        id: &str,
    ) -> Markup {
        let of_project = project.map(|project| address(self.team_id, project));
        let place = match (kind.split('.').next(), of_project) {
            (Some("program" | "budget"), Some(project)) => format!("{project}/program"),
            (Some("links"), Some(project)) => format!("{project}/links"),
            (Some("portal"), Some(project)) => format!("{project}/portal"),
            (Some("attention"), Some(project)) => format!("{project}/attention"),
            (Some("invitation" | "member"), _) => format!("/t/{}/members", self.team_id),
            (Some("stripe"), _) => format!("/t/{}/stripe", self.team_id),
            _ => go(id),
        };
        html! { a href=(place) { code { (id) } } }
    }

    /// The request a deed was done in, which leads to all that it did.
    pub(in crate::pages) fn request(&self, id: &str) -> Markup {
        let encoded = utf8_percent_encode(id, &PLAIN);
        html! {
            @if self.can_administer {
                a href={ "/t/" (self.team_id) "/activity?requestId=" (encoded) } { code { (id) } }
            } @else { code { (id) } }
        }
    }

    /// The facts of a deed, a name and a value each; with what they were before where that is known and another.
    pub(in crate::pages) fn facts(&self, kind: &str, facts: &str, before: Option<&str>) -> Markup {
        let (facts, before) = (members(facts), before.map(members));
        let told = Told {
            kind,
            currency: currency(&facts),
        };
        let was = before.as_ref().map(|before| Told {
            kind,
            currency: currency(before),
        });
        let shown = facts.iter().filter(|(name, now)| match &before {
            // What stays the same is not news.
            Some(before) => before.get(*name) != Some(*now),
            None => told.is_news(name, now),
        });
        html! {
            dl.small {
                @for (name, now) in shown {
                    div { dt { (fact(name)) } dd {
                        @if let Some((was, value)) = was.as_ref().zip(before.as_ref().and_then(|before| before.get(name))) {
                            del { (self.value(was, name, value)) } " → "
                        }
                        (self.value(&told, name, now))
                    } }
                }
            }
        }
    }

    fn value(&self, told: &Told, name: &str, value: &Value) -> Markup {
        match value {
            Value::Null => html! { "none" },
            Value::Bool(true) => html! { "yes" },
            Value::Bool(false) => html! { "no" },
            Value::Number(number) => match number.as_i64() {
                Some(number) => told.number(name, number),
                None => html! { (number) },
            },
            Value::String(text) => self.text(told, name, text),
            Value::Array(all) if all.is_empty() => html! { "none" },
            Value::Array(all) => html! {
                @for (place, one) in all.iter().enumerate() {
                    @if place > 0 { ", " }
                    (self.value(told, name, one))
                }
            },
            Value::Object(parts) => html! {
                @for (place, (name, part)) in parts.iter().filter(|(_, part)| **part != 0).enumerate() {
                    @if place > 0 { ", " }
                    (fact(name).to_lowercase()) " " (self.value(told, "amount", part))
                }
            },
        }
    }

    fn text(&self, told: &Told, name: &str, text: &str) -> Markup {
        let customer = self.people.filter(|_| text.starts_with("pc_"));
        match name {
            "currency" => html! { (text.to_ascii_uppercase()) },
            "status" => told.status(text),
            _ if is_word(text) && !is_id(name, text) => html! { (text.replace('_', " ")) },
            _ if self.may_open(name, text) => html! {
                a href=(go(text)) {
                    @match customer { Some(people) => (people.name(text)), None => code { (text) } }
                }
            },
            _ if is_id(name, text) => html! { code { (text) } },
            _ => html! { (text) },
        }
    }

    /// Whether there is a page of it that the reader may see.
    fn may_open(&self, name: &str, text: &str) -> bool {
        let prefix = text.split_once('_').map_or("", |(prefix, _)| prefix);
        match (name, prefix) {
            ("code", _) | (_, "pc" | "ref" | "cr" | "proj" | "team" | "whe" | "whd") => true,
            ("stripeEventId", _) => self.can_write,
            (_, "usr" | "key") => self.can_administer,
            ("stripeCustomerId", _) | (_, "cbtxn") => true,
            _ => false,
        }
    }
}

/// The page of whatever has this id or code.
pub(in crate::pages) fn go(id: &str) -> String {
    format!("/go/{}", utf8_percent_encode(id, &PLAIN))
}

/// What the facts of one deed have in common.
struct Told<'d> {
    kind: &'d str,
    currency: Option<Currency>,
}

impl Told<'_> {
    /// A currency is told by the amounts, and nothing is told by what is not there.
    fn is_news(&self, name: &str, value: &Value) -> bool {
        let is_said = name == "currency" && self.currency.is_some();
        !(value.is_null() || is_said)
    }

    fn status(&self, word: &str) -> Markup {
        let (credit, referral) = (CreditStatus::parse(word), Status::parse(word));
        match (self.kind.split('.').next(), credit, referral) {
            (Some("credit"), Some(status), _) => words::of_credit(status),
            (Some("referral"), _, Some(status)) => words::of_referral(status),
            _ => html! { (word) },
        }
    }

    fn number(&self, name: &str, number: i64) -> Markup {
        let is_money =
            matches!(name, "amount" | "budget" | "budgetOut") || name.ends_with("Amount");
        let is_time = Event::is_time(self.kind, name);
        match self.currency.filter(|_| is_money) {
            Some(currency) => super::money::amount(number, currency),
            None if is_time => moment(Micros(number)),
            None => html! { (number) },
        }
    }
}

fn members(facts: &str) -> Map<String, Value> {
    serde_json::from_str(facts).unwrap_or_default()
}

fn currency(facts: &Map<String, Value>) -> Option<Currency> {
    facts.get("currency")?.as_str().and_then(Currency::read)
}

/// Whether it is a word of the API, and no text that somebody wrote.
fn is_word(text: &str) -> bool {
    text.contains('_')
        && text
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
}

fn is_id(name: &str, text: &str) -> bool {
    name == "code" || (name.ends_with("Id") && text.contains('_')) || name == "insteadOf"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(team_id: &TeamId) -> Reader<'_> {
        Reader {
            can_write: true,
            can_administer: false,
            team_id,
            people: None,
        }
    }

    #[test]
    fn whoever_did_it_is_told_as_its_reader_may_know() {
        let team_id = TeamId::from("team_1");
        let member = member(&team_id);
        let admin = Reader {
            can_administer: true,
            ..member
        };
        let viewer = Reader {
            can_write: false,
            ..member
        };
        let of = |reader: Reader<'_>, actor| reader.actor(actor, Some("Ada")).into_string();
        assert_eq!(of(admin, "user:usr_1"), "<a href=\"/go/usr_1\">Ada</a>");
        assert_eq!(of(member, "user:usr_1"), "somebody of the team");
        assert_eq!(of(member, "api_key:key_1"), "an API key");
        let customer = "<a href=\"/go/pc_1\">a customer</a>";
        assert_eq!(of(viewer, "customer:pc_1"), customer);
        assert!(of(member, "stripe:evt_1").starts_with("<a href=\"/go/evt_1\">Stripe<"));
        assert_eq!(of(viewer, "stripe:evt_1"), "Stripe");
        assert_eq!(of(admin, "system"), "BillStack");
    }

    fn of(kind: &str, facts: &str, before: Option<&str>) -> String {
        let team_id = TeamId::from("team_1");
        let reader = member(&team_id);
        let html = reader.facts(kind, facts, before).into_string();
        html.replace("<dl class=\"small\">", "")
            .replace("</dl>", "")
    }

    #[test]
    fn an_amount_has_its_currency_and_a_time_is_a_time() {
        let facts =
            r#"{"amount":1000,"currency":"usd","heldUntil":1797221749663886,"reason":null}"#;
        let html = of("credit.granted", facts, None);
        assert!(html.contains(">10.00 USD<"), "{html}");
        assert!(
            html.contains(">Held until</dt><dd><time datetime=\"2026-12-14T"),
            "{html}"
        );
        assert!(
            !html.contains("Currency") && !html.contains("Reason"),
            "{html}"
        );
        let parts = r#"{"amounts":{"applied":0,"available":700,"reversed":300},"currency":"jpy"}"#;
        let html = of("credit.reversed", parts, None);
        assert!(
            html.contains("available <span class=\"money\">700 JPY</span>, reversed"),
            "{html}"
        );
        assert!(!html.contains("applied"), "{html}");
    }

    #[test]
    fn an_id_leads_where_its_reader_may_go() {
        let facts = r#"{"creditId":"cr_1","stripeEventId":"evt_1","stripeObjectId":"sub_1","userId":"usr_1"}"#;
        let html = of("credit.reversed", facts, None);
        assert!(
            html.contains("<a href=\"/go/cr_1\"><code>cr_1</code></a>"),
            "{html}"
        );
        assert!(
            html.contains("/go/evt_1") && !html.contains("/go/sub_1"),
            "{html}"
        );
        assert!(
            !html.contains("/go/usr_1") && html.contains("usr_1"),
            "{html}"
        );
    }

    #[test]
    fn a_change_tells_what_it_changed() {
        let was = r#"{"budget":null,"currency":"usd","enabled":false,"holdDays":3}"#;
        let is = r#"{"budget":5000,"currency":"usd","enabled":true,"holdDays":3}"#;
        let html = of("program.updated", is, Some(was));
        assert!(
            html.contains("<del>none</del> → <span class=\"money\">50.00 USD"),
            "{html}"
        );
        assert!(
            html.contains("<del>no</del> → yes") && !html.contains("Hold"),
            "{html}"
        );
    }

    #[test]
    fn what_somebody_wrote_stays_as_they_wrote_it() {
        let html = of("credit.reversed", r#"{"reason":"<b>a_b</b> twice"}"#, None);
        assert!(html.contains("&lt;b&gt;a_b&lt;/b&gt; twice"), "{html}");
        let html = of("referral.expired", r#"{"reason":"customer_erased"}"#, None);
        assert!(html.contains("customer erased"), "{html}");
    }
}
