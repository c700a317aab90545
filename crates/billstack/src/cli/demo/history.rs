//! A project that has months behind it, so that there is something to look at.
//!
//! The clocks of the server and of what stands in for Stripe are set back, and the days are lived one after another: people
//! sign up by the API, Stripe tells of what they pay, and the server's own workers do whatever becomes due. Nothing is
//! written into the database by hand, so every cent of it can be explained.

mod agenda;
mod days;
mod finale;
mod people;
mod receivers;
mod shop;

use std::time::Duration;

use billstack_core::time::{DAY, SECOND};
use billstack_store::{Actor, Place, projects};
use reqwest::Method;
use serde_json::json;

use self::agenda::Agenda;
use self::people::Town;
use self::receivers::Receivers;
use self::shop::Shop;
use super::World;
use super::story::text;
use crate::cli::output::{Failure, say};
use crate::clock::{Clock, Hands};

/// How long the workers have at the end of a day. What they do not manage, they do the next day.
const NIGHT: Duration = Duration::from_millis(40);

/// How often somebody who waits is told how far it has come, in days.
const TOLD_EVERY: i64 = 30;

/// How long they have at the end, for what is left.
const LAST_NIGHT: Duration = Duration::from_secs(2);

/// What is left of the history: where it is, and who still answers the webhooks there.
pub(super) struct Lived {
    pub(super) place: Place,
    /// They answer until this goes.
    _receivers: Receivers,
}

/// The clocks, which are moved together.
struct Clocks<'w> {
    world: &'w World<'w>,
    hands: &'w Hands,
    /// How far they are behind the time of day, in microseconds.
    behind: i64,
}

impl Clocks<'_> {
    /// Lets so many seconds pass, but not beyond the time of day.
    fn pass(&mut self, seconds: i64) {
        let micros = (seconds * SECOND).min(self.behind);
        self.world.stand_in.clock().advance(micros / SECOND);
        self.hands.move_by(micros);
        self.behind -= micros;
    }

    /// Lets time pass until so many days are left.
    fn pass_until(&mut self, days_left: i64) {
        self.pass((self.behind - days_left * DAY) / SECOND);
    }
}

/// Lives the days. The clock of the server has been set back by so many days.
pub(super) async fn live(world: &World<'_>, days: i64) -> Result<Lived, Failure> {
    let Clock::Moved(hands) = world.clock else {
        return Err(Failure::refused("the clock of a demo can be moved"));
    };
    say(format_args!(
        "{days} days of a shop are lived first, so that there is something to look at …"
    ))?;
    world.stand_in.clock().advance(-days * DAY / SECOND);
    let mut clocks = Clocks {
        world,
        hands,
        behind: days * DAY,
    };
    let place = make_project(world).await?;
    let receivers = Receivers::start().await?;
    let mut shop = Shop::new(world, &place, days)?;
    shop.open(&receivers).await?;
    let (mut town, mut agenda) = (Town::new(), Agenda::default());
    shop.first_customers(&mut town, &mut agenda).await?;
    for day in 0..days {
        shop.live(day, &mut town, &mut agenda, &mut clocks).await?;
        shop.decide(day, &receivers).await?;
        clocks.pass_until(days - day - 1);
        tokio::time::sleep(NIGHT).await;
        if (day + 1) % TOLD_EVERY == 0 {
            say(format_args!(
                "  day {}: {} customers",
                day + 1,
                town.people.len()
            ))?;
        }
    }
    tokio::time::sleep(LAST_NIGHT).await;
    finale::play(&shop, &town).await?;
    say(format_args!(
        "… {} customers, {} of them by a friend.\n",
        town.people.len(),
        town.people.iter().filter(|one| one.is_brought).count()
    ))?;
    Ok(Lived {
        place,
        _receivers: receivers,
    })
}

async fn make_project(world: &World<'_>) -> Result<Place, Failure> {
    let founded = &world.scene.founded;
    let origin = world
        .app
        .origin(Actor::User(founded.user_id.clone()), "demo");
    let team_id = founded.team_id.clone();
    let made = world.app.store.write(origin, move |tx, act| {
        let project = projects::create(tx, act, &team_id, "App")?;
        Ok(Place::new(team_id.clone(), project.id))
    });
    Ok(made.await?)
}

impl Shop<'_> {
    /// Sets the program, the links and the endpoints up.
    async fn open(&mut self, receivers: &Receivers) -> Result<(), Failure> {
        self.promise(1000, None).await?;
        let links = json!({"enabled": true, "landingUrl": "https://app.example.com/welcome"});
        let set_up = self
            .call(Method::PUT, "/links/settings", links, 200)
            .await?;
        self.slug = text(&set_up, "/settings/slug")?;
        let endpoint = json!({"url": receivers.well(), "description": "Product analytics"});
        self.call(Method::POST, "/webhook-endpoints", endpoint, 201)
            .await?;
        Ok(())
    }
}
