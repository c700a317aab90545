//! Reading the lines of a customer's balance.

use std::sync::Arc;

use billstack_core::balance::Line;
use billstack_core::delivery::answer::Answer;
use billstack_core::time::Micros;
use billstack_store::Abort;
use billstack_store::stripe_lane::Lane;
use billstack_store::stripe_lane::balance::{self, BalanceLine, Kept, Reading};

use super::origin;
use super::steps::answer_of;
use crate::app::App;
use crate::settings::SecretText;
use crate::stripe::{self, Failure};

/// The metadata of our lines that names their credit.
const CREDIT: &str = "billstack_credit_id";

/// What came of reading a balance.
pub(super) enum Followed {
    To(Kept),
    Failed(Failure),
}

impl App {
    /// Reads a balance that may have changed. With `None` its lane is somebody else's by now.
    pub(super) async fn read_balance(&self, reading: Reading) -> Result<Option<Lane>, Abort> {
        let team_id = &reading.lane.team_id;
        let failed = match self.key_of(team_id, &reading.connection) {
            Ok(Some(secret)) => match self.follow(&secret, reading.clone()).await? {
                Followed::To(kept) => return Ok(lane_of(kept)),
                Followed::Failed(failure) => failure,
            },
            // It cannot be opened: connecting again mends that.
            Ok(None) | Err(_) => Failure::Unauthorized,
        };
        let lacks = match &failed {
            Failure::PermissionMissing(permission) => permission.clone(),
            _ => None,
        };
        let answer = answer_of(&failed);
        if let Answer::TooMany { is_team: true, .. } = answer {
            self.stripe_rates.slow_down(team_id);
        }
        let kept = self.store.write(origin(self), move |tx, act| {
            let lacks = lacks.as_deref();
            Ok(balance::not_read(tx, act, &reading, answer, lacks)?)
        });
        kept.await
    }

    /// Reads what is new of a balance, and all of it where that does not follow from what is known.
    pub(super) async fn follow(
        &self,
        secret: &SecretText,
        mut reading: Reading,
    ) -> Result<Followed, Abort> {
        loop {
            let (lines, is_all) = match self.listed(secret, &reading).await {
                Ok(listed) => listed,
                Err(failure) => return Ok(Followed::Failed(failure)),
            };
            if is_all {
                reading.known = None;
            }
            let (lines, kept_by) = (Arc::new(lines), reading.clone());
            let kept = self.store.write(origin(self), move |tx, act| {
                Ok(balance::keep(tx, act, &kept_by, &lines)?)
            });
            match kept.await? {
                Kept::Broken if reading.known.is_some() => reading.known = None,
                kept => return Ok(Followed::To(kept)),
            }
        }
    }

    /// The lines after what is known, the newest first, and whether they are all that there are.
    async fn listed(
        &self,
        secret: &SecretText,
        reading: &Reading,
    ) -> Result<(Vec<BalanceLine>, bool), Failure> {
        let (mut lines, mut after) = (Vec::new(), None::<String>);
        loop {
            self.stripe_rates.wait(&reading.lane.team_id).await;
            let customer = &reading.lane.stripe_customer_id;
            let page = self
                .stripe
                .balance_lines(secret, customer, None, after.as_deref());
            let page = page.await?;
            for line in page.rows {
                if reading.known.as_ref() == Some(&line.id) {
                    return Ok((lines, false));
                }
                lines.push(read(line));
            }
            after = page.after;
            if after.is_none() {
                return Ok((lines, true));
            }
        }
    }
}

fn lane_of(kept: Kept) -> Option<Lane> {
    match kept {
        Kept::Followed(lane) | Kept::Lags(lane) | Kept::Unclear(lane) => Some(lane),
        Kept::Broken | Kept::TakenOver => None,
    }
}

fn read(line: stripe::BalanceLine) -> BalanceLine {
    BalanceLine {
        currency: line.currency,
        line: Line {
            credit: line.metadata.get(CREDIT).cloned(),
            id: line.id,
            amount: line.amount,
            ending_balance: line.ending_balance,
            kind: line.kind,
            invoice: line.invoice,
            created: Micros::from_secs(line.created),
        },
    }
}
