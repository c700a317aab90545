//! What a form was filled with. It changes what somebody changed in it, and leaves alone what others changed since.

use maud::{Markup, html};

use super::Form;
use crate::error::ApiError;
use crate::http::answer::json;
use crate::secrets::token_hash;

/// What the name of a hidden field begins with that tells what the field of the rest was filled with.
const FILLED: &str = "filled.";

/// As many letters as tell two values apart.
const MARK: usize = 16;

impl Form {
    /// Whether somebody changed a field, as far as the form tells.
    pub(in crate::pages) fn is_changed(&self, name: &str) -> bool {
        match self.text(&format!("{FILLED}{name}")) {
            "" => true,
            mark => mark != self.mark(name),
        }
    }

    /// The form as it is over what holds now: what nobody changed in it is as it is now.
    ///
    /// # Errors
    /// For a field that was changed here, and by somebody else since.
    pub(in crate::pages) fn over(&self, now: &Form, names: &[&str]) -> Result<Form, ApiError> {
        self.is_meant()?;
        let is_other = |name: &str| !names.contains(&name);
        let others = self.fields.iter().filter(|(name, _)| is_other(name));
        let mut over = Form {
            fields: others.cloned().collect(),
            is_kept: false,
        };
        for name in names {
            let is_changed = self.is_changed(name);
            if is_changed && self.is_late(now, name) {
                return Err(late(name, now.text(name)));
            }
            let values = if is_changed { self } else { now }.all(name);
            over.fields
                .extend(values.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        Ok(over)
    }

    /// Whether a field has another value now than it was filled with, and than it was changed to.
    fn is_late(&self, now: &Form, name: &str) -> bool {
        let filled = self.text(&format!("{FILLED}{name}"));
        let mark = now.mark(name);
        let is_same = now.text(name).to_lowercase() == self.text(name).trim().to_lowercase();
        !filled.is_empty() && filled != mark && self.mark(name) != mark && !is_same
    }

    /// What tells the values of a field apart from others.
    fn mark(&self, name: &str) -> String {
        let values = self.all(name).map(str::trim);
        let mut values: Vec<_> = values.filter(|value| !value.is_empty()).collect();
        values.sort_unstable();
        let mut mark = token_hash(&json(&values));
        mark.truncate(MARK);
        mark
    }
}

/// Hidden fields that tell what a form was filled with: what holds now, or what held when it was typed into. A field
/// that was refused because it was late is over what holds now.
pub(in crate::pages) fn filled_with(
    now: &Form,
    names: &[&str],
    (typed, error): (&Form, Option<&ApiError>),
) -> Markup {
    let refused = error.and_then(|error| error.field.as_deref());
    html! {
        @for name in names {
            @let field = format!("{FILLED}{name}");
            @let before = Some(typed.text(&field)).filter(|before| !before.is_empty() && refused != Some(name));
            @let mark = before.map_or_else(|| now.mark(name), str::to_owned);
            input type="hidden" name=(field) value=(mark);
        }
    }
}

fn late(name: &str, now: &str) -> ApiError {
    let now = match now {
        "" => "is empty now".to_owned(),
        now => format!("is “{now}” now"),
    };
    let message = format!(
        "Somebody else changed this meanwhile: it {now}. Nothing is saved yet; save again to have yours."
    );
    ApiError::invalid(name.to_owned(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["name", "kinds"];

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes())
    }

    /// What a browser sends of a form that was filled so, and typed so.
    fn sent(filled: &str, typed: &str) -> Form {
        let mut sent = form(typed);
        let before = form(filled);
        for name in NAMES {
            sent.add(&format!("{FILLED}{name}"), &before.mark(name));
        }
        sent
    }

    fn values<'f>(form: &'f Form, name: &str) -> Vec<&'f str> {
        form.all(name).collect()
    }

    #[test]
    fn what_nobody_changed_is_as_it_is_now() {
        let sent = sent("name=Ann&kinds=a&kinds=b", "name=Bea&kinds=b&kinds=a&x=1");
        let over = sent.over(&form("name=Ann&kinds=c"), &NAMES).expect("fine");
        assert_eq!(values(&over, "name"), ["Bea"]);
        assert_eq!(values(&over, "kinds"), ["c"]);
        assert_eq!(over.text("x"), "1");
    }

    #[test]
    fn what_both_changed_is_told_once() {
        let typed = sent("name=Ann", "name=Bea");
        let now = form("name=Cleo");
        let error = typed.over(&now, &NAMES).expect_err("late");
        assert_eq!(error.field.as_deref(), Some("name"));
        assert!(error.message.contains("“Cleo”"), "{}", error.message);
        let shown = filled_with(&now, &NAMES, (&typed, Some(&error))).into_string();
        let again = sent("name=Cleo", "name=Bea");
        assert!(shown.contains(again.text("filled.name")), "{shown}");
        assert_eq!(again.over(&now, &NAMES).expect("fine").text("name"), "Bea");
        // Whoever changed it to the same is not in the way.
        let same = typed.over(&form("name=bea"), &NAMES).expect("fine");
        assert_eq!(same.text("name"), "Bea");
    }

    #[test]
    fn what_does_not_tell_is_meant_as_it_is() {
        let over = form("name=").over(&form("name=Ann"), &NAMES).expect("fine");
        assert_eq!(over.text("name"), "");
    }
}
