//! Every tool: its name, what it takes, what it needs, and what it does.

mod attention;
mod customer;
mod figures;
mod find;
mod lists;
mod referral;
mod stripe;
mod writes;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rmcp::model::{Tool as Shown, ToolAnnotations};
use serde_json::Value;

use super::args::{Kind, Param, checked, may, schema};
use super::call::{Call, IDEMPOTENCY_KEY, PROJECT, Told};
use super::trouble::Trouble;

/// A tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    title: &'static str,
    description: &'static str,
    params: &'static [Param],
    /// The scopes of the API key that it needs.
    scopes: &'static [&'static str],
    place: Place,
    pub(super) effect: Effect,
    run: Run,
}

/// What it does, once its arguments are checked.
type Run = for<'c> fn(&'c Call) -> BoxFuture<'c, Result<Told, Trouble>>;

/// Where a tool looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Project,
    /// Wherever the key is good.
    Everywhere,
}

/// What a tool leaves behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    /// It adds something, or sets something going again; doing it twice under one key does it once.
    Adds,
    /// It takes something away from somebody, or cannot be taken back.
    Destroys,
}

/// What every tool of a project takes.
const OF_PROJECT: &[Param] = &[may(
    PROJECT,
    Kind::Text(64),
    "The project, by its id (`proj_…`). May be left out where the key is good for one project alone.",
)];

/// What every tool takes that changes something.
const OF_CHANGES: &[Param] = &[may(
    IDEMPOTENCY_KEY,
    Kind::Token(255),
    "Repeating a call under the same key is answered as the first one was, and does nothing twice. One is made, and told in \
     the answer, where none is given. Give it only to repeat a call whose outcome is not known.",
)];

/// How many items of a list are told.
pub(super) const LIMIT: Param = may(
    "limit",
    Kind::Whole(1, 100),
    "The most items to return; 20 when left out.",
);

/// Where a list goes on.
pub(super) const CURSOR: Param = may(
    "cursor",
    Kind::Text(271),
    "`nextCursor` of the answer before, for what comes after it.",
);

/// Every tool there is with, or without, those that change something.
pub(super) fn all(allow_writes: bool) -> impl Iterator<Item = &'static Tool> {
    let reading = [
        find::TOOLS,
        referral::TOOLS,
        customer::TOOLS,
        figures::TOOLS,
        stripe::TOOLS,
        attention::TOOLS,
        lists::TOOLS,
    ];
    let writing = writes::TOOLS.iter().filter(move |_| allow_writes);
    reading.into_iter().flatten().chain(writing)
}

impl Tool {
    fn params(&self) -> impl Iterator<Item = &'static Param> + Clone {
        let of_project = match self.place {
            Place::Project => OF_PROJECT,
            Place::Everywhere => &[],
        };
        let of_changes = match self.effect {
            Effect::Reads => &[],
            Effect::Adds | Effect::Destroys => OF_CHANGES,
        };
        self.params.iter().chain(of_project).chain(of_changes)
    }

    /// Whether it is offered to whoever may do this, as far as that is known. What reads is offered to everybody: its
    /// refusal names the scope that is missing.
    pub(super) fn is_for(&self, scopes: Option<&Value>) -> bool {
        let Some(known) = scopes.and_then(Value::as_array) else {
            return true;
        };
        let has = |scope: &&str| known.iter().any(|known| known == *scope);
        self.effect == Effect::Reads || self.scopes.iter().all(has)
    }

    /// As clients see it.
    pub(super) fn shown(&self) -> Shown {
        let annotations = ToolAnnotations::with_title(self.title)
            .read_only(self.effect == Effect::Reads)
            .destructive(self.effect == Effect::Destroys)
            .idempotent(self.effect == Effect::Reads)
            .open_world(false);
        Shown::new(self.name, self.description, Arc::new(schema(self.params())))
            .with_title(self.title)
            .annotate(annotations)
    }

    /// Does it.
    pub(super) async fn run(&self, mut call: Call) -> Result<Told, Trouble> {
        call.sent = checked(self.params(), std::mem::take(&mut call.sent))?;
        let call = match self.effect {
            Effect::Reads => call,
            Effect::Adds | Effect::Destroys => call.keyed(),
        };
        let limit = call.common.api.patience;
        // A call that is never answered would keep its client waiting.
        let running = AssertUnwindSafe((self.run)(&call)).catch_unwind();
        let told = match tokio::time::timeout(limit, running).await {
            Ok(Ok(told)) => told,
            Ok(Err(_panic)) => Err(Trouble::Panicked),
            Err(_) => Err(Trouble::Silent(call.common.api.too_slow())),
        };
        match told {
            Err(trouble) if trouble.is_open() && self.effect != Effect::Reads => {
                Err(trouble.maybe_done(&call.idempotency_key()))
            }
            told => told.map_err(|trouble| trouble.naming(self.scopes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use billstack_core::access::Scope;

    use super::*;
    use crate::cli::mcp::api::Api;
    use crate::cli::mcp::args::Sent;
    use crate::cli::mcp::call::Common;
    use crate::settings::SecretText;

    #[test]
    fn every_tool_is_named_once_and_says_what_it_does() {
        let names: Vec<_> = all(true).map(|tool| tool.name).collect();
        let once: BTreeSet<_> = names.iter().collect();
        assert_eq!(once.len(), names.len(), "{names:?}");
        for tool in all(true) {
            let snake = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(tool.name.bytes().all(snake), "{}", tool.name);
            assert!(tool.description.len() > 40, "{}", tool.name);
            assert!(
                tool.scopes
                    .iter()
                    .all(|scope| Scope::parse(scope).is_some()),
                "{}",
                tool.name
            );
            let named: BTreeSet<_> = tool.params().map(|param| param.name).collect();
            assert_eq!(named.len(), tool.params().count(), "{}", tool.name);
        }
    }

    fn failing() -> Tool {
        Tool {
            name: "fail",
            title: "Fail",
            description: "",
            params: &[],
            scopes: &[],
            place: Place::Everywhere,
            effect: Effect::Adds,
            run: |_| Box::pin(async { unreachable!("as a test wants it") }),
        }
    }

    /// Whatever goes wrong in a tool, its caller is told, and of a change that it may have been made.
    #[tokio::test]
    async fn a_tool_that_panics_is_answered_all_the_same() {
        let base = "http://127.0.0.1:9".parse().expect("an address");
        let api = Api::new(&base, Duration::from_secs(5)).expect("a client");
        let common = Common {
            api,
            team: None,
            project: None,
            allow_writes: true,
        };
        let call = Call {
            common: Arc::new(common),
            key: SecretText::new("bs_"),
            sent: Sent::new(),
        };
        let trouble = failing().run(call).await.err().expect("trouble");
        let told = trouble.told();
        assert_eq!(told["error"]["reason"], "internal");
        assert!(told["error"]["idempotencyKey"].is_string(), "{told}");
    }

    #[test]
    fn what_changes_something_is_there_only_when_allowed() {
        let reads = |tool: &&Tool| tool.effect == Effect::Reads;
        assert!(all(false).all(|tool| reads(&tool)));
        assert!(all(false).count() >= 12);
        assert_eq!(all(true).filter(reads).count(), all(false).count());
        let writing = all(true).filter(|tool| tool.effect != Effect::Reads);
        let needs = |tool: &Tool| tool.scopes.contains(&"referrals:write");
        assert!(writing.into_iter().all(needs));
    }
}
