//! What the program promises, as people say it.

use billstack_core::program::Program;
use billstack_store::{Place, programs};
use maud::{Markup, html};

use crate::app::App;
use crate::error::ApiError;
use crate::pages::parts::money::amount;
use crate::pages::teams::project::address;
use crate::pages::view::read;

/// Whether it is on, and the two amounts.
pub(super) async fn promise(app: &App, place: &Place) -> Result<Markup, ApiError> {
    let program = read(app, place, |tx, place| Ok(programs::get(tx, place)?));
    Ok(show(place, &program.await?))
}

fn show(place: &Place, program: &Program) -> Markup {
    let terms = &program.terms;
    let (referrer, referee) = (terms.referrer_credit_amount, terms.referee_credit_amount);
    let state = match program.enabled {
        true => html! { span.state.on { "On" } },
        false => {
            html! { span.state.off { "Off" } " No code can be applied. What is pending may still convert." }
        }
    };
    let base = address(&place.team_id, &place.project_id);
    html! {
        p {
            a href={ (base) "/program" } { "Program" } ": " (state) " Who refers gets " (amount(referrer.get(), terms.currency))
            ", who is new gets " (amount(referee.get(), terms.currency)) "."
        }
    }
}
