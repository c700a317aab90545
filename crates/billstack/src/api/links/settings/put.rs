//! `PUT …/links/settings`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::link::{Card, Settings, Unfit, Wrong};
use billstack_store::{Act, Refusal, Tx, links};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{CardJson, LinkSettingsAnswer};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::{self, Int, Text};

/// How links shall be set up.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PutLinkSettingsRequest {
    /// Whether links bring their code along.
    #[serde(deserialize_with = "json::flag")]
    enabled: bool,
    /// Where visitors are sent, with https; `http` only to this machine. Left out, it stays as it is, like all that
    /// follows.
    #[serde(default, deserialize_with = "json::sent")]
    #[schema(value_type = Option<String>, max_length = 2048, example = "https://example.com/welcome")]
    landing_url: Option<Option<Text<1, 2048>>>,
    /// The hosts that `to` of a link may name besides that of the landing page.
    #[schema(value_type = Option<Vec<String>>, max_items = 20, example = json!(["docs.example.com"]))]
    redirect_hosts: Option<SentHosts>,
    /// For how many days a click counts.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 365, example = 60)]
    window_days: Option<Int<1, 365>>,
    /// The parameter of the landing page that brings the code: letters, digits, `-` and `_`.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 32, pattern = "^(?!utm_)[A-Za-z0-9_-]+$", example = "ref")]
    code_parameter: Option<Text<1, 32>>,
    /// The one that brings the click token.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 32, pattern = "^(?!utm_)[A-Za-z0-9_-]+$", example = "ref_click")]
    click_parameter: Option<Text<1, 32>>,
    /// What chats show of a link; null for what the landing page says itself.
    #[serde(default, deserialize_with = "json::sent")]
    #[schema(value_type = Option<CardJson>)]
    card: Option<Option<SentCard>>,
}

/// The hosts, as they are sent.
#[derive(Clone)]
struct SentHosts(Vec<String>);

impl<'de> Deserialize<'de> for SentHosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hosts = Vec::deserialize(deserializer).ok().map(SentHosts);
        hosts.ok_or_else(|| D::Error::custom(HOSTS))
    }
}

/// The card, as it is sent.
#[derive(Clone)]
struct SentCard(Card);

impl<'de> Deserialize<'de> for SentCard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Sent {
            title: String,
            text: Option<String>,
            image_url: Option<String>,
        }
        let raw = <&RawValue>::deserialize(deserializer)?;
        let sent: Sent = serde_json::from_str(raw.get()).map_err(|_| D::Error::custom(CARD))?;
        Ok(SentCard(Card {
            title: sent.title,
            text: sent.text,
            image_url: sent.image_url,
        }))
    }
}

const HOSTS: &str = "must be a list of at most 20 names of hosts such as `docs.example.com`.";

const CARD: &str = "must be null, or an object with a `title` of 1 to 200 characters, and if wanted a `text` of at \
    most 500 and an `imageUrl` with https.";

impl PutLinkSettingsRequest {
    /// What it makes of settings.
    ///
    /// # Errors
    /// When they cannot be.
    pub(crate) fn of(&self, before: Settings) -> Result<Settings, Wrong> {
        let text = |sent: &Option<Text<1, 32>>, before: String| {
            sent.as_ref().map_or(before, |Text(text)| text.clone())
        };
        let landing = self.landing_url.as_ref();
        let card = self.card.as_ref();
        let settings = Settings {
            enabled: self.enabled,
            landing_url: landing.map_or(before.landing_url, |sent| {
                sent.as_ref().map(|Text(url)| url.clone())
            }),
            redirect_hosts: self
                .redirect_hosts
                .as_ref()
                .map_or(before.redirect_hosts, |SentHosts(hosts)| hosts.clone()),
            window_days: self
                .window_days
                .map_or(before.window_days, |Int(days)| days),
            code_parameter: text(&self.code_parameter, before.code_parameter),
            click_parameter: text(&self.click_parameter, before.click_parameter),
            card: card.map_or(before.card, |sent| {
                sent.as_ref().map(|SentCard(card)| card.clone())
            }),
        };
        settings.check()
    }
}

/// What is wrong, and with which member.
pub(crate) fn wrong(wrong: Wrong) -> ApiError {
    let (field, why) = match wrong {
        Wrong::NoLanding => ("landingUrl", "is required while links are `enabled`."),
        Wrong::Landing(Unfit::NotAnAddress) => (
            "landingUrl",
            "must be an address such as https://example.com/welcome.",
        ),
        Wrong::Landing(Unfit::NotSecure) => (
            "landingUrl",
            "must begin with https://; http:// may lead to this machine only.",
        ),
        Wrong::Landing(Unfit::HasUserInfo) => ("landingUrl", "must not hold a name or a password."),
        Wrong::Hosts => ("redirectHosts", HOSTS),
        Wrong::Window => ("windowDays", "must be a whole number from 1 to 365."),
        Wrong::CodeParameter => (
            "codeParameter",
            "has 1 to 32 letters, digits, `-` and `_`, and does not begin with `utm_`.",
        ),
        Wrong::ClickParameter => (
            "clickParameter",
            "has 1 to 32 letters, digits, `-` and `_`, does not begin with `utm_`, and is not `codeParameter`.",
        ),
        Wrong::Card => ("card", CARD),
    };
    ApiError::invalid(field, format!("`{field}` {why}"))
}

/// Set up links.
///
/// What is left out stays as it is. Links that were made once go on leading to the project, whatever is set here.
#[utoipa::path(
    put, path = "", operation_id = "put_link_settings",
    request_body = PutLinkSettingsRequest,
    responses((status = 200, description = "The settings as they are now.", body = LinkSettingsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<PutLinkSettingsRequest>,
) -> Result<Response, ApiError> {
    let (request, place) = (std::sync::Arc::new(input.body), access.place.clone());
    let put = move |tx: &mut dyn Tx, act: &mut Act| {
        links::set_up(tx, act, &place, |before| {
            request
                .of(before)
                .map_err(|wrong| Refusal::ImpossibleLinks(wrong).into())
        })
    };
    let shared = Shared::clone(&app);
    let answer = move |(settings, names): &(Settings, links::Names)| {
        let shown = LinkSettingsAnswer::new(&shared, settings.clone(), names.clone());
        answer::ok(&shown)
    };
    app.write_answer(&access.caller, input.keyed, put, answer)
        .await
}
