//! Finding things by an id, a code or an address, in all teams of a person or where an API key is good.
//!
//! Nothing is searched: each look-up is by a whole key, so it costs the same however much there is. What a role or a key
//! may not read is not found.

use billstack_core::access::{Role, Scope};
use billstack_core::code;
use billstack_core::email;
use billstack_core::found::Kind;
use billstack_core::ids::{ProjectId, TeamId, made_at};
use billstack_core::time::Micros;
use billstack_core::vanity::read_any;

use super::readers::{self, Reader};
use super::refusal::Abort;
use super::told::LAG;
use crate::seam::list::Page;
use crate::seam::{Fault, Place, Tx};
use crate::tables::api_keys::{self, ApiKey};
use crate::tables::events::log;
use crate::tables::found::{self, By, Thing, Within};
use crate::tables::{members, referrals, teams};

/// In how many teams of a person is looked; the newest.
const MOST_TEAMS: i64 = 50;

/// What ids of ours begin with.
const OURS: [&str; 10] = [
    "team_", "proj_", "usr_", "key_", "pc_", "ref_", "cr_", "evt_", "whe_", "whd_",
];

/// Something that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// Its id, or its code.
    pub id: String,
    /// Where it is.
    pub team_id: TeamId,
    /// In which project; none where it is of the team.
    pub project_id: Option<ProjectId>,
    /// What it is part of: the endpoint of a delivery, the referral whose story tells of an event.
    pub of: Option<String>,
}

/// Where is looked, and for whom.
struct Search<'a> {
    team_id: &'a TeamId,
    sight: Sight<'a>,
    hits: Vec<Hit>,
}

/// How far somebody sees in a team.
enum Sight<'a> {
    Person { user_id: &'a str, role: Role },
    Key(&'a ApiKey),
}

impl Sight<'_> {
    /// Whether what this scope reads is seen; every role reads it.
    fn reads(&self, scope: Scope) -> bool {
        match self {
            Sight::Person { .. } => true,
            Sight::Key(key) => key.scopes.grants(scope),
        }
    }

    fn administers(&self) -> bool {
        matches!(self, Sight::Person { role, .. } if role.can_administer())
    }

    fn sees_stripe_events(&self) -> bool {
        match self {
            Sight::Person { role, .. } => role.can_write(),
            Sight::Key(key) => key.scopes.grants(Scope::ReferralsRead),
        }
    }
}

/// What a text names where somebody reads, the best first: things by their ids, then codes, then people. An id of ours
/// that was written in capitals, or with blanks around it, is the plain one.
pub fn find(tx: &mut dyn Tx, reader: &Reader, text: &str) -> Result<Vec<Hit>, Abort> {
    let text = text.trim();
    let hits = exactly(tx, reader, text)?;
    match plain(text).filter(|_| hits.is_empty()) {
        Some(id) => exactly(tx, reader, &id),
        None => Ok(hits),
    }
}

/// An id of ours as it is made, where a text is one in capitals. Those of Stripe differ by their case.
fn plain(text: &str) -> Option<String> {
    let plain = text.to_ascii_lowercase();
    let is_ours = OURS.iter().any(|prefix| plain.starts_with(prefix));
    (is_ours && plain != text).then_some(plain)
}

fn exactly(tx: &mut dyn Tx, reader: &Reader, text: &str) -> Result<Vec<Hit>, Abort> {
    match reader {
        Reader::Person(user_id) => Ok(of_person(tx, user_id, text)?),
        Reader::Key(hash) => {
            let (team_id, key) = readers::key(tx, hash)?;
            Ok(in_team(tx, &team_id, Sight::Key(&key), text)?)
        }
    }
}

fn of_person(tx: &mut dyn Tx, user_id: &str, text: &str) -> Result<Vec<Hit>, Fault> {
    let page = Page::first(MOST_TEAMS);
    let mut hits = Vec::new();
    for of_user in teams::list_of_user(tx, user_id, &page)?.rows {
        let role = of_user.role;
        let sight = Sight::Person { user_id, role };
        hits.extend(in_team(tx, &of_user.team.id, sight, text)?);
    }
    Ok(hits)
}

fn in_team(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    sight: Sight<'_>,
    text: &str,
) -> Result<Vec<Hit>, Fault> {
    let mut search = Search {
        team_id,
        sight,
        hits: Vec::new(),
    };
    search.by_id(tx, text)?;
    search.by_name(tx, text)?;
    Ok(search.hits)
}

/// The one thing that an id or a code names where somebody reads.
pub fn resolve(tx: &mut dyn Tx, reader: &Reader, id: &str) -> Result<Option<Hit>, Abort> {
    if id.contains('@') {
        return Ok(None);
    }
    Ok(find(tx, reader, id)?.into_iter().next())
}

impl<'a> Search<'a> {
    fn within(&self) -> Within<'a> {
        let project_id = match &self.sight {
            Sight::Person { .. } => None,
            Sight::Key(key) => key.project_id.as_ref(),
        };
        Within {
            team_id: self.team_id,
            project_id,
        }
    }

    fn hit(&mut self, kind: Kind, thing: Thing) {
        self.hits.push(Hit {
            kind,
            id: thing.id,
            team_id: self.team_id.clone(),
            project_id: thing.project_id,
            of: thing.of,
        });
    }

    fn of_team(&mut self, kind: Kind, id: &str) {
        let thing = Thing {
            project_id: None,
            id: id.to_owned(),
            of: None,
        };
        self.hit(kind, thing);
    }

    fn all(&mut self, tx: &mut dyn Tx, kind: Kind, by: By, text: &str) -> Result<(), Fault> {
        let is_seen = match kind {
            Kind::Project => true,
            Kind::Customer => self.sight.reads(Scope::CustomersRead),
            Kind::WebhookEndpoint => self.sight.reads(Scope::WebhooksRead),
            _ => self.sight.reads(Scope::ReferralsRead),
        };
        if !is_seen {
            return Ok(());
        }
        for thing in found::things(tx, self.within(), by, text)? {
            self.hit(kind, thing);
        }
        Ok(())
    }

    /// By its prefix an id says what it is of.
    fn by_id(&mut self, tx: &mut dyn Tx, id: &str) -> Result<(), Fault> {
        let Some((prefix, _)) = id.split_once('_') else {
            return Ok(());
        };
        match prefix {
            "team" if self.team_id.as_str() == id => self.of_team(Kind::Team, id),
            "proj" => self.all(tx, Kind::Project, By::Project, id)?,
            "usr" => self.person(tx, id)?,
            "key" => self.key(tx, id)?,
            "pc" => self.all(tx, Kind::Customer, By::Customer, id)?,
            "ref" => self.all(tx, Kind::Referral, By::Referral, id)?,
            "cr" => self.all(tx, Kind::Credit, By::Credit, id)?,
            "evt" => self.event(tx, id)?,
            "whe" => self.all(tx, Kind::WebhookEndpoint, By::Endpoint, id)?,
            "whd" => {
                if self.sight.reads(Scope::WebhooksRead)
                    && let Some(delivery) = found::delivery(tx, self.within(), id)?
                {
                    self.hit(Kind::WebhookDelivery, delivery);
                }
            }
            "cus" | "acct" => self.all(tx, Kind::Customer, By::CustomerStripeId, id)?,
            "sub" => self.subscription(tx, id)?,
            "cbtxn" => self.all(tx, Kind::Credit, By::CreditLine, id)?,
            _ => {}
        }
        Ok(())
    }

    /// The referral that a subscription has converted, or else those that wait for something of it.
    fn subscription(&mut self, tx: &mut dyn Tx, id: &str) -> Result<(), Fault> {
        self.all(tx, Kind::Referral, By::ReferralSubscription, id)?;
        if !self.hits.is_empty() || !self.sight.reads(Scope::ReferralsRead) {
            return Ok(());
        }
        for (project_id, customer_id) in found::owners_of_subscription(tx, self.within(), id)? {
            let place = Place::new(self.team_id.clone(), project_id.clone());
            for id in referrals::pending_of_referee(tx, &place, &customer_id)? {
                let thing = Thing {
                    project_id: Some(project_id.clone()),
                    id,
                    of: None,
                };
                self.hit(Kind::Referral, thing);
            }
        }
        Ok(())
    }

    /// Whoever looks finds themselves, and who administers a team whom else it has.
    fn person(&mut self, tx: &mut dyn Tx, id: &str) -> Result<(), Fault> {
        let is_self = matches!(&self.sight, Sight::Person { user_id, .. } if *user_id == id);
        let may = self.sight.administers() || is_self;
        if may && members::get(tx, self.team_id, id)?.is_some() {
            self.of_team(Kind::User, id);
        }
        Ok(())
    }

    fn key(&mut self, tx: &mut dyn Tx, id: &str) -> Result<(), Fault> {
        if self.sight.administers() && api_keys::get(tx, self.team_id, id)?.is_some() {
            self.of_team(Kind::ApiKey, id);
        }
        Ok(())
    }

    /// An event of Stripe, or one of our log.
    fn event(&mut self, tx: &mut dyn Tx, id: &str) -> Result<(), Fault> {
        if self.sight.sees_stripe_events() && found::has_stripe_event(tx, self.within(), id)? {
            self.of_team(Kind::StripeEvent, id);
            return Ok(());
        }
        let Some(made) = made_at(id).filter(|_| self.sight.reads(Scope::ReferralsRead)) else {
            return Ok(());
        };
        if let Some(thing) = found::event(tx, self.within(), id, (made, made.plus(LAG)))? {
            // What is of the team is for those who administer it.
            if thing.project_id.is_some() || self.sight.administers() {
                self.hit(Kind::Event, thing);
            }
            return Ok(());
        }
        self.event_ahead(tx, id, made)
    }

    /// An event of a test project goes by the clock of that.
    fn event_ahead(&mut self, tx: &mut dyn Tx, id: &str, made: Micros) -> Result<(), Fault> {
        for (project_id, ahead) in found::ahead(tx, self.within())? {
            let place = Place::new(self.team_id.clone(), project_id.clone());
            let range = (made, made.plus(ahead.saturating_add(LAG)));
            if log::place_of(tx, &place, id, range)?.is_some() {
                let thing = Thing {
                    project_id: Some(project_id),
                    id: id.to_owned(),
                    of: None,
                };
                self.hit(Kind::Event, thing);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Codes, people and requests.
    fn by_name(&mut self, tx: &mut dyn Tx, text: &str) -> Result<(), Fault> {
        if let Some(read) = read_any(text) {
            let by = match read.len() == code::LENGTH {
                true => By::Code,
                false => By::CodeName,
            };
            self.all(tx, Kind::Code, by, &read)?;
        }
        if let Some(address) = email::normalize(text) {
            self.all(tx, Kind::Customer, By::CustomerEmail, &address)?;
        }
        self.all(tx, Kind::Customer, By::CustomerExternalId, text)?;
        if self.sight.administers() && found::has_request(tx, self.team_id, text)? {
            self.of_team(Kind::Request, text);
        }
        Ok(())
    }
}
