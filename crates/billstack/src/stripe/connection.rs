//! A team's keys and secrets: their form, and how they are sealed for the database.

use billstack_core::ids::TeamId;
use billstack_store::stripe_connection::{self, Connection};
use billstack_store::{Place, test_clock};

use crate::app::App;
use crate::error::{ApiError, Reason};
use crate::secrets::Cipher;
use crate::settings::SecretText;

/// The longest key or secret, in characters. Stripe's are far shorter.
const LONGEST: usize = 255;

/// A secret that the database keeps sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretField {
    /// The secret API key.
    SecretKey,
    /// The secret that webhooks are signed with. The one before it is kept as it was sealed.
    WebhookSecret,
}

impl SecretField {
    pub(super) fn context(self, team_id: &TeamId) -> String {
        let field = match self {
            SecretField::SecretKey => "stripe_secret_key",
            SecretField::WebhookSecret => "stripe_webhook_secret",
        };
        format!("{team_id}/{field}")
    }
}

/// Seals a secret of a team.
pub fn seal(cipher: &Cipher, team_id: &TeamId, field: SecretField, secret: &SecretText) -> String {
    cipher.seal(secret.expose(), &field.context(team_id))
}

/// Opens what [`seal`] made. One that does not open is the operator's to solve, and logged here.
pub fn unsealed(
    cipher: &Cipher,
    team_id: &TeamId,
    field: SecretField,
    sealed: &str,
) -> Result<SecretText, ApiError> {
    let opened = cipher.open(sealed, &field.context(team_id));
    opened.map(SecretText::new).map_err(|error| {
        tracing::error!(%error, team_id = team_id.as_str(), ?field, "a team's Stripe secret cannot be read");
        ApiError::new(Reason::Internal)
    })
}

/// Live or test mode, as a key tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Real money.
    Live,
    /// None.
    Test,
}

/// Reads a secret (`sk_…`) or restricted (`rk_…`) API key; surrounding white space is taken away.
pub fn secret_key(text: &str) -> Option<(SecretText, Mode)> {
    let (key, mode) = key(text, &["sk_", "rk_"])?;
    Some((SecretText::new(key), mode))
}

/// Reads a publishable API key (`pk_…`); surrounding white space is taken away.
pub fn publishable_key(text: &str) -> Option<(String, Mode)> {
    let (key, mode) = key(text, &["pk_"])?;
    Some((key.to_owned(), mode))
}

fn key<'t>(text: &'t str, kinds: &[&str]) -> Option<(&'t str, Mode)> {
    let text = text.trim_ascii();
    let after_kind = kinds.iter().find_map(|kind| text.strip_prefix(kind))?;
    let (mode, rest) = match after_kind.split_once('_')? {
        ("live", rest) => (Mode::Live, rest),
        ("test", rest) => (Mode::Test, rest),
        _ => return None,
    };
    is_token(rest).then_some((text, mode))
}

/// Reads a webhook signing secret (`whsec_…`). White space copied along with it would make every signature
/// wrong, so it is trimmed.
pub fn webhook_secret(text: &str) -> Option<SecretText> {
    let text = text.trim_ascii();
    let rest = text.strip_prefix("whsec_")?;
    let graphic = rest.bytes().all(|byte| byte.is_ascii_graphic());
    (graphic && (1..=LONGEST).contains(&rest.len())).then(|| SecretText::new(text))
}

fn is_token(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain && (1..=LONGEST).contains(&text.len())
}

impl App {
    /// The secret key that a team is connected with, when there is one.
    pub async fn stripe_key(&self, team_id: &TeamId) -> Result<Option<SecretText>, ApiError> {
        let team = team_id.clone();
        let read = self
            .store
            .point(move |tx| Ok(stripe_connection::get(tx, &team)?));
        match read.await? {
            Some(connection) => self.key_of(team_id, &connection),
            None => Ok(None),
        }
    }

    /// The secret key that a project may ask Stripe with: a test project uses none of live mode.
    pub async fn stripe_key_in(&self, place: &Place) -> Result<Option<SecretText>, ApiError> {
        let at = place.clone();
        let read = self.store.point(move |tx| {
            let connection = stripe_connection::get(tx, &at.team_id)?;
            let is_live = |connection: &Connection| connection.livemode == Some(true);
            Ok(match connection {
                Some(live) if is_live(&live) && test_clock::clock(tx, &at)?.is_some() => None,
                connection => connection,
            })
        });
        match read.await? {
            Some(connection) => self.key_of(&place.team_id, &connection),
            None => Ok(None),
        }
    }

    /// The secret key of a connection that is in use.
    pub fn key_of(
        &self,
        team_id: &TeamId,
        connection: &Connection,
    ) -> Result<Option<SecretText>, ApiError> {
        let sealed = connection.secret_key.as_deref();
        sealed
            .filter(|_| connection.is_active)
            .map(|sealed| unsealed(&self.cipher, team_id, SecretField::SecretKey, sealed))
            .transpose()
    }
}
