//! Looking for the line of an operation among those of its customer.

use billstack_core::delivery::look::{Look, Seen, Wanted, begins, look};
use billstack_core::money::Currency;
use billstack_core::reconcile::lines::OPERATION;
use billstack_core::time::Micros;
use billstack_store::Abort;
use billstack_store::credits::delivery::of_line;
use billstack_store::stripe_lane::{Job, NotFound, Outcome, Written};

use super::steps::Heard;
use crate::app::App;
use crate::settings::SecretText;
use crate::stripe::{BalanceLine, Failure};

impl App {
    /// Looks for the line among those of the customer.
    pub(super) async fn look_for(&self, secret: &SecretText, job: &Job) -> Result<Heard, Abort> {
        let operation = &job.operation;
        let since = begins(operation.progress.tried_from.unwrap_or(self.now()));
        let lines = match self.lines_since(secret, job, since).await {
            Ok(lines) => lines,
            Err(failure) => return Ok(Heard::failed(failure, Outcome::Unread)),
        };
        let owners = self.owners_of(job, &lines).await?;
        let seen: Vec<Seen<'_>> = lines
            .iter()
            .zip(&owners)
            .filter_map(|(line, owner)| {
                Some(Seen {
                    id: &line.id,
                    amount: line.amount,
                    currency: Currency::read(&line.currency)?,
                    kind: &line.kind,
                    created: Micros::from_secs(line.created),
                    operation: owner.as_deref(),
                })
            })
            .collect();
        let wanted = Wanted {
            operation: &operation.id,
            amount: operation.kind.signed(operation.amount.get()),
            currency: operation.currency,
            others_are_known: operation.progress.others_are_known,
        };
        let found = outcome_of(&look(&wanted, since, &seen), &lines);
        Ok(found.into())
    }

    pub(super) async fn lines_since(
        &self,
        secret: &SecretText,
        job: &Job,
        since: Micros,
    ) -> Result<Vec<BalanceLine>, Failure> {
        let (mut lines, mut after) = (Vec::new(), None::<String>);
        loop {
            self.stripe_rates.wait(&job.lane.team_id).await;
            let customer = &job.operation.stripe_customer_id;
            let page = self
                .stripe
                .balance_lines(secret, customer, Some(since), after.as_deref());
            let page = page.await?;
            lines.extend(page.rows);
            after = page.after;
            if after.is_none() {
                return Ok(lines);
            }
        }
    }

    /// Whose lines they are: we know them by their ids, or their metadata says so, which anybody can edit.
    async fn owners_of(
        &self,
        job: &Job,
        lines: &[BalanceLine],
    ) -> Result<Vec<Option<String>>, Abort> {
        let team_id = job.lane.team_id.clone();
        let ids: Vec<String> = lines.iter().map(|line| line.id.clone()).collect();
        let known = self.store.scan(move |tx| {
            let known = ids.iter().map(|id| of_line(tx, &team_id, id));
            Ok(known.collect::<Result<Vec<_>, _>>()?)
        });
        let known = known.await?;
        let named = |line: &BalanceLine| line.metadata.get(OPERATION).cloned();
        let owners = known.into_iter().zip(lines);
        Ok(owners
            .map(|(known, line)| known.or_else(|| named(line)))
            .collect())
    }
}

/// What a look among these lines means.
pub(super) fn outcome_of(found: &Look<'_>, lines: &[BalanceLine]) -> Outcome {
    match found {
        Look::Adopt(id) => {
            let line = lines.iter().find(|line| line.id == *id);
            Outcome::Found(Written {
                id: (*id).to_owned(),
                created: Micros::from_secs(line.map_or(0, |line| line.created)),
                ending_balance: line.map_or(0, |line| line.ending_balance),
            })
        }
        Look::AmountDiffers(_) => Outcome::Looked(NotFound::AmountDiffers),
        Look::PossibleDuplicate(_) => Outcome::Looked(NotFound::PossibleDuplicate),
        Look::Absent => Outcome::Looked(NotFound::Absent),
    }
}
