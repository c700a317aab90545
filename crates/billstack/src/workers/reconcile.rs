//! Carrying on the runs that compare our books with Stripe's.

mod balances;
mod events;
mod payments;

use std::time::Duration;

use billstack_core::ids::TeamId;
use billstack_core::reconcile::Remedy;
use billstack_core::reconcile::walk::Stage;
use billstack_core::time::SECOND;
use billstack_store::reconcile::{self, Run, Turn, Wish};
use billstack_store::stripe_connection::{self, Connection};
use billstack_store::work::Leased;
use billstack_store::{Abort, Act, Actor, Refusal, Tx};
use tokio::time::Instant;

use super::asking::LONGEST;
use super::{LEASE, Next, finish};
use crate::app::App;
use crate::error::ApiError;
use crate::settings::SecretText;
use crate::stripe::{Failure, StripeError};

/// How long a row goes on before others that ask Stripe have their turn.
const TURN: Duration = Duration::from_secs(2);

/// How long a run waits before it looks whether the one before it is over.
const WAIT: i64 = SECOND;

/// How often a run is tried in vain before it counts as failed: for about a minute.
const MOST_TRIES: i64 = 6;

/// Why a run cannot go on.
enum Trouble {
    /// It does not help to try again; the text says why.
    Hopeless(String),
    /// It may be over later.
    Passing(ApiError),
}

impl<E: Into<ApiError>> From<E> for Trouble {
    fn from(error: E) -> Trouble {
        Trouble::Passing(error.into())
    }
}

/// What a run asks Stripe with.
struct Means<'a> {
    app: &'a App,
    team_id: &'a TeamId,
    connection: &'a Connection,
    key: &'a SecretText,
}

/// Asks for the run of the day.
pub(super) async fn day(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let team_id = reconcile::team_of_day(&leased.key);
    let wish = Wish {
        project_id: None,
        remedy: Remedy::CatchUp,
        is_whole: false,
        since: None,
    };
    let asked = write(app, move |tx, act| reconcile::ask(tx, act, &team_id, &wish));
    match asked.await {
        Ok(_) => {
            let tomorrow = app.now().plus(reconcile::EVERY);
            Ok(Next::Again(tomorrow, "{}".to_owned()))
        }
        // Whoever connects one has it asked for again.
        Err(Abort::Refused(Refusal::NoSecretKey)) => Ok(Next::Done),
        Err(abort) => Err(abort),
    }
}

/// Carries a run on for a while.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let team_id = reconcile::team_of_run(&leased.work)?;
    let taken = {
        let (team_id, run_id) = (team_id.clone(), leased.key.subject.clone());
        write(app, move |tx, act| {
            let turn = reconcile::take_up(tx, act, &team_id, &run_id)?;
            Ok((turn, stripe_connection::get(tx, &team_id)?))
        })
    };
    let (run, connection) = match taken.await? {
        (Turn::Ours(run), connection) => (*run, connection),
        (Turn::Another, _) => return Ok(again(app, leased, WAIT)),
        (Turn::Over, _) => return Ok(Next::Done),
    };
    if matches!(run.walk.stage, Stage::Other(_)) {
        // A newer version has taken it further than this one can.
        return Ok(again(app, leased, WAIT));
    }
    let run_id = run.id.clone();
    let went = go_on(app, &team_id, connection, run, leased.work.attempt);
    let why = match went.await {
        Ok(true) => return Ok(Next::Done),
        Ok(false) => return Ok(again(app, leased, 0)),
        Err(Trouble::Hopeless(why)) => why,
        Err(Trouble::Passing(error)) if leased.work.attempt < MOST_TRIES => {
            return Ok(Next::PutOff(error.to_string()));
        }
        Err(Trouble::Passing(error)) => error.to_string(),
    };
    tracing::warn!(
        team = team_id.as_str(),
        run_id,
        why,
        "a run of reconcile could not look"
    );
    let given_up = write(app, move |tx, act| {
        Ok(reconcile::give_up(tx, act, &team_id, &run_id, &why)?)
    });
    given_up.await?;
    Ok(Next::Done)
}

fn again(app: &App, leased: &Leased, wait: i64) -> Next {
    Next::Again(app.now().plus(wait), leased.work.facts.clone())
}

/// Goes on with a run; tells whether it is over.
async fn go_on(
    app: &App,
    team_id: &TeamId,
    connection: Option<Connection>,
    run: Run,
    attempt: i64,
) -> Result<bool, Trouble> {
    let no_key = || Trouble::Hopeless("the team is not connected with a secret key".to_owned());
    let connection = connection.ok_or_else(no_key)?;
    let key = app.key_of(team_id, &connection)?.ok_or_else(no_key)?;
    let means = Means {
        app,
        team_id,
        connection: &connection,
        key: &key,
    };
    let begin = Instant::now();
    let looking = async {
        let until = begin + TURN;
        let caught_up = events::look(&means, run, attempt, until).await;
        let looked = match caught_up {
            Ok(Some(run)) => balances::look(&means, run, until).await,
            unfinished => unfinished,
        };
        match looked {
            Ok(looked) => Ok(Ok(looked)),
            Err(Trouble::Hopeless(why)) => Ok(Err(why)),
            Err(Trouble::Passing(error)) => Err(error),
        }
    };
    let looked = app.in_time(team_id, begin + LONGEST, looking).await?;
    let Some(run) = looked.map_err(Trouble::Hopeless)? else {
        return Ok(false);
    };
    let team = team_id.clone();
    let completed = write(app, move |tx, act| {
        reconcile::complete(tx, act, &team, &run.id)
    });
    let run = completed.await?;
    if run.remedy == Remedy::CatchUp && run.found > 0 {
        let (team, run_id, found) = (team_id.as_str(), run.id, run.found);
        tracing::warn!(team, run_id, found, "the books and Stripe differed");
    }
    Ok(true)
}

/// What a failed call means for a run.
fn trouble(failure: Failure) -> Trouble {
    Trouble::Hopeless(match failure {
        Failure::Unauthorized => "Stripe does not accept the team's secret key".to_owned(),
        Failure::PermissionMissing(Some(name)) => {
            format!("the team's secret key lacks the permission {name}")
        }
        Failure::PermissionMissing(None) => "the team's secret key lacks a permission".to_owned(),
        Failure::Refused(refused) => {
            let code = refused.code.or(refused.kind).unwrap_or_default();
            format!("Stripe refused to tell ({code})")
        }
        other => return StripeError::from(other).into(),
    })
}

/// Carries on whichever run of the team has its turn, beside the workers, if nobody else does. Tells whether it did.
pub async fn carry_on(app: &App, team_id: &TeamId, run_id: &str) -> Result<bool, Abort> {
    let (team, run) = (team_id.clone(), run_id.to_owned());
    let claimed = write(app, move |tx, act| {
        let until = act.real().plus(LEASE);
        Ok(reconcile::lease(tx, act, &team, &run, until)?)
    });
    let Some(leased) = claimed.await? else {
        return Ok(false);
    };
    finish(app, &leased, work(app, &leased).await).await?;
    Ok(true)
}

async fn write<T: Send + 'static>(
    app: &App,
    op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
) -> Result<T, Abort> {
    let origin = app.origin(Actor::System, "job:reconcile");
    app.store.write(origin, op).await
}
