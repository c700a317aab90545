//! The record of what a process wrote.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// Something that happened to a file, by its name within the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Write {
        file: String,
        at: usize,
        data: Vec<u8>,
    },
    /// The file has this length now.
    Length {
        file: String,
        length: usize,
    },
    /// All that had been written to it is on the disk. The directory is the file without a name.
    Synced {
        file: String,
    },
    /// The disk failed at that: what had been written to it never gets there.
    NotSynced {
        file: String,
    },
    Removed {
        file: String,
    },
    /// It has another name now, and what had that name is gone.
    Renamed {
        file: String,
        to: String,
    },
}

const HEAD: usize = 24;

/// Reads a record up to what its process could not finish.
///
/// # Errors
///
/// When it cannot be read, or is none.
pub fn read(path: &Path) -> Result<Vec<Event>> {
    let bytes = fs::read(path)?;
    let mut rest = bytes.as_slice();
    let mut events = Vec::new();
    while let Some((event, after)) = first(rest)? {
        events.push(event);
        rest = after;
    }
    Ok(events)
}

/// The first event of these bytes, and what comes after it.
fn first(bytes: &[u8]) -> Result<Option<(Event, &[u8])>> {
    let Some((head, rest)) = bytes.split_at_checked(HEAD) else {
        return Ok(None);
    };
    let number = |from: usize| {
        let mut digits = [0; 8];
        digits.copy_from_slice(&head[from..from + 8]);
        u64::from_le_bytes(digits) as usize
    };
    // The first eight bytes are the kind and, in the upper half, the length of the name.
    let Some((name, rest)) = rest.split_at_checked(number(0) >> 32) else {
        return Ok(None);
    };
    let Some((data, rest)) = rest.split_at_checked(number(16)) else {
        return Ok(None);
    };
    let file = String::from_utf8_lossy(name).into_owned();
    let event = match head[0] {
        b'W' => Event::Write {
            file,
            at: number(8),
            data: data.to_vec(),
        },
        b'T' => Event::Length {
            file,
            length: number(8),
        },
        b'S' => Event::Synced { file },
        b'F' => Event::NotSynced { file },
        b'U' => Event::Removed { file },
        b'R' => Event::Renamed {
            file,
            to: String::from_utf8_lossy(data).into_owned(),
        },
        other => {
            let why = format!("no kind of event: {other}");
            return Err(Error::new(ErrorKind::InvalidData, why));
        }
    };
    Ok(Some((event, rest)))
}
