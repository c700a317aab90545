//! Whether the lines of a balance follow from each other, and lead to what the customer has.

use std::collections::BTreeMap;

use super::lines::{Theirs, digest};

/// The lines of a balance in a currency do not follow from each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The currency.
    pub currency: String,
    /// The first line that does not follow from those before it; `None` where they do not lead to the balance.
    pub line: Option<String>,
    /// By how much the balance is off from what its lines come to in all.
    pub off: i64,
}

/// What breaks look like: as long as that is the same, they are not told again once they were taken note of. It does
/// not depend on where they are, since each line that is written later moves that.
pub fn appearance(breaks: &[Break]) -> String {
    let offs: Vec<String> = breaks.iter().map(|one| one.off.to_string()).collect();
    let currencies = breaks.iter().map(|one| one.currency.as_str());
    let pairs = currencies.zip(&offs);
    digest(pairs.flat_map(|(currency, off)| [currency, off.as_str()]))
}

/// What is found out about a currency, line by line.
#[derive(Default)]
struct Followed<'a> {
    ends_at: i64,
    off: i64,
    first: Option<Option<&'a str>>,
}

impl<'a> Followed<'a> {
    fn end(&mut self, at: i64, off: i64, line: Option<&'a str>) {
        self.ends_at = at;
        if off != 0 {
            self.off = self.off.saturating_add(off);
            self.first.get_or_insert(line);
        }
    }
}

/// The breaks, one for each currency that has any. The lines come as Stripe lists them, the newest first; `balance` is
/// what the customer has in the currency of its own, if it has one.
pub fn breaks(theirs: &[Theirs<'_>], balance: Option<(&str, i64)>) -> Vec<Break> {
    let mut followed = BTreeMap::<&str, Followed<'_>>::new();
    for line in theirs.iter().rev() {
        let of = followed.entry(line.currency).or_default();
        let expected = of.ends_at.saturating_add(line.amount);
        let off = line.ending_balance.saturating_sub(expected);
        of.end(line.ending_balance, off, Some(line.id));
    }
    if let Some((currency, balance)) = balance {
        let of = followed.entry(currency).or_default();
        let off = balance.saturating_sub(of.ends_at);
        of.end(balance, off, None);
    }
    let broken = followed.into_iter().filter_map(|(currency, of)| {
        Some(Break {
            currency: currency.to_owned(),
            line: of.first?.map(str::to_owned),
            off: of.off,
        })
    });
    broken.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Micros;

    fn line<'a>(id: &'a str, currency: &'a str, amount: i64, ending_balance: i64) -> Theirs<'a> {
        Theirs {
            id,
            amount,
            currency,
            ending_balance,
            description: "",
            metadata: BTreeMap::new(),
            created: Micros(0),
        }
    }

    fn told(lines: &[Theirs<'_>], balance: Option<(&str, i64)>) -> Vec<String> {
        let text = |one: Break| {
            let line = one.line.unwrap_or_default();
            format!("{} {line} {}", one.currency, one.off)
        };
        breaks(lines, balance).into_iter().map(text).collect()
    }

    #[test]
    fn lines_that_follow_from_each_other_are_clear() {
        let lines = [
            line("c", "eur", -5, -5),
            line("b", "usd", 30, -70),
            line("a", "usd", -100, -100),
        ];
        assert!(told(&lines, Some(("usd", -70))).is_empty());
        assert!(told(&lines, None).is_empty());
        assert!(told(&[], Some(("usd", 0))).is_empty());
    }

    #[test]
    fn breaks_are_told_once_in_each_currency() {
        let lines = [
            line("c", "usd", -10, -150),
            line("b", "usd", 30, -70),
            line("a", "usd", -100, -100),
        ];
        assert_eq!(told(&lines, Some(("usd", -150))), ["usd c -70"]);
        assert_eq!(told(&lines, Some(("usd", -151))), ["usd c -71"]);
        assert_eq!(told(&lines[1..], Some(("usd", -71))), ["usd  -1"]);
        assert_eq!(told(&[], Some(("usd", -5))), ["usd  -5"]);
        let both = [line("d", "eur", -5, -6), line("a", "usd", -100, -99)];
        assert_eq!(told(&both, None), ["eur d -1", "usd a 1"]);
        let healed = [line("b", "usd", -5, -15), line("a", "usd", -10, -11)];
        assert_eq!(told(&healed, None), ["usd a 0"]);
    }

    #[test]
    fn what_was_taken_note_of_is_the_same_after_more_lines() {
        let gone = breaks(&[], Some(("usd", -100)));
        let written = breaks(&[line("a", "usd", -100, -200)], Some(("usd", -200)));
        assert_ne!(gone, written);
        assert_eq!(appearance(&gone), appearance(&written));
        let more = breaks(&[], Some(("usd", -101)));
        assert_ne!(appearance(&gone), appearance(&more));
        assert_ne!(appearance(&gone), appearance(&[]));
    }
}
