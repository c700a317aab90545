//! What happened, from which events are made in whatever version somebody hears them.

use serde_json::{Value, json};

use crate::books::Books;
use crate::call::Call;
use crate::event::{EventOptions, event, thin_event};
use crate::generation::Generation;
use crate::ids;
use crate::shape;

/// What made something happen, and when.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) now: i64,
    pub(crate) livemode: bool,
    /// The id and idempotency key of an API request; none for what happened by itself.
    pub(crate) request: Option<(String, Option<String>)>,
}

impl From<&Call> for Cause {
    fn from(call: &Call) -> Self {
        Self {
            now: call.now,
            livemode: call.livemode,
            request: Some((call.request_id.clone(), call.idempotency_key.clone())),
        }
    }
}

/// Something that happened. Its object has the members of all versions.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    id: String,
    kind: String,
    object: Value,
    previous: Option<Value>,
    cause: Cause,
}

impl Happening {
    /// The event, unless the version has none of this kind.
    fn event(&self, generation: Generation) -> Option<Value> {
        if generation < since(&self.kind, &self.object) {
            return None;
        }
        let mut object = self.object.clone();
        shape::apply(&mut object, generation, &[]);
        let mut options = self.options().id(&self.id).generation(generation);
        if let Some(previous) = &self.previous {
            options = options.previous_attributes(previous.clone());
        }
        Some(event(&self.kind, &object, &options))
    }

    /// The thin twin of the event, which only names the object.
    fn thin(&self) -> Value {
        let id = self.object["id"].as_str().unwrap_or_default();
        thin_event(&self.kind, id, Some(&self.id), &self.options())
    }

    fn options(&self) -> EventOptions {
        let mut options = EventOptions::at(self.cause.now);
        if let Some((id, key)) = &self.cause.request {
            options = options.request(id, key.as_deref());
        }
        if self.cause.livemode {
            options = options.live();
        }
        options
    }
}

/// The first generation that has this event about this object.
fn since(kind: &str, object: &Value) -> Generation {
    match kind {
        // Before, these told only of refunds of what was no charge.
        "refund.created" | "refund.updated" if object["charge"].is_null() => {
            Generation::V2022November
        }
        "refund.created" | "refund.updated" | "refund.failed" => Generation::Acacia,
        "invoice.overpaid" => Generation::Basil,
        _ if kind.starts_with("invoice_payment.") => Generation::BasilMay,
        _ => Generation::V2020,
    }
}

impl Books {
    /// Writes down what happened to an object.
    pub(crate) fn tell(
        &mut self,
        kind: &str,
        object: &Value,
        previous: Option<Value>,
        cause: &Cause,
    ) {
        let happening = Happening {
            id: ids::new("evt_1", 23),
            kind: kind.to_owned(),
            object: object.clone(),
            previous,
            cause: cause.clone(),
        };
        if let Some(event) = happening.event(self.default_generation) {
            self.events.put(event);
        }
        self.untold.push(happening);
    }

    /// The events of what happened since this was last called, oldest first, as an endpoint of this
    /// version gets them.
    ///
    /// They have the ids that `GET /v1/events` shows, where their shape is that of
    /// `default_generation`. What happened that the version has no event for is left out, and is not
    /// told later either.
    pub fn take_events(&mut self, generation: Generation) -> Vec<Value> {
        let untold = std::mem::take(&mut self.untold);
        let events = untold.iter().map(|happening| happening.event(generation));
        events.flatten().collect()
    }

    /// The thin events of the same, which are kept to be read at `/v2/core/events/{id}`.
    pub fn take_thin_events(&mut self) -> Vec<Value> {
        let untold = std::mem::take(&mut self.untold);
        let events: Vec<Value> = untold.iter().map(Happening::thin).collect();
        for event in &events {
            self.thin_events.put(event.clone());
        }
        events
    }
}

/// The members of `before` that are different in `after`.
pub(crate) fn differences(before: &Value, after: &Value) -> Value {
    let members = before.as_object().into_iter().flatten();
    let changed = members.filter(|(name, old)| after[name.as_str()] != **old);
    changed.fold(json!({}), |mut found, (name, old)| {
        found[name.as_str()] = old.clone();
        found
    })
}
