//! `PUT …/portal/settings`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::portal::{Accent, Names, Settings, Texts, Theme, Wording, Wrong};
use billstack_store::{Act, Refusal, Tx, portal};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{NamesJson, PortalSettingsAnswer};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::{Flag, Word};

/// How customers' pages shall be set up. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PutPortalSettingsRequest {
    /// The origins that may show a customer's page, or ask for what it shows: `https://app.example.com`, with a port
    /// if need be, `https://*.example.com`, `http://localhost:*`.
    #[schema(value_type = Option<Vec<String>>, max_items = 20, example = json!(["https://app.example.com"]))]
    allowed_origins: Option<SentOrigins>,
    /// What customers see of the names of their friends.
    #[schema(value_type = Option<NamesJson>)]
    names: Option<Word<Names>>,
    /// How the page looks; a member that is left out or null is ours.
    #[schema(value_type = Option<WishedTheme>)]
    theme: Option<SentTheme>,
    /// Texts in place of ours: by language (`en`, `de`, `fr`, `es`, `pt`), `title`, `offer`, `message` and `terms`, each
    /// plain and with at most 500 characters. `{amount}` and `{link}` stand for what is promised and the share link.
    #[schema(value_type = Option<Object>, example = json!({"en": {"offer": "Give {amount}, get {amount}."}}))]
    texts: Option<SentTexts>,
    /// Whether customers may give their code another name.
    #[schema(value_type = Option<bool>)]
    allow_vanity: Option<Flag>,
    /// Whether whoever follows a link is told the first name of who recommends.
    #[schema(value_type = Option<bool>)]
    offer_name: Option<Flag>,
}

const ORIGINS: &str = "must be a list of at most 20 origins such as `https://app.example.com`, `https://*.example.com` \
    or `http://localhost:*`.";

const THEME: &str = "must be an object with an `accent` such as `#0b57d0`, a `radius` from 0 to 24, and as `font` \
    `system` or a name of letters, digits, blanks and hyphens.";

const TEXTS: &str = "must be an object of languages (`en`, `de`, `fr`, `es`, `pt`), each an object of `title`, `offer`, \
    `message` and `terms` with plain texts of 1 to 500 characters.";

/// Reads a value of one shape, or says what shape it has.
fn shaped<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
    shape: &'static str,
) -> Result<T, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    serde_json::from_str(raw.get()).map_err(|_| D::Error::custom(shape))
}

/// The origins, as they are sent.
#[derive(Clone)]
struct SentOrigins(Vec<String>);

impl<'de> Deserialize<'de> for SentOrigins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        shaped(deserializer, ORIGINS).map(SentOrigins)
    }
}

/// How the page shall look; a member that is left out or null is ours.
#[derive(ToSchema)]
#[schema(as = PutPortalTheme)]
#[expect(
    dead_code,
    reason = "the members describe the theme in the API document"
)]
struct WishedTheme {
    /// The colour of buttons. Text on it is white or black, whichever can be read.
    #[schema(pattern = "^#[0-9a-f]{6}$", example = "#0b57d0")]
    accent: Option<String>,
    /// The radius of corners in points.
    #[schema(minimum = 0, maximum = 24, example = 8)]
    radius: Option<u8>,
    /// `system`, or the name of a font that visitors have.
    #[schema(example = "system")]
    font: Option<String>,
    /// Of no effect: it is taken so that what was read can be sent back.
    contrast: Option<f64>,
}

/// The theme, as it is sent.
#[derive(Clone)]
struct SentTheme(Theme);

impl<'de> Deserialize<'de> for SentTheme {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Sent {
            accent: Option<String>,
            radius: Option<u64>,
            font: Option<String>,
            /// Ours to tell, so that what was read can be sent back.
            #[serde(rename = "contrast")]
            _contrast: Option<f64>,
        }
        let sent: Sent = shaped(deserializer, THEME)?;
        let theme = || {
            Some(Theme {
                accent: match &sent.accent {
                    None => None,
                    Some(text) => Some(Accent::parse(text)?),
                },
                radius: match sent.radius {
                    None => None,
                    Some(radius) => Some(Theme::radius_of(&radius.to_string())?),
                },
                font: match &sent.font {
                    None => None,
                    Some(name) => Theme::font_of(name)?,
                },
            })
        };
        theme()
            .map(SentTheme)
            .ok_or_else(|| D::Error::custom(THEME))
    }
}

/// The texts, as they are sent.
#[derive(Clone)]
struct SentTexts(Texts);

impl<'de> Deserialize<'de> for SentTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Sent {
            title: Option<String>,
            offer: Option<String>,
            message: Option<String>,
            terms: Option<String>,
        }
        let sent: std::collections::BTreeMap<String, Sent> = shaped(deserializer, TEXTS)?;
        let wording = |sent: Sent| Wording {
            title: sent.title,
            offer: sent.offer,
            message: sent.message,
            terms: sent.terms,
        };
        let texts = sent
            .into_iter()
            .map(|(locale, sent)| (locale, wording(sent)));
        Ok(SentTexts(Texts(texts.collect())))
    }
}

impl PutPortalSettingsRequest {
    /// What it makes of settings.
    ///
    /// # Errors
    /// When they cannot be.
    pub(crate) fn of(&self, before: Settings) -> Result<Settings, Wrong> {
        let flag = |sent: Option<Flag>, before: bool| sent.map_or(before, |Flag(flag)| flag);
        let (origins, texts) = (self.allowed_origins.clone(), self.texts.clone());
        let settings = Settings {
            allowed_origins: origins.map_or(before.allowed_origins, |SentOrigins(all)| all),
            names: self.names.map_or(before.names, |Word(names)| names),
            theme: self
                .theme
                .clone()
                .map_or(before.theme, |SentTheme(theme)| theme),
            texts: texts.map_or(before.texts, |SentTexts(texts)| texts),
            allow_vanity: flag(self.allow_vanity, before.allow_vanity),
            offer_name: flag(self.offer_name, before.offer_name),
        };
        settings.check()
    }
}

/// What is wrong, and with which member.
pub(crate) fn wrong(wrong: Wrong) -> ApiError {
    let (field, why) = match wrong {
        Wrong::Origins => ("allowedOrigins", ORIGINS.to_owned()),
        Wrong::Origin(place) => (
            "allowedOrigins",
            format!("{ORIGINS} Number {place} is none."),
        ),
        Wrong::Texts => ("texts", TEXTS.to_owned()),
    };
    ApiError::invalid(field, format!("`{field}` {why}"))
}

/// Set up customers' pages.
///
/// What is left out stays as it is. It holds from the next request on, also for sessions that there are.
#[utoipa::path(
    put, path = "", operation_id = "put_portal_settings",
    request_body = PutPortalSettingsRequest,
    responses((status = 200, description = "The settings as they are now.", body = PortalSettingsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<PutPortalSettingsRequest>,
) -> Result<Response, ApiError> {
    let (request, place) = (std::sync::Arc::new(input.body), access.place.clone());
    let put = move |tx: &mut dyn Tx, act: &mut Act| {
        portal::set_up(tx, act, &place, |before| {
            request
                .of(before)
                .map_err(|wrong| Refusal::ImpossiblePortal(wrong).into())
        })
    };
    let answer = |settings: &Settings| answer::ok(&PortalSettingsAnswer::new(settings));
    app.write_answer(&access.caller, input.keyed, put, answer)
        .await
}
