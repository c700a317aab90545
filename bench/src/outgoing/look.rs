//! What it costs a transaction to look whether anybody is told of its events: the clock of the project is asked for with
//! that question and without.

use std::time::Instant;

use billstack_store::seam::tx::Question;
use billstack_store::{Abort, Place, Tx, params, prepare};

use crate::books::Books;

/// How often it is asked in one transaction.
const TIMES: u32 = 2_000;

/// How many transactions of each kind there are, by turns.
const TURNS: usize = 15;

/// What asking both takes longer than asking for the clock alone, in microseconds: the median of all turns.
pub(super) fn price(url: &str, place: &Place) -> Result<f64, String> {
    let books = Books::open(url)?;
    let text = |name: &str| {
        let all = prepare::statements().into_iter();
        let found = all.filter(|(of, _)| of == name).map(|(_, sql)| sql).next();
        found.ok_or(format!("no statement {name}"))
    };
    let both = [
        text("projects::CLOCK")?,
        text("webhook_endpoints::LISTENING")?,
    ];
    let mut prices = Vec::new();
    for _ in 0..TURNS {
        let mut took = [0.0; 2];
        for (number, took) in (1..).zip(&mut took) {
            let (asked, place) = (both[..number].to_vec(), place.clone());
            *took = books.write(move |tx, _| ask(tx, &asked, &place))?;
        }
        prices.push(took[1] - took[0]);
    }
    Ok(super::median(prices.into_iter()))
}

/// How long it takes to ask all of these at once, in microseconds.
fn ask(tx: &mut dyn Tx, all: &[String], place: &Place) -> Result<f64, Abort> {
    let scope = params![&place.team_id, &place.project_id];
    let once = |tx: &mut dyn Tx| {
        let questions = all.iter().map(|sql| Question::new(sql, scope, |_| Ok(())));
        tx.ask_together(&mut questions.collect::<Vec<_>>())
    };
    once(tx)?;
    let began = Instant::now();
    for _ in 0..TIMES {
        once(tx)?;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES))
}
