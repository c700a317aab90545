//! A database with its teams, and the server over it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use billstack_core::program::{Clawback, CreditDelivery};
use billstack_store::Place;
use serde_json::{Value, json};

use super::calls::call;
use super::stripe::Stripe;
use crate::Arguments;
use crate::books::Books;
use crate::process::Process;
use crate::reads::sign_in;
use crate::seed::Size;
use crate::setup::{SECRET, environment, initialise, serve};
use crate::workloads::Target;

/// Referrals that wait to convert in each team that delivers, but for the first.
pub(super) const TO_CONVERT: u64 = 300;

/// Between the first customers of two teams.
const APART: u64 = 1 << 20;

/// A team whose credits are brought to Stripe.
pub(super) struct Team {
    pub(super) target: Target,
    /// Its secret key of Stripe.
    pub(super) stripe_key: String,
    /// The number of its first customer.
    pub(super) first: u64,
}

/// A database, its server, and what is asked of it. The measured team keeps books only; the others deliver.
pub(super) struct World {
    pub(super) url: String,
    pub(super) process: Process,
    pub(super) measured: Target,
    pub(super) teams: Vec<Team>,
    environment: Vec<(String, String)>,
    program: PathBuf,
}

/// What a world is made of.
pub(super) struct Plan<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) stripe: &'a Stripe,
    pub(super) url: String,
    /// Where PostgreSQL keeps its data.
    pub(super) cluster: Option<PathBuf>,
    /// The people of the measured team.
    pub(super) size: Size,
}

/// Where a target is, as the store says it.
pub(super) fn place_of(target: &Target) -> Place {
    let place = &target.place;
    Place::new(place.team_id.clone(), place.project_id.clone())
}

impl World {
    /// Makes a database with its teams, connects them, fills the books by `fill` while no server runs, and starts the
    /// server again.
    pub(super) fn make(
        plan: Plan<'_>,
        fill: impl FnOnce(&Books, &[Team]) -> Result<(), String>,
    ) -> Result<World, String> {
        let Plan {
            arguments,
            stripe,
            url,
            ..
        } = plan;
        let mut measured = initialise(arguments, &url, plan.size)?;
        let environment = vec![("STRIPE_API_BASE".to_owned(), stripe.base_url().to_owned())];
        let process = serve(arguments, &url, &environment)?;
        let cookie = sign_in(process.address)?;
        let mut teams = Vec::new();
        for number in 0..arguments.teams {
            teams.push(team(&process, &cookie, &measured, number)?);
        }
        drop(process);
        let books = Books::open(&url)?;
        books.program(&place_of(&measured), CreditDelivery::Ledger, Clawback::None)?;
        let codes = books.people(&place_of(&measured), 0, plan.size)?;
        measured.codes = Some(Arc::new(codes));
        fill(&books, &teams)?;
        drop(books);
        let mut process = serve(arguments, &url, &environment)?;
        process.cluster = plan.cluster;
        Ok(World {
            url,
            process,
            measured,
            teams,
            environment,
            program: arguments.program.clone(),
        })
    }

    /// Makes a database in which so many credits wait, and no server runs.
    pub(super) fn only_books(plan: Plan<'_>, credits: u64) -> Result<Books, String> {
        let url = plan.url.clone();
        let world = World::make(plan, |books, teams| {
            let place = place_of(&teams[0].target);
            books.program(&place, CreditDelivery::StripeBalance, Clawback::Always)
        })?;
        let place = place_of(&world.teams[0].target);
        drop(world);
        let books = Books::open(&url)?;
        books.credits(&place, 0..credits)?;
        Ok(books)
    }

    /// Lets the server stand still, or go on.
    pub(super) fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// How long the server takes to verify the project of the measured team, in seconds.
    pub(super) fn verify_project(&self) -> Result<f64, String> {
        let address = self.process.address;
        let (cookie, place) = (sign_in(address)?, &self.measured.place);
        let path = format!(
            "/api/billstack/teams/{}/projects/{}/referrals/verify",
            place.team_id, place.project_id
        );
        let began = std::time::Instant::now();
        let told = call(address, &cookie, &path, &json!({}))?;
        match told["ok"] == true {
            true => Ok(began.elapsed().as_secs_f64()),
            false => Err(format!("{path}: {told}")),
        }
    }

    /// Whether `billstack verify` finds nothing, and how long it took in seconds.
    pub(super) fn verify(&self) -> Result<f64, String> {
        let began = std::time::Instant::now();
        let output = Command::new(&self.program)
            .arg("verify")
            .envs(environment(&self.url))
            .envs(self.environment.iter().cloned())
            .output()
            .map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(began.elapsed().as_secs_f64()),
            false => Err(format!(
                "verify: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }
}

/// Makes a team with a project, and connects it to Stripe.
fn team(process: &Process, cookie: &str, like: &Target, number: usize) -> Result<Team, String> {
    let address = process.address;
    let ask = |path: &str, body: &Value| call(address, cookie, path, body);
    let id = |answer: &Value, of: &str| answer[of]["id"].as_str().unwrap_or_default().to_owned();
    let teams = "/api/billstack/teams";
    let made = ask(teams, &json!({"name": format!("Team {number}")}))?;
    let team_id = id(&made, "team");
    let made = ask(
        &format!("{teams}/{team_id}/projects"),
        &json!({"name": "Project"}),
    )?;
    let stripe_key = format!("sk_test_bench{number}");
    let secrets = json!({"secretKey": stripe_key, "webhookSecret": SECRET});
    ask(&format!("{teams}/{team_id}/stripe/connect"), &secrets)?;
    let mut target = like.clone();
    target.place.team_id = team_id.into();
    target.place.project_id = id(&made, "project").into();
    target.size = Size {
        referrals: 0,
        waiting: TO_CONVERT,
        fresh: 0,
    };
    target.used = Arc::default();
    target.converted = Arc::default();
    Ok(Team {
        target,
        stripe_key,
        first: APART * (number as u64 + 1),
    })
}
