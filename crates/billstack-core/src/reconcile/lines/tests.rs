use proptest::prelude::*;

use super::*;

fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}

fn ours<'a>(id: &'a str, state: State, line: Option<&'a str>) -> Ours<'a> {
    Ours {
        id,
        credit: "cr_1",
        state,
        is_settled: true,
        line,
        amount: -1000,
        currency: usd(),
        description: "Referral credit",
        metadata: BTreeMap::from([(OPERATION, id), (CREDIT, "cr_1")]),
        takes_back: None,
    }
}

fn theirs<'a>(id: &'a str, operation: &'a str, created: i64) -> Theirs<'a> {
    Theirs {
        id,
        amount: -1000,
        currency: "usd",
        ending_balance: -1000,
        description: "Referral credit",
        metadata: BTreeMap::from([(OPERATION, operation), (CREDIT, "cr_1")]),
        created: Micros(created),
    }
}

/// The differences, as texts.
fn found(ours: &[Ours<'_>], theirs: &[Theirs<'_>]) -> Vec<String> {
    let text = |one: Difference<'_>| {
        let (operation, line) = (one.operation.unwrap_or("-"), one.line.unwrap_or("-"));
        format!("{} {operation} {line} {:?}", one.kind, one.cure)
    };
    compare(ours, theirs).into_iter().map(text).collect()
}

#[test]
fn what_agrees_is_not_told() {
    let ours = [ours("op_1", State::Delivered, Some("line_1"))];
    let mut lines = vec![theirs("line_1", "op_1", 1)];
    assert!(found(&ours, &lines).is_empty());
    // A line of somebody else, and a word that somebody has added.
    let mut foreign = theirs("line_2", "op_1", 2);
    foreign.metadata.clear();
    lines.push(foreign);
    lines[0].metadata.insert("note", "x");
    assert!(found(&ours, &lines).is_empty());
}

#[test]
fn a_line_that_is_gone_is_called_anew() {
    let done = ours("op_1", State::Delivered, Some("line_1"));
    assert_eq!(found(&[done], &[]), ["missing op_1 - CallAnew"]);
    for state in [
        State::Queued,
        State::NeedsAttention,
        State::InFlight,
        State::Unknown,
    ] {
        assert!(found(&[ours("op_1", state, None)], &[]).is_empty());
    }
}

#[test]
fn a_line_that_we_do_not_count_is_adopted() {
    let lines = [theirs("line_1", "op_1", 1)];
    for state in [State::Queued, State::NeedsAttention] {
        let told = found(&[ours("op_1", state, None)], &lines);
        assert_eq!(told, ["undelivered_but_present op_1 line_1 Adopt"]);
    }
    // It looks by itself.
    for state in [State::InFlight, State::Unknown] {
        assert!(found(&[ours("op_1", state, None)], &lines).is_empty());
    }
}

#[test]
fn the_second_line_is_taken_back_once() {
    let one = ours("op_1", State::Delivered, Some("line_2"));
    let lines = [theirs("line_1", "op_1", 1), theirs("line_2", "op_1", 2)];
    let told = found(std::slice::from_ref(&one), &lines);
    assert_eq!(
        told,
        ["doubled op_1 line_1 TakeBack"],
        "ours is the one that we know"
    );
    let mut repair = ours("op_2", State::Queued, None);
    repair.takes_back = Some("line_1");
    assert!(found(&[one, repair], &lines).is_empty());
    let unknown = ours("op_1", State::NeedsAttention, None);
    let told = found(&[unknown], &lines);
    let wanted = [
        "undelivered_but_present op_1 line_1 Adopt",
        "doubled op_1 line_2 TakeBack",
    ];
    assert_eq!(told, wanted, "else the earliest is");
}

#[test]
fn what_was_taken_twice_is_for_a_person() {
    let mut one = ours("op_1", State::Delivered, Some("line_1"));
    let mut lines = [theirs("line_1", "op_1", 1), theirs("line_2", "op_1", 2)];
    one.amount = 1000;
    lines.iter_mut().for_each(|line| line.amount = 1000);
    assert_eq!(found(&[one], &lines), ["doubled op_1 line_2 TakeNote"]);
}

#[test]
fn what_differs_in_amount_or_words_is_for_a_person() {
    let one = [ours("op_1", State::Delivered, Some("line_1"))];
    let mut line = theirs("line_1", "op_1", 1);
    line.amount = -999;
    assert_eq!(
        found(&one, &[line]),
        ["amount_differs op_1 line_1 TakeNote"]
    );
    let mut line = theirs("line_1", "op_1", 1);
    line.currency = "eur";
    assert_eq!(
        found(&one, &[line]),
        ["amount_differs op_1 line_1 TakeNote"]
    );
    // Without its words it is still known by its id.
    let mut line = theirs("line_1", "op_1", 1);
    line.metadata.clear();
    assert_eq!(found(&one, &[line]), ["edited op_1 line_1 TakeNote"]);
    let mut line = theirs("line_1", "op_1", 1);
    line.description = "Gift";
    assert_eq!(found(&one, &[line]), ["edited op_1 line_1 TakeNote"]);
    // It was written by an operation that we had lost, and is its own since.
    assert!(found(&one, &[theirs("line_1", "op_lost", 1)]).is_empty());
    let mut line = theirs("line_1", "mine", 1);
    assert_eq!(
        found(&one, &[line.clone()]),
        ["edited op_1 line_1 TakeNote"]
    );
    line.metadata.insert(OPERATION, "op_lost");
    line.metadata.insert(CREDIT, "mine");
    assert_eq!(found(&one, &[line]), ["edited op_1 line_1 TakeNote"]);
    let mut second = theirs("line_2", "op_1", 2);
    second.amount = -5;
    let lines = [theirs("line_1", "op_1", 1), second];
    assert_eq!(found(&one, &lines), ["amount_differs op_1 line_2 TakeNote"]);
}

#[test]
fn a_line_of_an_operation_that_we_do_not_have_is_unknown() {
    let lines = [theirs("line_1", "op_x", 1)];
    assert_eq!(found(&[], &lines), ["unknown - line_1 TakeNote"]);
}

#[test]
fn an_unknown_line_is_the_delivery_of_a_credit_that_waits_for_it() {
    let lines = [theirs("line_1", "op_x", 1)];
    for state in [State::Queued, State::NeedsAttention] {
        let told = found(&[ours("op_1", state, None)], &lines);
        assert_eq!(told, ["unknown op_1 line_1 Adopt"]);
    }
    let two = [theirs("line_2", "op_y", 2), theirs("line_1", "op_x", 1)];
    let told = found(&[ours("op_1", State::Queued, None)], &two);
    let wanted = ["unknown op_1 line_1 Adopt", "unknown - line_2 TakeNote"];
    assert_eq!(told, wanted, "it is delivered once");
    let not_its = ["unknown - line_1 TakeNote"];
    let mut other = ours("op_1", State::Queued, None);
    other.credit = "cr_2";
    assert_eq!(found(&[other], &lines), not_its);
    let mut less = ours("op_1", State::Queued, None);
    less.amount = -999;
    assert_eq!(found(&[less], &lines), not_its);
    let mut busy = ours("op_1", State::Queued, None);
    busy.is_settled = false;
    assert_eq!(found(&[busy], &lines), not_its);
    let done = ours("op_1", State::Delivered, Some("line_0"));
    let its = theirs("line_0", "op_1", 1);
    assert_eq!(found(&[done], &[its, lines[0].clone()]), not_its);
}

#[test]
fn what_does_not_stand_still_is_not_judged() {
    let mut one = ours("op_1", State::Delivered, Some("line_1"));
    one.is_settled = false;
    assert!(found(std::slice::from_ref(&one), &[]).is_empty());
    let mut line = theirs("line_1", "op_1", 1);
    line.amount = -1;
    let lines = [line, theirs("line_2", "op_1", 2)];
    assert!(found(&[one], &lines).is_empty());
}

#[test]
fn what_was_taken_note_of_is_told_again_when_it_changes() {
    let line = theirs("line_1", "op_1", 1);
    let before = appearance(Drift::Edited, &line);
    assert_eq!(before.len(), 32);
    assert_eq!(appearance(Drift::Edited, &line.clone()), before);
    assert_ne!(appearance(Drift::Unknown, &line), before);
    for change in [
        |line: &mut Theirs<'_>| line.amount += 1,
        |line: &mut Theirs<'_>| line.description = "",
        |line: &mut Theirs<'_>| line.metadata.clear(),
        |line: &mut Theirs<'_>| line.currency = "eur",
    ] {
        let mut changed = line.clone();
        change(&mut changed);
        assert_ne!(appearance(Drift::Edited, &changed), before);
    }
}

const STATES: [State; 5] = [
    State::Queued,
    State::InFlight,
    State::Unknown,
    State::Delivered,
    State::NeedsAttention,
];

proptest! {
    /// After every cure nothing is left but what a person has to look at.
    #[test]
    fn a_second_look_finds_nothing_that_can_be_cured(
        operations in proptest::collection::vec((0..5_usize, 0..4_usize, any::<bool>()), 0..5),
    ) {
        let ids: Vec<String> = (0..operations.len()).map(|n| format!("op_{n}")).collect();
        let names: Vec<Vec<String>> = ids
            .iter()
            .zip(&operations)
            .map(|(id, (_, lines, _))| (0..*lines).map(|n| format!("{id}_line_{n}")).collect())
            .collect();
        let mut ours_now = Vec::new();
        let mut lines = Vec::new();
        for ((id, (state, _, is_known)), names) in ids.iter().zip(&operations).zip(&names) {
            let known = names.last().filter(|_| *is_known).map(String::as_str);
            ours_now.push(ours(id, STATES[*state], known));
            lines.extend(names.iter().zip(0..).map(|(name, at)| theirs(name, id, at)));
        }
        let first = compare(&ours_now, &lines);
        let mut reversed: Vec<_> = lines.iter().rev().cloned().collect();
        prop_assert_eq!(&compare(&ours_now, &reversed), &first, "order does not matter");
        for difference in first {
            let one = ours_now.iter_mut().find(|one| Some(one.id) == difference.operation);
            match (difference.cure, one) {
                (Cure::CallAnew, Some(one)) => one.state = State::Queued,
                (Cure::Adopt, Some(one)) => {
                    one.state = State::Delivered;
                    one.line = difference.line;
                }
                (Cure::TakeBack, _) => {
                    let mut repair = ours("op_repair", State::Queued, None);
                    repair.takes_back = difference.line;
                    ours_now.push(repair);
                }
                _ => {}
            }
        }
        reversed.sort_by_key(|line| line.created);
        prop_assert!(compare(&ours_now, &reversed).is_empty());
    }
}
