//! Before the first call of an operation: whether its line is there already, which our books do not know after a
//! backup was restored.

use billstack_core::delivery::first_look::{Named, Whose, begins, first_look};
use billstack_core::delivery::look::Wanted;
use billstack_core::reconcile::lines::{CREDIT, OPERATION, PROJECT};
use billstack_core::time::Micros;
use billstack_store::Abort;
use billstack_store::credits::delivery::whose_line;
use billstack_store::stripe_lane::{Job, Outcome};

use super::look::outcome_of;
use super::steps::Heard;
use crate::app::App;
use crate::settings::SecretText;
use crate::stripe::BalanceLine;

impl App {
    /// Looks for the line of an operation that was never called. With `None` it may be called.
    pub(super) async fn look_first(
        &self,
        secret: &SecretText,
        job: &Job,
    ) -> Result<Option<Heard>, Abort> {
        let mut lines = match self.lines_since(secret, job, begins(self.now())).await {
            Ok(lines) => lines,
            Err(failure) => return Ok(Some(Heard::failed(failure, Outcome::Unread))),
        };
        lines.retain(|line| line.metadata.contains_key(OPERATION));
        if lines.is_empty() {
            return Ok(None);
        }
        let owners = self.known_owners_of(job, &lines).await?;
        let named = lines.iter().zip(&owners);
        let named: Vec<Named<'_>> = named
            .map(|(line, owner)| Named {
                id: &line.id,
                amount: line.amount,
                currency: &line.currency,
                created: Micros::from_secs(line.created),
                whose: match owner {
                    Some(operation) => Whose::Ours(operation),
                    None => Whose::Lost {
                        credit: line.metadata.get(CREDIT).map_or("", String::as_str),
                        project: line.metadata.get(PROJECT).map_or("", String::as_str),
                    },
                },
            })
            .collect();
        let operation = &job.operation;
        let wanted = Wanted {
            operation: &operation.id,
            amount: operation.kind.signed(operation.amount.get()),
            currency: operation.currency,
            others_are_known: operation.progress.others_are_known,
        };
        let of = (operation.credit_id.as_str(), operation.project_id.as_str());
        let found = first_look(&wanted, of, &named);
        Ok(found.map(|found| outcome_of(&found, &lines).into()))
    }

    /// The operations of lines that name one, as far as we have them.
    async fn known_owners_of(
        &self,
        job: &Job,
        lines: &[BalanceLine],
    ) -> Result<Vec<Option<String>>, Abort> {
        let team_id = job.lane.team_id.clone();
        let named = |line: &BalanceLine| (line.id.clone(), line.metadata.get(OPERATION).cloned());
        let lines: Vec<_> = lines.iter().map(named).collect();
        let known = self.store.scan(move |tx| {
            let whose = lines
                .iter()
                .map(|(line, operation)| whose_line(tx, &team_id, line, operation.as_deref()));
            Ok(whose.collect::<Result<Vec<_>, _>>()?)
        });
        known.await
    }
}
