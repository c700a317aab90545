//! Lines of a file that contradict one before: both cannot be true, and the first one counts.

use std::collections::HashMap;

use billstack_core::email;

use super::formats::{By, Given, Row, Someone};
use super::people::{People, folded, folded_code};
use super::steps::BROUGHT_BEFORE;

/// Parts the rows that can be taken from those that cannot, with the reason.
pub(super) fn part(rows: Vec<Row>) -> (Vec<Row>, Vec<(u64, String)>) {
    let (people, mut seen) = (People::of(&rows), Seen::default());
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for row in rows {
        let by = by(&row, &people);
        match seen.contradiction(&row, by.as_deref()) {
            Some(why) => refused.push((row.line, why)),
            None => {
                seen.add(&row, by);
                kept.push(row);
            }
        }
    }
    (kept, refused)
}

/// What the lines so far have said, each with its line.
#[derive(Default)]
struct Seen {
    /// Whose a code or an external id is.
    owners: HashMap<(Kind, String), (String, u64)>,
    /// Which id somebody has.
    ids: HashMap<(Kind, String), (String, u64)>,
    /// Who has brought somebody.
    brought: HashMap<String, (String, u64)>,
}

#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Kind {
    Code,
    External,
    Stripe,
}

/// What nobody shares with another, and what somebody has one of.
const OF_ONE: [Kind; 2] = [Kind::Code, Kind::External];
const ONE_OF: [Kind; 2] = [Kind::External, Kind::Stripe];

impl Kind {
    fn of(self, someone: &Someone) -> impl Iterator<Item = &str> {
        let (one, codes): (_, &[Given]) = match self {
            Kind::Code => (&None, &someone.codes),
            Kind::External => (&someone.external_id, &[]),
            Kind::Stripe => (&someone.stripe_customer_id, &[]),
        };
        let codes = codes.iter().map(|code| &code.text);
        one.iter().chain(codes).map(String::as_str)
    }

    /// Ids are told apart by case, codes are not.
    fn key(self, text: &str) -> String {
        match self {
            Kind::Code => folded_code(text),
            Kind::External | Kind::Stripe => text.to_owned(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Code => "code",
            Kind::External => "external id",
            Kind::Stripe => "id in Stripe",
        }
    }
}

impl Seen {
    fn contradiction(&self, row: &Row, by: Option<&str>) -> Option<String> {
        let of_people = people(row).find_map(|someone| self.of_person(someone));
        of_people.or_else(|| {
            let (before, line) = self.brought.get(&folded(&row.person.email))?;
            let other = || format!("line {line} says that {BROUGHT_BEFORE}");
            (*before != by?).then(other)
        })
    }

    fn of_person(&self, someone: &Someone) -> Option<String> {
        let email = folded(&someone.email);
        for kind in OF_ONE {
            let keys = kind.of(someone).map(|text| (kind, kind.key(text)));
            let mut owners = keys.filter_map(|key| self.owners.get(&key));
            if let Some((_, line)) = owners.find(|(owner, _)| *owner != email) {
                return Some(format!(
                    "line {line} gives its {} to somebody else",
                    kind.name()
                ));
            }
        }
        for kind in ONE_OF {
            let (Some(text), Some((before, line))) = (
                kind.of(someone).next(),
                self.ids.get(&(kind, email.clone())),
            ) else {
                continue;
            };
            if *before != kind.key(text) {
                return Some(format!(
                    "line {line} gives the customer another {}",
                    kind.name()
                ));
            }
        }
        None
    }

    fn add(&mut self, row: &Row, by: Option<String>) {
        for someone in people(row) {
            let email = folded(&someone.email);
            for kind in OF_ONE {
                for text in kind.of(someone) {
                    let owner = (email.clone(), row.line);
                    self.owners.entry((kind, kind.key(text))).or_insert(owner);
                }
            }
            for kind in ONE_OF {
                for text in kind.of(someone) {
                    let id = (kind.key(text), row.line);
                    self.ids.entry((kind, email.clone())).or_insert(id);
                }
            }
        }
        if let Some(by) = by {
            let friend = folded(&row.person.email);
            self.brought.entry(friend).or_insert((by, row.line));
        }
    }
}

fn people(row: &Row) -> impl Iterator<Item = &Someone> {
    let told = match &row.by {
        Some(By::Told(told)) => Some(told),
        _ => None,
    };
    [Some(&row.person), told].into_iter().flatten()
}

/// By whose address somebody was brought. Whom a code means that is not of the file, only the database can tell.
fn by(row: &Row, people: &People) -> Option<String> {
    match row.by.as_ref()? {
        By::Told(told) => Some(folded(&told.email)),
        By::Key(key) => match people.whose(key) {
            Some(email) => Some(email.to_owned()),
            None => email::normalize(key),
        },
    }
}
