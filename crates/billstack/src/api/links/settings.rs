//! `…/links/settings`: where links lead, and what they bring along.

pub mod get;
pub mod put;

use billstack_core::link::{Card, Settings};
use billstack_store::links::Names;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;

/// How the links of a project are set up.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkSettings)]
#[serde(rename_all = "camelCase")]
pub struct LinkSettingsJson {
    /// Whether links bring their code along. While they do not, visitors are sent to the landing page without it.
    enabled: bool,
    /// Where visitors are sent; null until somebody has said, and a link is a page that says so.
    #[schema(example = "https://example.com/welcome")]
    landing_url: Option<String>,
    /// The hosts that `to` of a link may name besides that of the landing page.
    #[schema(example = json!(["docs.example.com"]))]
    redirect_hosts: Vec<String>,
    /// For how many days a click counts.
    #[schema(minimum = 1, maximum = 365, example = 60)]
    window_days: i64,
    /// The parameter of the landing page that brings the code.
    #[schema(example = "ref")]
    code_parameter: String,
    /// The parameter of the landing page that brings the click token.
    #[schema(example = "ref_click")]
    click_parameter: String,
    /// What chats show of a link; null for what the landing page says itself.
    card: Option<CardJson>,
    /// The short name of the project in its links.
    #[schema(example = "k3m9qz")]
    slug: String,
    /// What links look like. The first one is the shortest, and all lead to this project for ever.
    #[schema(example = json!(["https://referrals.example.com/r/k3m9qz/{code}"]))]
    share_urls: Vec<String>,
}

/// What chats show of a link.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkCard)]
#[serde(rename_all = "camelCase")]
pub struct CardJson {
    /// Its title.
    #[schema(min_length = 1, max_length = 200, example = "5 USD for you")]
    title: String,
    /// Its text.
    #[schema(min_length = 1, max_length = 500)]
    text: Option<String>,
    /// Its picture, with https.
    #[schema(max_length = 2048, example = "https://example.com/card.png")]
    image_url: Option<String>,
}

impl From<Card> for CardJson {
    fn from(card: Card) -> CardJson {
        CardJson {
            title: card.title,
            text: card.text,
            image_url: card.image_url,
        }
    }
}

/// The settings as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct LinkSettingsAnswer {
    /// The settings.
    settings: LinkSettingsJson,
}

impl LinkSettingsAnswer {
    fn new(app: &App, settings: Settings, names: Names) -> LinkSettingsAnswer {
        let base = app.public_url();
        let short = names.is_first.then(|| format!("{base}/r/{{code}}"));
        let named = format!("{base}/r/{}/{{code}}", names.slug);
        LinkSettingsAnswer {
            settings: LinkSettingsJson {
                enabled: settings.enabled,
                landing_url: settings.landing_url,
                redirect_hosts: settings.redirect_hosts,
                window_days: settings.window_days,
                code_parameter: settings.code_parameter,
                click_parameter: settings.click_parameter,
                card: settings.card.map(CardJson::from),
                slug: names.slug,
                share_urls: short.into_iter().chain([named]).collect(),
            },
        }
    }
}
