//! How a code is shared: its link, and the picture of it.

use billstack_core::link::Settings;
use billstack_store::codes::Code;
use billstack_store::links::{self, Names};
use billstack_store::{Abort, Place, Tx, programs};
use maud::{Markup, PreEscaped, html};

use crate::app::App;
use crate::links::qr;
use crate::pages::parts::notice::copyable;
use crate::pages::teams::project::address;

/// The width of the picture on the page.
const SIZE: usize = 160;

/// What links of the project are like.
pub(super) struct Share {
    names: Names,
    settings: Settings,
    is_on: bool,
    base: String,
}

impl Share {
    pub(super) fn read(tx: &mut dyn Tx, place: &Place) -> Result<Share, Abort> {
        Ok(Share {
            names: links::names(tx, place)?,
            settings: links::settings(tx, place)?,
            is_on: programs::get(tx, place)?.enabled,
            base: address(&place.team_id, &place.project_id),
        })
    }

    /// Why a link would bring nobody, if it would not.
    fn fault(&self, code: &Code) -> Option<(&'static str, Option<&'static str>)> {
        if !code.is_active {
            return Some(("The code is off. Its link leads on without it.", None));
        }
        if self.settings.landing_url.is_none() {
            return Some(("Nobody has said yet where links lead.", Some("links")));
        }
        if !self.settings.enabled {
            return Some((
                "Links are off: they lead on without the code.",
                Some("links"),
            ));
        }
        let is_off = (
            "The program is off: no code can be applied.",
            Some("program"),
        );
        (!self.is_on).then_some(is_off)
    }

    pub(super) fn show(&self, app: &App, code: &Code) -> Markup {
        let slug = (!self.names.is_first).then_some(self.names.slug.as_str());
        let shown = code.names.0.first().unwrap_or(&code.code);
        let link = qr::link(app.public_url(), slug, shown);
        let picture = qr::picture(app.public_url(), slug, shown, SIZE);
        html! {
            @if let Some((why, place)) = self.fault(code) {
                p.notice { (why) @if let Some(place) = place { " " a href={ (self.base) "/" (place) } { "Set that up" } } }
            }
            div.share {
                @if let Some(picture) = picture { div.qr role="img" aria-label={ "QR code of " (link) } { (PreEscaped(picture)) } }
                div {
                    p { "Link" br; (copyable(&link)) }
                    p { a href={ (link) "/qr.svg?size=1024" } { "QR code as SVG" } " · " a href={ (link) "/qr.png?size=1024" } { "as PNG" } }
                }
            }
        }
    }
}
