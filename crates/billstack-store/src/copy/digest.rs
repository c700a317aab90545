//! The rows of a table as one number.

use sha2::{Digest as _, Sha256};

use super::side::Side;
use crate::dump::{Kind, Table};
use crate::seam::{Fault, Row};

/// How many rows a table has, and a hash of all of them by key.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Digest {
    pub(super) rows: u64,
    hash: [u8; 32],
}

impl Digest {
    /// The same table on both sides, read at the same time.
    pub(super) fn of_both(
        source: &mut Side,
        target: &mut Side,
        table: &Table,
    ) -> Result<[Digest; 2], Fault> {
        std::thread::scope(|scope| {
            let there = scope.spawn(|| Digest::of(target, table));
            let here = Digest::of(source, table)?;
            let there = there.join();
            let there = there.map_err(|_| Fault::Panicked("reading the copy".to_owned()))?;
            Ok([here, there?])
        })
    }

    fn of(side: &mut Side, table: &Table) -> Result<Digest, Fault> {
        let (mut rows, mut hash) = (0, Sha256::new());
        let mut bytes = Vec::new();
        side.rows(table, None, &mut |row| {
            rows += 1;
            bytes.clear();
            encode(table, row, &mut bytes)?;
            hash.update(&bytes);
            Ok(())
        })?;
        let hash = hash.finalize().into();
        Ok(Digest { rows, hash })
    }
}

/// A row so that no other row looks the same: each value begins with what it is and how long it is.
fn encode(table: &Table, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), Fault> {
    for (index, (_, kind)) in table.columns.iter().enumerate() {
        match kind {
            Kind::Int => tagged(
                out,
                b'i',
                row.opt_int(index)?.map(i64::to_le_bytes).as_ref(),
            ),
            Kind::Bool => {
                let flag = row.opt_flag(index)?.map(|flag| [u8::from(flag)]);
                tagged(out, b'b', flag.as_ref());
            }
            Kind::Text => tagged(out, b't', row.opt_text(index)?),
        }
    }
    Ok(())
}

fn tagged(out: &mut Vec<u8>, tag: u8, value: Option<impl AsRef<[u8]>>) {
    let Some(value) = value else {
        out.push(b'n');
        return;
    };
    let bytes = value.as_ref();
    out.push(tag);
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend(bytes);
}
