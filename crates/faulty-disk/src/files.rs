//! What is on the disk for certain, and what may be.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::record::Event;

/// What a power cut does to writes that were not synced.
///
/// A sync is the only order there is between writes: the disk may have done a later one and not an earlier one.
/// What a write does not cover stays as it is; SQLite builds on that
/// (<https://sqlite.org/psow.html>), and so do the file systems it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    All,
    None,
    /// Those after some moment.
    Latest,
    /// Any of them.
    Some,
    /// Any part of them, in pieces of this many bytes.
    Parts(usize),
    /// The same, and what is lost was overwritten with something else, as by a write that was under way.
    Torn(usize),
}

/// Every kind of loss.
pub const LOSSES: [Loss; 8] = [
    Loss::All,
    Loss::None,
    Loss::Latest,
    Loss::Some,
    Loss::Parts(512),
    Loss::Parts(4096),
    Loss::Torn(512),
    Loss::Torn(4096),
];

/// Something that was done to a file since it was last known to be on the disk.
#[derive(Clone, Debug)]
struct Change {
    what: What,
    /// Whether it is on the disk all the same: it was synced after another one that never got there.
    is_kept: bool,
    /// Whether a sync of it failed. Later ones pass it by.
    is_missed: bool,
}

#[derive(Clone, Debug)]
enum What {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    /// What is on the disk for certain.
    kept: Vec<u8>,
    changes: Vec<Change>,
}

/// An entry of the directory that is not on the disk for certain.
#[derive(Clone, Debug)]
enum Entry {
    Made(String),
    /// With what it was then.
    Removed(String, File),
    /// From, to, and what had that name before.
    Renamed(String, String, Option<File>),
}

/// The files of a directory, as far as events have been told.
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: BTreeMap<String, File>,
    entries: Vec<Entry>,
}

impl Files {
    /// Tells what happened next.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Write { file, at, data } => {
                self.change(file, What::Write(*at, data.clone()));
            }
            Event::Length { file, length } => self.change(file, What::Length(*length)),
            // The directory.
            Event::Synced { file } if file.is_empty() => self.entries.clear(),
            Event::Synced { file } => self.of(file).sync(),
            Event::NotSynced { file } if file.is_empty() => {}
            Event::NotSynced { file } => {
                for change in &mut self.of(file).changes {
                    change.is_missed |= !change.is_kept;
                }
            }
            Event::Removed { file } => {
                if let Some(old) = self.files.remove(file) {
                    self.entries.push(Entry::Removed(file.clone(), old));
                }
            }
            Event::Renamed { file, to } => {
                if let Some(moved) = self.files.remove(file) {
                    let old = self.files.insert(to.clone(), moved);
                    let entry = Entry::Renamed(file.clone(), to.clone(), old);
                    self.entries.push(entry);
                }
            }
        }
    }

    fn change(&mut self, file: &str, what: What) {
        self.of(file).changes.push(Change {
            what,
            is_kept: false,
            is_missed: false,
        });
    }

    fn of(&mut self, file: &str) -> &mut File {
        if !self.files.contains_key(file) {
            self.entries.push(Entry::Made(file.to_owned()));
        }
        self.files.entry(file.to_owned()).or_default()
    }

    /// What a power cut now may have left, written into an empty directory. `below` draws a number.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn leave(
        &self,
        directory: &Path,
        loss: Loss,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> io::Result<()> {
        let mut files = self.files.clone();
        // Entries get to the disk in their order, so those that are lost are the latest.
        let lost = match loss {
            Loss::None => 0,
            Loss::All => self.entries.len(),
            _ => below(self.entries.len() + 1),
        };
        for entry in self.entries.iter().rev().take(lost) {
            take_back(&mut files, entry);
        }
        for (name, file) in files {
            let path = directory.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, file.left(loss, below))?;
        }
        Ok(())
    }
}

fn take_back(files: &mut BTreeMap<String, File>, entry: &Entry) {
    match entry {
        Entry::Made(name) => {
            files.remove(name);
        }
        Entry::Removed(name, old) => {
            files.insert(name.clone(), old.clone());
        }
        Entry::Renamed(from, to, old) => {
            if let Some(moved) = files.remove(to) {
                files.insert(from.clone(), moved);
            }
            if let Some(old) = old {
                files.insert(to.clone(), old.clone());
            }
        }
    }
}

impl File {
    fn sync(&mut self) {
        for change in &mut self.changes {
            change.is_kept |= !change.is_missed;
        }
        // Beyond one that is not kept, the order decides what is on the disk.
        let first = self.changes.iter().position(|change| !change.is_kept);
        let number = first.unwrap_or(self.changes.len());
        for change in self.changes.drain(..number) {
            do_to(&mut self.kept, &change.what);
        }
    }

    fn left(&self, loss: Loss, below: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
        let mut bytes = self.kept.clone();
        let latest = below(self.changes.len() + 1);
        for (index, change) in self.changes.iter().enumerate() {
            let is_whole = match loss {
                _ if change.is_kept => true,
                Loss::All => false,
                Loss::None => !change.is_missed,
                Loss::Latest => index < latest && !change.is_missed,
                Loss::Some => below(2) == 0,
                Loss::Parts(piece) | Loss::Torn(piece) => {
                    let is_torn = matches!(loss, Loss::Torn(_));
                    do_in_part(&mut bytes, &change.what, piece, is_torn, below);
                    false
                }
            };
            if is_whole {
                do_to(&mut bytes, &change.what);
            }
        }
        bytes
    }
}

fn do_to(bytes: &mut Vec<u8>, what: &What) {
    match what {
        What::Write(at, data) => write(bytes, *at, data),
        What::Length(length) => bytes.resize(*length, 0),
    }
}

fn write(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(data);
}

/// Does some pieces of a write: those begin where the disk's sectors begin.
fn do_in_part(
    bytes: &mut Vec<u8>,
    what: &What,
    piece: usize,
    is_torn: bool,
    below: &mut dyn FnMut(usize) -> usize,
) {
    let What::Write(at, data) = what else {
        if below(2) == 0 {
            do_to(bytes, what);
        }
        return;
    };
    let (mut from, end) = (*at, at + data.len());
    while from < end {
        let to = end.min((from / piece + 1) * piece);
        let part = &data[from - at..to - at];
        if below(2) == 0 {
            write(bytes, from, part);
        } else if is_torn {
            let other = below(256) as u8;
            write(bytes, from, &vec![other; part.len()]);
        }
        from = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(file: &str, at: usize, text: &str) -> Event {
        Event::Write {
            file: file.to_owned(),
            at,
            data: text.as_bytes().to_vec(),
        }
    }

    fn synced(file: &str) -> Event {
        Event::Synced {
            file: file.to_owned(),
        }
    }

    /// The text of a file after these events and a power cut; `None` when it is not there.
    fn left(events: &[Event], file: &str, loss: Loss) -> Option<String> {
        let mut files = Files::default();
        events.iter().for_each(|event| files.take(event));
        let directory = tempfile::tempdir().unwrap();
        files.leave(directory.path(), loss, &mut |_| 0).unwrap();
        fs::read_to_string(directory.path().join(file)).ok()
    }

    #[test]
    fn what_was_synced_stays_and_the_rest_may_go() {
        let events = [
            event("a", 0, "one"),
            synced("a"),
            synced(""),
            event("a", 3, "two"),
        ];
        assert_eq!(left(&events, "a", Loss::All).unwrap(), "one");
        assert_eq!(left(&events, "a", Loss::None).unwrap(), "onetwo");
        assert_eq!(left(&events, "a", Loss::Latest).unwrap(), "one");
    }

    #[test]
    fn a_file_is_there_for_certain_only_once_its_directory_is_synced() {
        let events = [event("a", 0, "one"), synced("a")];
        assert_eq!(left(&events, "a", Loss::All), None);
        assert_eq!(left(&events, "a", Loss::None).unwrap(), "one");
    }

    /// The next sync succeeds and changes nothing about it.
    #[test]
    fn what_a_failed_sync_was_for_is_lost_unless_it_is_written_again() {
        let failed = Event::NotSynced {
            file: "a".to_owned(),
        };
        let mut events = vec![
            event("a", 0, "one"),
            synced("a"),
            synced(""),
            event("a", 3, "two"),
            failed,
            event("a", 6, "six"),
            synced("a"),
        ];
        assert_eq!(left(&events, "a", Loss::None).unwrap(), "one\0\0\0six");
        events.extend([event("a", 0, "onetwosix"), synced("a")]);
        assert_eq!(left(&events, "a", Loss::All).unwrap(), "onetwosix");
    }

    #[test]
    fn a_new_name_may_come_back_as_the_old_one() {
        let renamed = Event::Renamed {
            file: "b".to_owned(),
            to: "a".to_owned(),
        };
        let mut events = vec![event("a", 0, "old"), event("b", 0, "new")];
        events.extend([synced("a"), synced("b"), synced(""), renamed]);
        assert_eq!(left(&events, "a", Loss::All).unwrap(), "old");
        assert_eq!(left(&events, "a", Loss::None).unwrap(), "new");
        events.push(synced(""));
        assert_eq!(left(&events, "a", Loss::All).unwrap(), "new");
    }
}
