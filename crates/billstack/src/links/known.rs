//! What is known of links: at most three seconds old while the database answers, and as old as it is otherwise.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use billstack_store::links::{self, Found};
use tokio::sync::Semaphore;

use crate::app::{App, Shared};

/// For how long nobody looks again.
const FRESH: Duration = Duration::from_secs(3);

/// How long a visitor waits for the database where something older is known.
const A_MOMENT: Duration = Duration::from_millis(30);

/// How long where the project is known and the code is not: without an answer the click cannot be told whose it is.
const A_WHILE: Duration = Duration::from_millis(500);

/// How long where nothing is.
const LONGEST: Duration = Duration::from_secs(2);

/// Codes that are remembered at once.
const MOST_CODES: usize = 20_000;

/// Projects that are.
const MOST_PROJECTS: usize = 2_000;

/// Look-ups under way at once; a database that hangs must not gather more.
const MOST_LOOK_UPS: usize = 64;

/// What is known of links.
#[derive(Debug)]
pub struct KnownLinks {
    codes: Remembered<(String, String)>,
    projects: Remembered<String>,
    looking: Arc<Semaphore>,
}

impl Default for KnownLinks {
    fn default() -> KnownLinks {
        KnownLinks {
            codes: Remembered::new(MOST_CODES),
            projects: Remembered::new(MOST_PROJECTS),
            looking: Arc::new(Semaphore::new(MOST_LOOK_UPS)),
        }
    }
}

/// What a link leads to, as far as that can be told.
#[derive(Clone, Debug)]
pub(super) enum Link {
    /// The database says, or said it before.
    Known(Arc<Found>),
    /// The project is known, and nobody can say whether there is such a code.
    CodeUnheard(Arc<Found>),
    /// There is no such project.
    Nowhere,
    /// Nothing is known, and the database does not answer.
    Unheard,
}

/// Finds out what a link leads to: `read` is the code or name in it, where it can be one.
pub(super) async fn find(app: &Shared, slug: &str, read: Option<&str>) -> Link {
    let known = &app.known_links;
    let key = (slug.to_owned(), read.unwrap_or_default().to_owned());
    let seen = known.codes.get(&key);
    if let Some((found, age)) = &seen
        && *age < FRESH
    {
        return Link::Known(Arc::clone(found));
    }
    let project = known.projects.get(&key.0).map(|(found, _)| found);
    let patience = match (&seen, &project) {
        (Some(_), _) => A_MOMENT,
        (None, Some(_)) if read.is_some() => A_WHILE,
        (None, Some(_)) => A_MOMENT,
        (None, None) => LONGEST,
    };
    match look(app, key, read.is_some(), patience).await {
        Some(Some(found)) => Link::Known(found),
        Some(None) => Link::Nowhere,
        None => match (seen, project) {
            (Some((found, _)), _) => Link::Known(found),
            (None, Some(found)) if read.is_some() => Link::CodeUnheard(found),
            (None, Some(found)) => Link::Known(found),
            (None, None) => Link::Unheard,
        },
    }
}

/// What the database says of a link now, however long it takes.
pub(super) async fn ask_now(app: &App, slug: &str, read: Option<&str>) -> Link {
    let key = (slug.to_owned(), read.unwrap_or_default().to_owned());
    match ask(app, key, read.is_some()).await {
        Some(Some(found)) => Link::Known(Arc::new(found)),
        Some(None) => Link::Nowhere,
        None => Link::Unheard,
    }
}

/// Asks the database. A look-up for which nobody waits any more goes on, for those who come next.
async fn look(
    app: &Shared,
    key: (String, String),
    is_code: bool,
    patience: Duration,
) -> Option<Option<Arc<Found>>> {
    let permit = Arc::clone(&app.known_links.looking)
        .try_acquire_owned()
        .ok()?;
    let app = Arc::clone(app);
    let looking = tokio::spawn(async move {
        let found = ask(&app, key.clone(), is_code).await;
        drop(permit);
        let found = found?.map(Arc::new);
        if let Some(found) = &found {
            app.known_links.remember(key, found);
        }
        Some(found)
    });
    let answered = tokio::time::timeout(patience, looking).await;
    answered.ok()?.ok()?
}

async fn ask(app: &App, (slug, read): (String, String), is_code: bool) -> Option<Option<Found>> {
    let asked = app.store.point(move |tx| {
        let read = is_code.then_some(read.as_str());
        Ok(links::look(tx, &slug, read)?)
    });
    asked.await.ok()
}

impl KnownLinks {
    fn remember(&self, key: (String, String), found: &Arc<Found>) {
        self.projects.put(key.0.clone(), found);
        // Whoever tries codes must not push out those that there are.
        if found.code.is_some() {
            self.codes.put(key, found);
        }
    }
}

/// What was found, and when.
#[derive(Debug)]
struct Remembered<K> {
    most: usize,
    found: Mutex<HashMap<K, (Arc<Found>, Instant)>>,
}

impl<K: Eq + Hash> Remembered<K> {
    fn new(most: usize) -> Remembered<K> {
        let found = Mutex::new(HashMap::new());
        Remembered { most, found }
    }

    fn get(&self, key: &K) -> Option<(Arc<Found>, Duration)> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, at) = found.get(key)?;
        Some((Arc::clone(found), at.elapsed()))
    }

    fn put(&self, key: K, new: &Arc<Found>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= self.most && !found.contains_key(&key) {
            // The older half goes.
            let mut times: Vec<Instant> = found.values().map(|(_, at)| *at).collect();
            let (_, median, _) = times.select_nth_unstable(self.most / 2);
            let median = *median;
            found.retain(|_, (_, at)| *at > median);
        }
        found.insert(key, (Arc::clone(new), Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use billstack_core::link::Settings;
    use billstack_store::Place;

    #[test]
    fn memory_is_bounded() {
        let found = Arc::new(Found {
            place: Place::new("team_a", "proj_a"),
            settings: Settings::default(),
            key: None,
            is_open: true,
            ahead: 0,
            code: None,
        });
        let remembered = Remembered::new(10);
        for number in 0..100 {
            remembered.put(number, &found);
            assert!(remembered.get(&number).is_some());
        }
        assert!(remembered.found.lock().unwrap().len() <= 10);
    }
}
