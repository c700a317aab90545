//! The look before the first call of an operation: is its line there although we never wrote it, as far as we know?
//!
//! That is so after a backup was restored: what was written since then is at Stripe, and our books know nothing of it.
//! The operation may have another id than the one that wrote the line, so it is known by its credit.

use super::look::{Look, Wanted};
use crate::money::Currency;
use crate::time::{DAY, Micros};

/// How old a line may be. A backup that is older is too old to be caught up with.
const LOOKED_BACK: i64 = 90 * DAY;

/// Whose line it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// That of an operation that we have.
    Ours(&'a str),
    /// That of one that we do not have, with the credit and the project that it names.
    Lost {
        /// The credit.
        credit: &'a str,
        /// The project.
        project: &'a str,
    },
}

/// A line that names an operation.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// Its id at Stripe.
    pub id: &'a str,
    /// By how much it changes the balance.
    pub amount: i64,
    /// Its currency, in small letters.
    pub currency: &'a str,
    /// When Stripe wrote it.
    pub created: Micros,
    /// Whose it is.
    pub whose: Whose<'a>,
}

/// From when on lines are read.
pub const fn begins(now: Micros) -> Micros {
    now.plus(-LOOKED_BACK)
}

/// Looks for the line of an operation that was never called, for a credit of a project. `None` where it may be called.
///
/// A line whose operation is lost is that of whatever has to be done for its credit now; one of another amount, or of
/// a credit that is lost as well, may be, and a person decides.
pub fn first_look<'a>(
    wanted: &Wanted<'_>,
    (credit, project): (&str, &str),
    lines: &[Named<'a>],
) -> Option<Look<'a>> {
    let first = |of: &dyn Fn(&Named<'_>) -> bool| {
        let found = lines.iter().filter(|line| of(line));
        found
            .min_by_key(|line| (line.created, line.id))
            .map(|line| line.id)
    };
    let agrees = |line: &Named<'_>| {
        line.amount == wanted.amount && line.currency == Currency::as_str(&wanted.currency)
    };
    let is_its = |line: &Named<'_>| line.whose == Whose::Ours(wanted.operation);
    let is_of_credit =
        |line: &Named<'_>| matches!(line.whose, Whose::Lost { credit: of, .. } if of == credit);
    if let Some(id) = first(&|line| is_its(line) && agrees(line)) {
        return Some(Look::Adopt(id));
    }
    if let Some(id) = first(&is_its) {
        return Some(Look::AmountDiffers(id));
    }
    if let Some(id) = first(&|line| is_of_credit(line) && agrees(line)) {
        return Some(Look::Adopt(id));
    }
    let is_like_it = |line: &Named<'_>| {
        matches!(line.whose, Whose::Lost { project: of, .. } if of == project) && agrees(line)
    };
    let doubtful = first(&|line| is_of_credit(line) || is_like_it(line));
    let doubtful = doubtful.filter(|_| !wanted.others_are_known);
    doubtful.map(Look::PossibleDuplicate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'a>(lines: &[Named<'a>]) -> Option<Look<'a>> {
        find_by(false, lines)
    }

    fn find_by<'a>(others_are_known: bool, lines: &[Named<'a>]) -> Option<Look<'a>> {
        let wanted = Wanted {
            operation: "op_1",
            amount: -500,
            currency: Currency::USD,
            others_are_known,
        };
        first_look(&wanted, ("cr_1", "prj_1"), lines)
    }

    fn named<'a>(id: &'a str, amount: i64, whose: Whose<'a>) -> Named<'a> {
        Named {
            id,
            amount,
            currency: "usd",
            created: Micros(0),
            whose,
        }
    }

    fn lost<'a>(credit: &'a str, project: &'a str) -> Whose<'a> {
        Whose::Lost { credit, project }
    }

    #[test]
    fn its_own_line_is_adopted() {
        assert_eq!(find(&[]), None);
        assert_eq!(find(&[named("a", -500, Whose::Ours("op_2"))]), None);
        let its = named("b", -500, Whose::Ours("op_1"));
        let other = named("c", -500, lost("cr_1", "prj_1"));
        assert_eq!(find(&[other, its]), Some(Look::Adopt("b")));
        let changed = named("d", -400, Whose::Ours("op_1"));
        assert_eq!(find(&[changed]), Some(Look::AmountDiffers("d")));
    }

    #[test]
    fn the_line_of_a_lost_operation_is_known_by_its_credit() {
        let its = named("a", -500, lost("cr_1", "prj_1"));
        assert_eq!(find(&[its]), Some(Look::Adopt("a")));
        assert_eq!(find_by(true, &[its]), Some(Look::Adopt("a")));
        let less = named("a", -400, lost("cr_1", "prj_1"));
        assert_eq!(find(&[less]), Some(Look::PossibleDuplicate("a")));
        let abroad = Named {
            currency: "eur",
            ..its
        };
        assert_eq!(find(&[abroad]), Some(Look::PossibleDuplicate("a")));
        assert_eq!(find_by(true, &[less, abroad]), None);
    }

    #[test]
    fn the_line_of_a_lost_credit_is_a_doubt_where_it_is_the_same() {
        let same = named("a", -500, lost("cr_2", "prj_1"));
        assert_eq!(find(&[same]), Some(Look::PossibleDuplicate("a")));
        assert_eq!(find_by(true, &[same]), None);
        assert_eq!(find(&[named("a", -400, lost("cr_2", "prj_1"))]), None);
        let elsewhere = named("a", -500, lost("cr_2", "prj_2"));
        assert_eq!(find(&[elsewhere]), None, "another installation");
    }

    #[test]
    fn lines_of_ninety_days_are_read() {
        assert_eq!(begins(Micros(90 * DAY)), Micros(0));
    }
}
