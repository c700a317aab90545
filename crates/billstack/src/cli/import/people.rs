//! Who the people of a file are: with every code that its lines give them, and by whatever they are called.

use std::collections::{HashMap, HashSet};

use billstack_core::{email, vanity};

use super::formats::{By, Given, Row, Someone, State};

/// The people of a file, by their addresses.
#[derive(Default)]
pub(super) struct People {
    by_key: HashMap<String, String>,
    by_code: HashMap<String, String>,
    known: HashMap<String, Someone>,
    /// Who was brought, and rewarded for it.
    rewarded: HashSet<String>,
}

impl People {
    /// Those of whom these rows tell.
    pub(super) fn of(rows: &[Row]) -> People {
        let mut people = People::default();
        // What a row tells of its own person comes before what others tell of them.
        for row in rows {
            people.add(&row.person);
            if row.by.is_some() && row.state == State::Rewarded {
                people.rewarded.insert(folded(&row.person.email));
            }
        }
        for row in rows {
            if let Some(By::Told(told)) = &row.by {
                people.add(told);
            }
        }
        for someone in people.known.values_mut() {
            someone.codes.sort_by_key(|code| code.line);
        }
        people
    }

    fn add(&mut self, someone: &Someone) {
        let email = folded(&someone.email);
        let texts = || someone.codes.iter().map(|code| &code.text);
        let keys = [&someone.email].into_iter().chain(texts());
        for key in keys.chain(&someone.called) {
            let known = self.by_key.entry(folded(key));
            known.or_insert_with(|| email.clone());
        }
        for text in texts() {
            let known = self.by_code.entry(folded_code(text));
            known.or_insert_with(|| email.clone());
        }
        match self.known.get_mut(&email) {
            Some(known) => add_codes(&mut known.codes, &someone.codes),
            None => {
                self.known.insert(email, someone.clone());
            }
        }
    }

    /// Whose address in the file a key is: an address, a code or an id. Ids may differ in what is no letter, so a code in
    /// another spelling comes last.
    pub(super) fn whose(&self, key: &str) -> Option<&str> {
        let by_key = self.by_key.get(&folded(key));
        let found = by_key.or_else(|| self.by_code.get(&folded_code(key)));
        found.map(String::as_str)
    }

    /// Whom a key means.
    pub(super) fn whom(&self, key: &str) -> Option<&Someone> {
        self.known.get(self.whose(key)?)
    }

    /// Every code of somebody, in the order of the lines.
    pub(super) fn codes_of(&self, someone: &Someone) -> Vec<Given> {
        let known = self.known.get(&folded(&someone.email));
        known.map_or_else(Vec::new, |known| known.codes.clone())
    }

    /// Whether a line says that it was rewarded that somebody was brought.
    pub(super) fn was_rewarded(&self, someone: &Someone) -> bool {
        self.rewarded.contains(&folded(&someone.email))
    }
}

/// A row with all that the file says of its people.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) row: Row,
    /// Who brought them, where the row only names them and another one tells of them.
    pub(super) beside: Option<Someone>,
}

/// Completes rows by what the others say. Codes go with the first row of somebody that is taken.
pub(super) struct Whole<'p> {
    people: &'p People,
    done: HashSet<String>,
}

impl<'p> Whole<'p> {
    pub(super) fn new(people: &'p People) -> Whole<'p> {
        let done = HashSet::new();
        Whole { people, done }
    }

    /// What is to be done with a row.
    pub(super) fn task(&self, mut row: Row) -> Task {
        let mut beside = None;
        match &mut row.by {
            None => {}
            Some(By::Told(told)) => self.complete(told),
            Some(By::Key(key)) => {
                beside = self.people.whom(key).cloned();
                beside.iter_mut().for_each(|beside| self.complete(beside));
            }
        }
        self.complete(&mut row.person);
        let waits = row.by.is_some() && row.state == State::Waits;
        if waits && self.people.was_rewarded(&row.person) {
            row.state = State::Rewarded;
        }
        Task { row, beside }
    }

    fn complete(&self, someone: &mut Someone) {
        someone.codes = match self.done.contains(&folded(&someone.email)) {
            true => Vec::new(),
            false => self.people.codes_of(someone),
        };
    }

    /// Notes that a row was taken.
    pub(super) fn done(&mut self, task: &Task) {
        let told = match &task.row.by {
            Some(By::Told(told)) => Some(told),
            _ => task.beside.as_ref(),
        };
        for someone in [Some(&task.row.person), told].into_iter().flatten() {
            self.done.insert(folded(&someone.email));
        }
    }
}

/// Adds codes that are not among these, in whatever spelling.
fn add_codes(known: &mut Vec<Given>, more: &[Given]) {
    for code in more {
        let text = folded_code(&code.text);
        match known.iter_mut().find(|one| folded_code(&one.text) == text) {
            Some(same) => same.line = same.line.min(code.line),
            None => known.push(code.clone()),
        }
    }
}

/// The form in which addresses are compared, and ids.
pub(super) fn folded(key: &str) -> String {
    email::normalize(key).unwrap_or_else(|| key.trim().to_lowercase())
}

/// The form in which codes are compared, however they are spelled.
pub(super) fn folded_code(code: &str) -> String {
    vanity::read_any(code).unwrap_or_else(|| folded(code))
}
