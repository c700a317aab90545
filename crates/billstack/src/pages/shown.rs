//! Secrets that are shown once: from the answer that makes one until its owner says that they have kept it.
//!
//! Until then it travels sealed in a cookie of the one browser, for ten minutes at most, and opens for the one person at
//! the one team. Nothing of it is kept here. Each secret has a cookie of its own, so that one which is made in another tab
//! hides none.

use axum::http::{HeaderMap, HeaderValue, header};
use billstack_core::ids::TeamId;
use maud::{Markup, html};

use super::form::Form;
use super::parts::form::submit;
use super::parts::notice::copyable;
use crate::app::App;
use crate::secrets::random_bytes;

/// What the names of the cookies begin with; a mark follows.
const COOKIE: &str = "billstack_shown_";

/// The field of the form that says which secret has been kept, by its mark.
const MARK: &str = "mark";

/// How long it is shown at most, in seconds.
const LASTS: u32 = 600;

/// What a secret is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// The whole of an API key.
    Key,
    /// The link of an invitation.
    Invitation,
    /// The secret of a webhook endpoint, behind its id.
    Webhook,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Key => "key",
            Kind::Invitation => "invitation",
            Kind::Webhook => "webhook",
        }
    }
}

/// A secret that is still shown.
#[derive(Clone, Debug)]
pub(super) struct Secret {
    mark: String,
    pub(super) text: String,
}

impl Secret {
    /// The same without the id of what it belongs to, if it stands before it.
    pub(super) fn of(self, id: &str) -> Option<Secret> {
        let text = self.text.strip_prefix(id)?.strip_prefix(' ')?.to_owned();
        Some(Secret { text, ..self })
    }
}

/// Whose secrets are looked at, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose<'a> {
    pub(super) team_id: &'a TeamId,
    pub(super) user_id: &'a str,
}

impl Whose<'_> {
    fn context(&self, kind: Kind) -> String {
        format!("shown {} {} {}", kind.as_str(), self.team_id, self.user_id)
    }

    /// The cookie that brings a secret to the next page.
    pub(super) fn show(&self, app: &App, kind: Kind, secret: &str) -> HeaderValue {
        let sealed = app.cipher.seal(secret, &self.context(kind));
        let mark: [u8; 4] = random_bytes();
        self.cookie(app, &hex::encode(mark), (&sealed, LASTS))
    }

    /// The cookie that ends that for the secret which a form is about.
    pub(super) fn forget(&self, app: &App, form: &Form) -> HeaderValue {
        let mark = form.text(MARK);
        let is_mark = mark.len() == 8 && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mark = if is_mark { mark } else { "" };
        self.cookie(app, mark, ("", 0))
    }

    /// The secrets of a kind that this browser was given lately, the newest last.
    pub(super) fn read(&self, app: &App, headers: &HeaderMap, kind: Kind) -> Vec<Secret> {
        let lines = headers.get_all(header::COOKIE).into_iter();
        let pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let shown = pairs.filter_map(|(name, sealed)| {
            Some(Secret {
                mark: name.strip_prefix(COOKIE)?.to_owned(),
                text: app.cipher.open(sealed, &self.context(kind)).ok()?,
            })
        });
        shown.collect()
    }

    fn cookie(&self, app: &App, mark: &str, (value, seconds): (&str, u32)) -> HeaderValue {
        let secure = match app.is_https() {
            true => "; Secure",
            false => "",
        };
        let team = self.team_id;
        let text = format!(
            "{COOKIE}{mark}={value}; Path=/t/{team}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        );
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
    }
}

/// The secrets, each with the button that ends its being shown.
pub(super) fn panels(title: &str, secrets: &[Secret], advice: &str, action: &str) -> Markup {
    html! {
        @for secret in secrets {
            @let id = format!("secret-{}", secret.mark);
            section.secret aria-labelledby=(id) {
                h2 id=(id) { (title) }
                p { (copyable(&secret.text)) }
                p { (advice) " This is the only time that it is shown." }
                form method="post" action=(action) {
                    input type="hidden" name=(MARK) value=(secret.mark);
                    (submit("I have kept it"))
                }
            }
        }
    }
}
