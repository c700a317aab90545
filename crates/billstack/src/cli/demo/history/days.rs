//! The days: who comes, who pays, who clicks, and what the people of the shop decide.

use fake_stripe::{NewInvoice, Subscription};
use reqwest::Method;
use serde_json::json;

use super::Clocks;
use super::agenda::{Agenda, Deed};
use super::people::Town;
use super::receivers::Receivers;
use super::shop::Shop;
use crate::cli::output::Failure;

/// What a month of the shop costs, in cents.
const PRICE: i64 = 2900;

/// What the shop promises a referrer later on, in cents.
const MORE: i64 = 1500;

/// How much of the budget is used when it is set, of a hundred.
const USED: i64 = 87;

/// The days on which something happens once, as they are counted from the first.
struct Turns {
    /// From here on the shop promises more.
    more: i64,
    /// Whoever subscribes next after it is deleted in Stripe before their credit comes.
    gone: i64,
    /// The program gets a budget.
    budget: i64,
    /// An endpoint is added that never works.
    broken: i64,
}

impl Turns {
    fn of(days: i64) -> Turns {
        Turns {
            more: days * 5 / 12,
            gone: days - 25,
            budget: days - 5,
            broken: days - 3,
        }
    }
}

impl Shop<'_> {
    /// One day.
    pub(super) async fn live(
        &self,
        day: i64,
        town: &mut Town,
        agenda: &mut Agenda,
        clocks: &mut Clocks<'_>,
    ) -> Result<(), Failure> {
        self.count_clicks(town);
        for deed in agenda.of(day) {
            clocks.pass(town.between(60, 1_200));
            self.act(day, deed, town, agenda).await?;
            self.tell().await?;
        }
        let of_100 = if day < Turns::of(self.days).more {
            35
        } else {
            55
        };
        for _ in 0..1 + day / 40 + town.between(0, 2) {
            clocks.pass(town.between(600, 7_200));
            let number = self.sign_up(town).await?;
            if town.chance(of_100) {
                self.bring(town, number).await?;
            }
            if town.chance(64) {
                agenda.plan(day + town.between(1, 10), Deed::Subscribe(number));
            }
        }
        Ok(())
    }

    /// What the people who run the shop decide on some days.
    pub(super) async fn decide(&self, day: i64, receivers: &Receivers) -> Result<(), Failure> {
        let turns = Turns::of(self.days);
        if day == turns.more {
            self.promise(MORE, None).await?;
        }
        if day == turns.budget {
            self.promise(MORE, Some(self.granted().await? * 100 / USED))
                .await?;
        }
        if day == turns.broken {
            let types = ["referral.converted", "customer.created"];
            let endpoint = json!({"url": receivers.broken(), "description": "CRM", "types": types});
            self.call(Method::POST, "/webhook-endpoints", endpoint, 201)
                .await?;
        }
        Ok(())
    }

    /// What was granted so far, in cents.
    async fn granted(&self) -> Result<i64, Failure> {
        let stats = self
            .call(Method::GET, "/referrals/stats?days=1", None, 200)
            .await?;
        let sides = stats["stats"]["credits"].as_array();
        let amounts = sides
            .into_iter()
            .flatten()
            .map(|side| side["amount"].as_i64());
        Ok(amounts.flatten().sum())
    }

    /// Promises the referrer so much, in cents, within a budget.
    pub(super) async fn promise(&self, amount: i64, budget: Option<i64>) -> Result<(), Failure> {
        let program = json!({
            "enabled": true, "referrerCreditAmount": amount, "refereeCreditAmount": 500, "currency": "usd",
            "holdDays": 14, "creditDelivery": "stripe_balance", "clawback": "always", "budget": budget,
        });
        self.call(Method::PUT, "/referrals/config", program, 200)
            .await?;
        Ok(())
    }

    async fn act(
        &self,
        day: i64,
        deed: Deed,
        town: &mut Town,
        agenda: &mut Agenda,
    ) -> Result<(), Failure> {
        let money = self.world.stand_in.money();
        match deed {
            Deed::Subscribe(number) => {
                self.subscribe(day, number, town, agenda);
                let is_gone = day >= Turns::of(self.days).gone && town.people[number].is_brought;
                if is_gone && !town.has_lost {
                    town.has_lost = true;
                    agenda.forget(number);
                    agenda.plan(day + 3, Deed::Vanish(number));
                    return Ok(());
                }
                if town.chance(50) {
                    self.share(town, number).await?;
                }
            }
            Deed::Renew(number, subscription) => {
                let invoice = NewInvoice::new(&town.people[number].stripe, PRICE, "usd");
                let invoice = invoice.subscription(&subscription);
                money.paid(&invoice.billing_reason("subscription_cycle"));
                agenda.plan(day + 30, Deed::Renew(number, subscription));
            }
            Deed::Vanish(number) => money.delete_customer(&town.people[number].stripe),
            Deed::Refund(_, charge, of_100) => {
                money.refund(&charge, PRICE * of_100 / 100);
            }
            Deed::Dispute(_, charge) => {
                money.dispute(&charge, PRICE);
            }
        }
        Ok(())
    }

    /// Somebody subscribes, and pays for the first month.
    pub(super) fn subscribe(&self, day: i64, number: usize, town: &mut Town, agenda: &mut Agenda) {
        let (money, now) = (
            self.world.stand_in.money(),
            self.world.stand_in.clock().now(),
        );
        let (id, stripe) = (format!("sub_Demo{number:04}"), &town.people[number].stripe);
        let subscription = Subscription::new(&id, stripe.as_str());
        money.subscription(&subscription.created(now).price("price_pro", PRICE, "usd"));
        let paid = money.paid(&NewInvoice::new(stripe, PRICE, "usd").subscription(&id));
        match town.between(0, 99) {
            0..=6 => {
                let parts = if town.chance(50) { 100 } else { 40 };
                let then = day + town.between(2, 25);
                agenda.plan(then, Deed::Refund(number, paid.charge().to_owned(), parts));
            }
            7 | 8 => {
                let then = day + town.between(10, 30);
                agenda.plan(then, Deed::Dispute(number, paid.charge().to_owned()));
            }
            _ => agenda.plan(day + 30, Deed::Renew(number, id)),
        }
    }
}
