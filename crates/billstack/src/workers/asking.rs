//! Work that asks Stripe: bounded in time, and no team waits for another's.

use std::collections::BTreeMap;
use std::time::Duration;

use billstack_store::Abort;
use billstack_store::work::Leased;
use futures_util::future::{join_all, try_join_all};

use super::{Next, finish, work};
use crate::app::App;

/// How long one row may ask. Twice that is less than a lease.
pub(super) const LONGEST: Duration = Duration::from_secs(20);

/// Does all of it, the teams side by side.
pub(super) async fn all(app: &App, claimed: Vec<Leased>) -> Result<(), Abort> {
    let mut teams = BTreeMap::<i64, Vec<Leased>>::new();
    for leased in claimed {
        teams.entry(leased.key.team).or_default().push(leased);
    }
    let teams = teams.into_values().map(|rows| of_team(app, rows));
    try_join_all(teams).await.map(|_| ())
}

/// The first row of a team finds out whether Stripe answers at all; if not, the others are put off.
async fn of_team(app: &App, rows: Vec<Leased>) -> Result<(), Abort> {
    let mut rows = rows.iter();
    if let Some(first) = rows.next() {
        one(app, first).await?;
    }
    let others = join_all(rows.map(|leased| one(app, leased))).await;
    others.into_iter().collect()
}

async fn one(app: &App, leased: &Leased) -> Result<(), Abort> {
    let next = match app.silence.holds(leased.key.team, app.now()) {
        true => Ok(Next::PutOff("Stripe does not answer".to_owned())),
        false => work(app, leased).await,
    };
    finish(app, leased, next).await
}
