//! What a verified event means, its object fetched when the event only names it.

use billstack_core::ids::TeamId;
use billstack_core::stripe_event::{
    Event, Meaning, Start, is_about_payments, is_known, read_object,
};
use billstack_store::intake::Source;
use billstack_store::intake::{Content, Incoming};
use billstack_store::stripe_connection::{Connection, modes_differ};

use crate::app::App;
use crate::error::ApiError;
use crate::settings::SecretText;
use crate::stripe::{StripeError, object_path};

const WRONG_MODE: [&str; 2] = [
    "a test event, and the team is connected in live mode",
    "a live event, and the team is connected in test mode",
];
const NO_EFFECT: &str = "this type of event has no effect here";

/// When the object of a thin event is fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fetch {
    /// At once.
    Now,
    /// By the queue: whoever sent the event does not wait for it.
    Later,
}

impl App {
    /// Reads an event of a team to the end.
    ///
    /// # Errors
    /// When the object of a thin event is to be fetched now and Stripe cannot be asked; any other failure is a
    /// fact about the event, and stored with it.
    pub async fn understand(
        &self,
        team_id: &TeamId,
        connection: Option<&Connection>,
        event: Event,
        payload: String,
        fetch: Fetch,
    ) -> Result<Incoming, ApiError> {
        let (id, kind) = (event.id.clone(), event.kind.clone());
        let (created_at, livemode) = (event.created, event.livemode);
        let content = match wrong_mode(connection, livemode) {
            Some(why) => set_aside(event, why),
            None => self.content(team_id, connection, event, fetch).await?,
        };
        Ok(Incoming {
            id,
            kind,
            created_at,
            livemode,
            content,
            source: Source::Event,
            payload,
            signed_with: None,
            link_answer: None,
        })
    }

    async fn content(
        &self,
        team_id: &TeamId,
        connection: Option<&Connection>,
        event: Event,
        fetch: Fetch,
    ) -> Result<Content, ApiError> {
        let (object_id, context) = match event.meaning {
            Meaning::Irrelevant => return Ok(Content::Ignored(NO_EFFECT)),
            Meaning::Money(told) => return Ok(Content::Money(told)),
            Meaning::Start(start) => return Ok(Content::Start(start)),
            Meaning::Thin { object_id, context } => (object_id, context),
        };
        if let Some(content) = has_no_effect(&event.kind) {
            return Ok(content);
        }
        let path = object_id.and_then(|id| object_path(&event.kind, &id));
        let Some(path) = path else {
            return Ok(failed("the event names no object that can be fetched"));
        };
        let key = match connection {
            Some(connection) => self.key_of(team_id, connection)?,
            None => None,
        };
        let Some(key) = key else {
            return Ok(failed(
                "a thin event holds no object, and no secret key is connected to fetch it with",
            ));
        };
        if fetch == Fetch::Later {
            return Ok(Content::ToFetch);
        }
        let object = match self.fetch(&key, &path, context.as_deref()).await? {
            Ok(object) => object,
            Err(why) => return Ok(Content::Failed(why)),
        };
        Ok(match read_object(&event.kind, &object, event.created) {
            Some(Meaning::Start(start)) => Content::Start(start),
            Some(Meaning::Money(told)) => Content::Money(told),
            Some(_) => Content::Ignored(NO_EFFECT),
            None => failed("what Stripe answered is no object"),
        })
    }

    /// The object at a path, or why no retry would get it.
    async fn fetch(
        &self,
        key: &SecretText,
        path: &str,
        context: Option<&str>,
    ) -> Result<Result<Vec<u8>, String>, StripeError> {
        match self.stripe.object(key, path, context).await {
            Ok(object) => Ok(Ok(object)),
            Err(error @ StripeError::Unavailable { .. }) => Err(error),
            Err(StripeError::InvalidKey) => Ok(Err(
                "Stripe does not accept the team's secret key".to_owned()
            )),
            Err(StripeError::Refused { code, .. }) => {
                Ok(Err(format!("Stripe refused to show the object ({code})")))
            }
        }
    }
}

/// The subscription that was read from an event when it came in, in the mode that the team is in now.
pub fn known_content(
    connection: Option<&Connection>,
    livemode: Option<bool>,
    start: Start,
) -> Content {
    let start = Box::new(start);
    match wrong_mode(connection, livemode) {
        Some(why) => Content::OtherMode {
            why,
            start: Some(start),
        },
        None => Content::Start(start),
    }
}

/// Why an event is of another mode than the team is connected in, if both are known.
fn wrong_mode(connection: Option<&Connection>, theirs: Option<bool>) -> Option<&'static str> {
    let is_wrong = modes_differ(connection?.livemode, theirs);
    theirs
        .filter(|_| is_wrong)
        .map(|theirs| WRONG_MODE[usize::from(theirs)])
}

/// An event of the other mode, with what it takes to decide again about it.
fn set_aside(event: Event, why: &'static str) -> Content {
    let start = match event.meaning {
        Meaning::Start(start) => Some(start),
        Meaning::Thin { .. } if is_known(&event.kind) => None,
        _ => return Content::Ignored(why),
    };
    Content::OtherMode { why, start }
}

/// The content of an event whose type alone says that it has no effect.
pub fn has_no_effect(kind: &str) -> Option<Content> {
    let has_effect = is_known(kind) || is_about_payments(kind);
    (!has_effect).then_some(Content::Ignored(NO_EFFECT))
}

fn failed(why: &str) -> Content {
    Content::Failed(why.to_owned())
}
