//! What is still open on the last day, so that somebody has something to look into.

use fake_stripe::Generation;
use reqwest::Method;
use serde_json::json;

use super::people::Town;
use super::shop::Shop;
use crate::cli::output::Failure;

/// How often somebody has called with a wrong signature.
const FORGED: usize = 3;

impl Shop<'_> {
    /// Names for codes, a code that is switched off, and a customer who wants to be forgotten.
    async fn wishes(&self, town: &Town) -> Result<(), Failure> {
        let sharing = town.people.iter().filter_map(|person| {
            let (code, clicks) = person.code.as_ref()?;
            Some((*clicks, code, person))
        });
        let mut sharing: Vec<_> = sharing.collect();
        sharing.sort_unstable_by_key(|(clicks, code, _)| (std::cmp::Reverse(*clicks), *code));
        for (_, code, person) in sharing.iter().take(3) {
            let first = person.name.split(' ').next().unwrap_or_default();
            let vanity = json!({"vanity": format!("THANKS-{first}")});
            let path = format!("/referrals/codes/{code}");
            self.call(Method::PATCH, &path, vanity, 200).await?;
        }
        if let [.., (_, off, _), (_, _, gone)] = &sharing[..] {
            let path = format!("/referrals/codes/{off}");
            self.call(Method::DELETE, &path, None, 200).await?;
            let path = format!("/customers/{}", gone.id);
            self.call(Method::DELETE, &path, None, 200).await?;
        }
        Ok(())
    }

    /// Somebody who is not Stripe calls.
    async fn forge(&self, town: &Town) -> Result<(), Failure> {
        let money = self.world.stand_in.money();
        let last = town.people.last().expect("a person");
        money.adjust(&last.stripe, -100, "usd");
        for event in self.world.stand_in.take_events(Generation::Endive) {
            for _ in 0..FORGED {
                self.deliver(&event, "whsec_guessed", 400).await?;
            }
        }
        Ok(())
    }
}

/// Plays the last hour.
pub(super) async fn play(shop: &Shop<'_>, town: &Town) -> Result<(), Failure> {
    shop.wishes(town).await?;
    shop.forge(town).await
}
