//! Secrets that are shown once: from the answer that makes one until its owner says that they have kept it.
//!
//! Until then it travels sealed in a cookie of the one browser, for ten minutes at most, and opens for the one person at
//! the one team. Nothing of it is kept here.

use axum::http::{HeaderMap, HeaderValue, header};
use billstack_core::ids::TeamId;
use maud::{Markup, html};

use super::parts::form::submit;
use super::parts::notice::copyable;
use crate::app::App;

const COOKIE: &str = "billstack_shown";

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
        self.cookie(app, &sealed, LASTS)
    }

    /// The cookie that ends that.
    pub(super) fn forget(&self, app: &App) -> HeaderValue {
        self.cookie(app, "", 0)
    }

    /// The secret that this browser has just been given, if it is one of these.
    pub(super) fn read(&self, app: &App, headers: &HeaderMap, kind: Kind) -> Option<String> {
        let lines = headers.get_all(header::COOKIE).into_iter();
        let mut pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let (_, sealed) = pairs.find(|(name, _)| *name == COOKIE)?;
        app.cipher.open(sealed, &self.context(kind)).ok()
    }

    fn cookie(&self, app: &App, value: &str, seconds: u32) -> HeaderValue {
        let secure = match app.is_https() {
            true => "; Secure",
            false => "",
        };
        let team = self.team_id;
        let text = format!(
            "{COOKIE}={value}; Path=/t/{team}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        );
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
    }
}

/// The secret, and the button that ends its being shown.
pub(super) fn panel(title: &str, secret: &str, advice: &str, action: &str) -> Markup {
    html! {
        section.secret aria-labelledby="secret" {
            h2 #secret { (title) }
            p { (copyable(secret)) }
            p { (advice) " This is the only time that it is shown." }
            form method="post" action=(action) { (submit("I have kept it")) }
        }
    }
}
