use super::*;
use proptest::prelude::*;

/// Lines that follow from each other.
#[derive(Default)]
pub(super) struct Book {
    pub(super) lines: Vec<Line>,
    pub(super) balance: i64,
}

impl Book {
    fn line(&mut self, amount: i64, kind: &str, invoice: Option<&str>, credit: Option<&str>) {
        self.balance += amount;
        self.lines.push(Line {
            id: format!("cbtxn_{}", self.lines.len()),
            amount,
            ending_balance: self.balance,
            kind: kind.to_owned(),
            invoice: invoice.map(str::to_owned),
            credit: credit.map(str::to_owned),
            created: Micros::from_secs(i64::try_from(self.lines.len()).unwrap()),
        });
    }

    pub(super) fn ours(&mut self, amount: i64, credit: &str) {
        self.line(amount, "adjustment", None, Some(credit));
    }

    pub(super) fn theirs(&mut self, amount: i64) {
        self.line(amount, "adjustment", None, None);
    }

    pub(super) fn invoice(&mut self, amount: i64, id: &str) {
        self.line(amount, "applied_to_invoice", Some(id), None);
    }

    pub(super) fn void(&mut self, amount: i64, id: &str) {
        self.line(-amount, "unapplied_from_invoice", Some(id), None);
    }

    /// Delivered, applied and unused of a credit.
    fn of(&self, credit: &str) -> (i64, i64, i64) {
        let found = follow(&self.lines).unwrap().credits[credit];
        (found.delivered, found.applied(), found.unused)
    }
}

#[test]
fn an_older_credit_of_others_is_used_first() {
    let mut book = Book::default();
    book.theirs(-300);
    book.ours(-1000, "cr_1");
    book.invoice(800, "in_1");
    assert_eq!(book.of("cr_1"), (1000, 500, 500));
    let balance = follow(&book.lines).unwrap();
    assert_eq!(balance.reversible("cr_1", 1000), 500);
    assert_eq!(balance.reversible("cr_1", 200), 200);
    assert_eq!(balance.reversible("cr_2", 200), 0);
}

#[test]
fn a_newer_credit_of_others_is_used_last() {
    let mut book = Book::default();
    book.ours(-1000, "cr_1");
    book.theirs(-300);
    book.invoice(800, "in_1");
    assert_eq!(book.of("cr_1"), (1000, 800, 200));
    book.theirs(150);
    assert_eq!(book.of("cr_1"), (1000, 950, 50));
}

#[test]
fn used_in_part_and_taken_back_as_far_as_it_goes() {
    let mut book = Book::default();
    book.ours(-1000, "cr_1");
    book.invoice(600, "in_1");
    let wanted = follow(&book.lines).unwrap().reversible("cr_1", 1000);
    assert_eq!(wanted, 400);
    book.ours(wanted, "cr_1");
    assert_eq!(book.of("cr_1"), (600, 600, 0));
    // Given again later: a line of its own.
    book.ours(-400, "cr_1");
    assert_eq!(book.of("cr_1"), (1000, 600, 400));
}

#[test]
fn our_line_acts_on_the_credit_that_it_names() {
    let mut book = Book::default();
    book.ours(-1000, "cr_1");
    book.ours(-500, "cr_2");
    book.ours(300, "cr_2");
    assert_eq!(book.of("cr_1"), (1000, 0, 1000));
    assert_eq!(book.of("cr_2"), (200, 0, 200));
    book.invoice(1100, "in_1");
    assert_eq!(book.of("cr_1"), (1000, 1000, 0));
    assert_eq!(book.of("cr_2"), (200, 100, 100));
}

#[test]
fn what_is_owed_is_paid_from_the_next_credit() {
    let mut book = Book::default();
    book.theirs(300);
    book.ours(-1000, "cr_1");
    assert_eq!(book.of("cr_1"), (1000, 300, 700));
    assert_eq!(follow(&book.lines).unwrap().reversible("cr_1", 1000), 700);
}

#[test]
fn a_voided_invoice_gives_back_what_it_took() {
    let mut book = Book::default();
    book.theirs(-300);
    book.ours(-1000, "cr_1");
    book.invoice(500, "in_1");
    book.invoice(600, "in_2");
    assert_eq!(book.of("cr_1"), (1000, 800, 200));
    book.void(500, "in_1");
    assert_eq!(book.of("cr_1"), (1000, 600, 400));
    // Nothing is there to be given back a second time: it is a credit of Stripe's.
    book.void(500, "in_1");
    assert_eq!(book.of("cr_1"), (1000, 600, 400));
    // In part: the newest that was taken comes back first.
    book.void(250, "in_2");
    assert_eq!(book.of("cr_1"), (1000, 350, 650));
}

#[test]
fn used_between_the_look_and_the_line() {
    let mut book = Book::default();
    book.ours(-1000, "cr_1");
    book.invoice(600, "in_1");
    book.ours(1000, "cr_1");
    assert_eq!(put_back(1000, book.balance), 600);
    assert_eq!(put_back(1000, 1500), 1000);
    assert_eq!(put_back(1000, -1), 0);
    book.ours(-600, "cr_1");
    assert_eq!(book.of("cr_1"), (600, 600, 0));
    assert_eq!(book.balance, 0);
}

#[test]
fn others_have_paid_in_the_place_of_what_was_taken_back() {
    let mut book = Book::default();
    book.ours(-1000, "cr_1");
    book.theirs(-500);
    book.invoice(900, "in_1");
    book.ours(400, "cr_1");
    assert_eq!(book.of("cr_1"), (600, 600, 0));
    // The invoice is voided: 600 are ours again, and the other 300 theirs.
    book.void(900, "in_1");
    assert_eq!(book.of("cr_1"), (600, 0, 600));
    assert_eq!(book.balance, -1100);
}

#[test]
fn a_gap_in_the_lines_is_seen() {
    let mut book = Book::default();
    book.theirs(-300);
    book.ours(-1000, "cr_1");
    book.invoice(800, "in_1");
    for missing in 0..2 {
        let mut lines = book.lines.clone();
        lines.remove(missing);
        assert_eq!(follow(&lines), Err(HistoryUnclear), "{missing}");
    }
    book.lines.swap(0, 1);
    assert_eq!(follow(&book.lines), Err(HistoryUnclear));
    assert_eq!(follow(&[]).unwrap(), Balance::default());
}

fn happening(book: &mut Book, what: u8, amount: i64, which: u8) {
    let (credit, invoice) = (format!("cr_{}", which % 3), format!("in_{}", which % 4));
    match what {
        0 => book.ours(-amount, &credit),
        1 => book.ours(amount, &credit),
        2 => book.theirs(-amount),
        3 => book.theirs(amount),
        4 | 5 => book.invoice(amount, &invoice),
        _ => book.void(amount, &invoice),
    }
}

proptest! {
    /// Whatever happens: of a credit no more is left than we gave, and together with what is left of others,
    /// nothing is left beyond the balance.
    #[test]
    fn no_more_is_left_than_was_given(
        happenings in prop::collection::vec((0..7_u8, 1..1_000_i64, 0..12_u8), 0..60),
    ) {
        let mut book = Book::default();
        for (what, amount, which) in happenings {
            happening(&mut book, what, amount, which);
            let balance = follow(&book.lines).unwrap();
            prop_assert_eq!(balance.ends_at, book.balance);
            let mut left = 0;
            for (credit, found) in &balance.credits {
                prop_assert!(found.unused >= 0 && found.unused <= found.delivered);
                prop_assert!(found.applied() >= 0);
                let reversible = balance.reversible(credit, 700);
                prop_assert!((0..=700.min(found.unused)).contains(&reversible));
                prop_assert!(reversible <= (-book.balance).max(0));
                left += found.unused;
            }
            prop_assert!(left <= (-book.balance).max(0), "{} left of {}", left, book.balance);
        }
    }

    /// Where all credits are ours and nobody takes more than is there, what was taken is what was used.
    #[test]
    fn all_that_was_taken_was_used(
        happenings in prop::collection::vec((0..2_u8, 1..1_000_i64, 0..12_u8), 0..60),
    ) {
        let mut book = Book::default();
        let mut taken = 0;
        for (what, amount, which) in happenings {
            if what == 0 {
                book.ours(-amount, &format!("cr_{which}"));
            } else {
                let amount = amount.min(-book.balance);
                book.invoice(amount, "in_1");
                taken += amount;
            }
        }
        let balance = follow(&book.lines).unwrap();
        let applied: i64 = balance.credits.values().map(Use::applied).sum();
        prop_assert_eq!(applied, taken);
        let given: i64 = balance.credits.values().map(|found| found.delivered).sum();
        prop_assert_eq!(given - taken, -book.balance);
    }

    /// Taking back what can be taken back never leaves a debt, and leaves the use of all others as it was.
    #[test]
    fn what_can_be_taken_back_harms_nobody(
        happenings in prop::collection::vec((0..7_u8, 1..1_000_i64, 0..12_u8), 0..40),
        wanted in 0..2_000_i64,
    ) {
        let mut book = Book::default();
        for (what, amount, which) in happenings {
            happening(&mut book, what, amount, which);
        }
        book.ours(-700, "cr_1");
        let before = follow(&book.lines).unwrap();
        let amount = before.reversible("cr_1", wanted);
        book.ours(amount, "cr_1");
        prop_assert!(amount == 0 || book.balance <= 0);
        let after = follow(&book.lines).unwrap();
        for (credit, found) in &after.credits {
            prop_assert_eq!(found.applied(), before.credits[credit].applied());
        }
    }

    /// A line that is read twice counts once.
    #[test]
    fn pages_may_overlap(
        happenings in prop::collection::vec((0..7_u8, 1..1_000_i64, 0..12_u8), 1..40),
        (from, to) in (0..40_usize, 0..40_usize),
    ) {
        let mut book = Book::default();
        for (what, amount, which) in happenings {
            happening(&mut book, what, amount, which);
        }
        let (from, to) = (from.min(book.lines.len()), to.min(book.lines.len()));
        let (first, second) = (&book.lines[..to], &book.lines[from.min(to)..]);
        let overlapping: Vec<&Line> = first.iter().chain(second).collect();
        prop_assert_eq!(follow(overlapping), follow(&book.lines));
    }
}

#[test]
fn each_line_says_how_much_of_a_credit_it_used() {
    let mut book = Book::default();
    book.theirs(-300);
    book.ours(-1000, "cr_1");
    book.invoice(800, "in_1");
    book.invoice(300, "in_2");
    book.void(800, "in_1");
    let uses = uses_of(&book.lines, "cr_1").unwrap();
    let told = |uses: &[(&Line, i64)]| -> Vec<(String, i64)> {
        uses.iter()
            .map(|(line, units)| (line.id.clone(), *units))
            .collect()
    };
    let line = |number: usize, units| (format!("cbtxn_{number}"), units);
    assert_eq!(told(&uses), [line(2, 500), line(3, 300), line(4, -500)]);
    // Nothing is booked yet; then all but the last; then more than was used, as where a credit had two lines.
    assert_eq!(told(&explain(&uses, 300)), [line(3, 300)]);
    assert_eq!(told(&explain(&uses, 700)), [line(2, 400), line(3, 300)]);
    assert_eq!(told(&explain(&uses, -500)), [line(4, -500)]);
    assert_eq!(told(&explain(&uses, -900)), [line(4, -900)]);
    assert_eq!(told(&explain(&uses, 0)), []);
    assert_eq!(told(&explain(&[], 5)), []);
}
