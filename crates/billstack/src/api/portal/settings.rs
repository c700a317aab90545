//! `…/portal/settings`: how customers' own pages look, and where they may be shown.

pub mod get;
pub mod put;

use billstack_core::portal::{Settings, Texts};
use serde::Serialize;
use utoipa::ToSchema;

/// How the pages of a project's customers are set up.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalSettings)]
#[serde(rename_all = "camelCase")]
pub struct PortalSettingsJson {
    /// The origins that may show a customer's page, or ask for what it shows.
    #[schema(max_items = 20, example = json!(["https://app.example.com"]))]
    allowed_origins: Vec<String>,
    /// What customers see of the names of their friends: the first letter, the first name, or nothing.
    #[schema(value_type = NamesJson)]
    names: String,
    /// How the page looks.
    theme: ThemeJson,
    /// Texts in place of ours: by language (`en`, `de`, `fr`, `es`, `pt`), `title`, `offer`, `message` and `terms`.
    #[schema(value_type = Object, example = json!({"en": {"offer": "Give {amount}, get {amount}."}}))]
    texts: Texts,
    /// Whether customers may give their code another name.
    allow_vanity: bool,
    /// Whether whoever follows a link is told the first name of who recommends.
    offer_name: bool,
}

/// What customers see of the names of their friends.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalNames)]
#[serde(rename_all = "snake_case")]
pub enum NamesJson {
    /// The first letter: `G…`.
    Initial,
    /// The first name.
    First,
    /// Nothing.
    Hidden,
}

/// How the page looks.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalTheme)]
#[serde(rename_all = "camelCase")]
pub struct ThemeJson {
    /// The colour of buttons; null for ours. Text on it is white or black, whichever can be read.
    #[schema(pattern = "^#[0-9a-f]{6}$", example = "#0b57d0")]
    accent: Option<String>,
    /// The radius of corners in points; null for ours.
    #[schema(minimum = 0, maximum = 24, example = 8)]
    radius: Option<u8>,
    /// `system`, or the name of a font that visitors have.
    #[schema(example = "system")]
    font: String,
    /// The contrast of buttons and the text on them, from 4.5 to 21.
    #[schema(minimum = 4.5, maximum = 21.0, example = 6.2)]
    contrast: f64,
}

/// The settings as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct PortalSettingsAnswer {
    /// The settings.
    settings: PortalSettingsJson,
}

impl PortalSettingsAnswer {
    fn new(settings: &Settings) -> PortalSettingsAnswer {
        let theme = &settings.theme;
        let accent = theme.accent.unwrap_or(billstack_core::portal::Accent::OURS);
        let contrast = accent.contrast(accent.text());
        PortalSettingsAnswer {
            settings: PortalSettingsJson {
                allowed_origins: settings.allowed_origins.clone(),
                names: settings.names.as_str().to_owned(),
                theme: ThemeJson {
                    accent: theme.accent.map(|accent| accent.to_string()),
                    radius: theme.radius,
                    font: theme.font_name().to_owned(),
                    contrast: (contrast * 10.0).floor() / 10.0,
                },
                texts: settings.texts.clone(),
                allow_vanity: settings.allow_vanity,
                offer_name: settings.offer_name,
            },
        }
    }
}
