//! A customer's page with sample data, in the frame that pages of the product show.

use billstack_core::portal::Locale;
use billstack_store::Place;
use maud::{Markup, html};

use crate::app::App;
use crate::http::page::text;
use crate::http::query::Query;
use crate::pages::parts::pager::with_query;
use crate::pages::theme::Theme;
use crate::pages::view::View;

const WIDTHS: [&str; 2] = ["phone", "desktop"];
const THEMES: [&str; 2] = ["light", "dark"];

/// What is looked at; the first of each where nothing was chosen.
fn chosen<'c>(query: &Query, name: &'static str, choices: &[&'c str]) -> &'c str {
    let asked = text(query, name, 16).ok().flatten();
    let found = choices
        .iter()
        .find(|choice| Some(**choice) == asked.as_deref());
    found.or(choices.first()).copied().unwrap_or_default()
}

/// The section of the page.
pub(super) fn section(
    app: &App,
    (view, place): (&View, &Place),
    path: &str,
    query: &Query,
) -> Markup {
    let query = query.clone().without_empty();
    let locales: Vec<&str> = Locale::ALL.iter().map(Locale::as_str).collect();
    // It looks like the page around it until something else is chosen.
    let mut themes = THEMES;
    if view.theme == Theme::Dark {
        themes.reverse();
    }
    let (width, theme, locale) = (
        chosen(&query, "width", &WIDTHS),
        chosen(&query, "theme", &themes),
        chosen(&query, "locale", &locales),
    );
    let chips = |name: &str, choices: &[&str], now: &str| {
        let link = |choice: &str| {
            let of = |other: &str, value: &str| {
                if name == other {
                    choice.to_owned()
                } else {
                    value.to_owned()
                }
            };
            let all = [
                ("width", of("width", width)),
                ("theme", of("theme", theme)),
                ("locale", of("locale", locale)),
            ];
            let all: Vec<_> = all
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            with_query(path, &all)
        };
        html! { @for choice in choices { a href={ (link(choice)) "#preview" } aria-current=[(*choice == now).then_some("true")] { (choice) } } }
    };
    let frame = format!(
        "{}/embed/{}/{}",
        app.public_url(),
        place.team_id,
        place.project_id
    );
    let frame = with_query(
        &frame,
        &[("sample", "1"), ("theme", theme), ("locale", locale)],
    );
    // A box that scripts of the same origin may open is none, and browsers say so.
    let is_apart = app.settings.public_url.is_some();
    let sandbox = is_apart.then_some("allow-scripts allow-same-origin");
    html! {
        section #preview {
            h2 { "Preview" }
            p.quiet { "With sample data. Colour and corners follow the form below before they are saved, where scripts run." }
            nav.chips aria-label="What is previewed" {
                (chips("width", &WIDTHS, width)) (chips("theme", &THEMES, theme)) (chips("locale", &locales, locale))
            }
            iframe.preview.phone[width == "phone"] src=(frame) title="A customer's page with sample data" data-theme=(theme) data-locale=(locale)
                sandbox=[sandbox] loading="lazy" {}
        }
    }
}
