//! `billstack demo`: the real server, a throw-away database, and the whole life of a referral.

mod history;
mod money;
mod player;
mod story;
mod stripe;

use std::path::Path;

use billstack_core::time::DAY;
use billstack_store::upkeep::Kind;
use billstack_store::users::NewUser;
use billstack_store::{Actor, Place, verify};
use fake_stripe::FakeStripe;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::init::{Foundation, Founded, found};
use super::output::{Failure, say};
use super::serve::{Stop, address_of, finish, listen, open, runtime};
use super::upkeep;
use crate::app::Shared;
use crate::clock::Clock;
use crate::secrets::{new_token, random_bytes};
use crate::server::run as serve_until;
use crate::settings::{SecretText, Settings, SettingsArgs};
use crate::telemetry;
use crate::tickets::Ticket;
use history::Lived;
use player::{Player, Shows};

pub(super) const EXAMPLES: &str = "\
Nothing of yours is touched: whatever DATABASE_URL says, the data lies in a temporary directory that
is removed at the end. Stripe is not called: what stands in for it runs in this process, and signs as Stripe would. With
--verbose, every line that starts with curl can be pasted into another terminal while the demo runs.

Examples:
  billstack demo
  billstack demo --verbose --days 0
  billstack demo --listen 127.0.0.1:0";

/// The settings that matter to a demo.
pub(super) const SETTINGS: &[&str] = &["listen", "log", "log_format"];

#[derive(clap::Args)]
pub(super) struct DemoArgs {
    /// Show each call as curl, and its whole answer
    #[arg(long)]
    verbose: bool,

    /// How many days of a shop are lived first, in seconds; with 0 there is only the story
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u16).range(0..=365))]
    days: u16,
}

/// Where it listens when nobody says, if that is free.
const USUAL_ADDRESS: &str = "127.0.0.1:8080";

/// Where it listens otherwise.
const ANY_PORT: &str = "127.0.0.1:0";

const EMAIL: &str = "owner@example.com";

/// Plays the story, then serves until a signal.
pub(super) fn run(settings: &SettingsArgs, args: &DemoArgs) -> Result<(), Failure> {
    let directory = tempfile::Builder::new()
        .prefix("billstack-demo-")
        .tempdir()
        .map_err(|error| {
            Failure::refused(format_args!("cannot make a temporary directory: {error}"))
        })?;
    let played = run_in(&directory, settings, args);
    // Removed also when the story failed; the server has let go of it by now.
    let removed = directory.close();
    played?;
    removed.map_err(|error| {
        Failure::refused(format_args!(
            "cannot remove the temporary directory: {error}"
        ))
    })
}

fn run_in(directory: &TempDir, args: &SettingsArgs, demo: &DemoArgs) -> Result<(), Failure> {
    let days = i64::from(demo.days);
    telemetry::init_metrics();
    let runtime = runtime()?;
    let stand_in = runtime.block_on(FakeStripe::start());
    let settings = super::quiet(&demo_args(directory.path(), args, &stand_in))?;
    let mut stop = Stop::new(&runtime)?;
    let listener = runtime.block_on(listen_somewhere(args, &settings))?;
    let clock = Clock::ahead(-days * DAY);
    let app = open(settings, clock.clone(), address_of(&listener)?)?;
    let result = set_up(&runtime, &app).and_then(|scene| {
        let world = World {
            app: &app,
            stand_in: &stand_in,
            scene: &scene,
            clock: &clock,
            days,
        };
        runtime.block_on(play_and_serve(&world, listener, &mut stop, demo))
    });
    finish(runtime, app);
    result
}

/// The settings of the caller, except for those that would lead to data or addresses of theirs.
fn demo_args(directory: &Path, args: &SettingsArgs, stand_in: &FakeStripe) -> SettingsArgs {
    let file = directory.join("demo.db");
    SettingsArgs {
        database_url: Some(format!("sqlite://{}", file.display())),
        base_url: None,
        stripe_api_base: Some(stand_in.base_url()),
        secret_key: None,
        wait_for_database: None,
        // Months are lived in seconds.
        rate_limit: Some("1000000".to_owned()),
        stripe_rate: Some("100".to_owned()),
        // Whatever receives the webhooks of the history is on this machine.
        webhook_allowed_networks: Some("127.0.0.0/8".to_owned()),
        // A warning of what the story does on purpose would only be a riddle.
        log: args.log.clone().or_else(|| Some("error".to_owned())),
        ..args.clone()
    }
}

async fn listen_somewhere(
    args: &SettingsArgs,
    settings: &Settings,
) -> Result<TcpListener, Failure> {
    if args
        .listen
        .as_ref()
        .is_some_and(|address| !address.is_empty())
    {
        return listen(&settings.listen).await;
    }
    match TcpListener::bind(USUAL_ADDRESS).await {
        Ok(listener) => Ok(listener),
        Err(_) => listen(ANY_PORT).await,
    }
}

/// Who and what the story begins with.
struct Scene {
    founded: Founded,
    password: String,
    webhook_secret: String,
}

/// What the story is played in.
pub(super) struct World<'w> {
    /// The server.
    pub(super) app: &'w Shared,
    /// What stands in for Stripe.
    pub(super) stand_in: &'w FakeStripe,
    scene: &'w Scene,
    /// The clock of the server, which is set back at the beginning.
    clock: &'w Clock,
    /// By how many days.
    days: i64,
}

impl World<'_> {
    /// The project of the story.
    pub(super) fn place(&self) -> Place {
        let founded = &self.scene.founded;
        Place::new(founded.team_id.clone(), founded.project_id.clone())
    }
}

/// What `billstack init` does.
fn set_up(runtime: &Runtime, app: &Shared) -> Result<Scene, Failure> {
    let password: String = new_token().chars().take(16).collect();
    let hash = runtime.block_on(app.passwords.hash(password.clone()));
    let webhook_secret = format!("whsec_{}", hex::encode(random_bytes::<16>()));
    let foundation = Foundation {
        user: NewUser {
            email: EMAIL.to_owned(),
            name: "Olive Owner".to_owned(),
            password_hash: hash.map_err(Failure::refused)?,
        },
        team: "Acme".to_owned(),
        project: "Rockets".to_owned(),
        webhook_secret: Some(SecretText::new(webhook_secret.as_str())),
        secret_key: Some(SecretText::new(stripe::SECRET_KEY)),
    };
    let founded = found(&app.store, app.cipher.clone(), foundation, &app.local_url)?;
    Ok(Scene {
        founded,
        password,
        webhook_secret,
    })
}

async fn play_and_serve(
    world: &World<'_>,
    listener: TcpListener,
    stop: &mut Stop,
    demo: &DemoArgs,
) -> Result<(), Failure> {
    let (app, scene) = (world.app, world.scene);
    let (stopped, stopping) = oneshot::channel::<()>();
    let server = tokio::spawn({
        let app = Shared::clone(app);
        async move {
            let stopping = async {
                // It is never sent to: letting go of it is the signal.
                let _ = stopping.await;
            };
            serve_until(&app, listener, stopping).await;
        }
    });
    let shows = match demo.verbose {
        true => Shows::Calls,
        false => Shows::Ticks,
    };
    let mut player = Player::new(&app.local_url, &scene.founded, &scene.webhook_secret, shows)?;
    let result = tokio::select! {
        told = tell(&mut player, world) => told,
        () = stop.requested() => Err(Failure::interrupted()),
    };
    // Who receives the webhooks does so as long as it serves.
    let lived = match result {
        Ok(lived) => {
            stop.requested().await;
            Ok(lived)
        }
        Err(failure) => Err(failure),
    };
    drop(stopped);
    let _ = server.await;
    lived.map(drop)
}

/// Plays the story, asks every rule of `billstack verify` about what it has left, and says what that proves.
async fn tell(player: &mut Player, world: &World<'_>) -> Result<Option<Lived>, Failure> {
    let lived = match world.days {
        0 => None,
        days => Some(history::live(world, days).await?),
    };
    story::play(player, world).await?;
    let began_at = upkeep::begin();
    let breaches = world.app.store.scan(|tx| Ok(verify::verify(tx)?)).await?;
    if let Some(breach) = breaches.first() {
        return Err(Failure::refused(breach));
    }
    let run = upkeep::run(began_at, 0);
    let origin = world.app.origin(Actor::CommandLine, "demo");
    let noted = world.app.store.write(origin, move |tx, _| {
        Ok(billstack_store::upkeep::note(tx, Kind::Verify, &run)?)
    });
    noted.await?;
    say(PROVED)?;
    let rules = verify::rules().count();
    say(format_args!(
        "  - all {rules} rules of `billstack verify` hold for what is in the database"
    ))?;
    let place = lived
        .as_ref()
        .map_or_else(|| world.place(), |lived| lived.place.clone());
    farewell(world, &place)?;
    Ok(lived)
}

/// What the steps have shown, each of which was checked.
const PROVED: &str = "
What was proved:
  - nobody uses their own code, and a forged event changes nothing
  - Stripe told of the subscription three times, and it counted once
  - both sides had the credit that they were promised: Ada $10.00, Grace $5.00
  - both reached the balances in Stripe, one line each, and an invoice of Ada's used $4.00 of hers
  - a refund of 30 % took 30 % of both back, from what was left there
  - the month foots: granted, less used and taken back, is what is owed
  - the referral tells who did what, and which event converted it";

fn farewell(world: &World<'_>, place: &Place) -> Result<(), Failure> {
    let (app, scene) = (world.app, world.scene);
    let url = &app.local_url;
    let Founded {
        team_id,
        project_id,
        api_key,
        webhook_url,
        ..
    } = &scene.founded;
    let ticket = app.tickets.make(Ticket {
        user_id: scene.founded.user_id.clone(),
        leads_to: format!("/t/{}/p/{}", place.team_id, place.project_id),
    });
    say(format_args!(
        "\nThat was the whole life of a referral. The server goes on for you to try more:\n\n\
         \x20 Look      {url}/sign-in/{ticket}\n\
         \x20           signs in once; later as {EMAIL}, password {}\n\
         \x20 API       {url}/api/billstack/teams/{team_id}/projects/{project_id}\n\
         \x20 API key   {api_key}\n\
         \x20 Docs      {url}/docs\n\
         \x20 OpenAPI   {url}/openapi.json\n\
         \x20 Webhooks  {webhook_url}\n\
         \x20           signed with {}\n\n\
         Ctrl-C ends it and removes the data.",
        scene.password, scene.webhook_secret
    ))
}
