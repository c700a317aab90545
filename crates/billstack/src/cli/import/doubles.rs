//! Lines of a file that contradict one before: both cannot be true, and the first one counts.

use std::collections::HashMap;

use super::formats::{By, Row, Someone};
use super::{folded, folded_code};

/// Parts the rows that can be taken from those that cannot, with the reason.
pub(super) fn part(rows: Vec<Row>) -> (Vec<Row>, Vec<(u64, String)>) {
    let mut seen = Seen::default();
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for row in rows {
        match seen.contradiction(&row) {
            Some(why) => refused.push((row.line, why)),
            None => {
                seen.add(&row);
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
        let (one, more): (_, &[String]) = match self {
            Kind::Code => (&someone.code, &someone.more_codes),
            Kind::External => (&someone.external_id, &[]),
            Kind::Stripe => (&someone.stripe_customer_id, &[]),
        };
        one.iter().chain(more).map(String::as_str)
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
    fn contradiction(&self, row: &Row) -> Option<String> {
        let of_people = people(row).find_map(|someone| self.of_person(someone));
        of_people.or_else(|| {
            let by = by(row)?;
            let (before, line) = self.brought.get(&folded(&row.person.email))?;
            let other = || format!("line {line} says that somebody else has brought the customer");
            (*before != by).then(other)
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

    fn add(&mut self, row: &Row) {
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
        if let Some(by) = by(row) {
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

fn by(row: &Row) -> Option<String> {
    Some(match row.by.as_ref()? {
        By::Key(key) => folded(key),
        By::Told(told) => folded(&told.email),
    })
}
