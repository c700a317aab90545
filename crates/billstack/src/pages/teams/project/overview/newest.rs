//! The codes that bring most, and the newest conversions.

use billstack_core::referral::Referral;
use billstack_store::codes::{self, Best, CodeSort};
use billstack_store::list::Page;
use billstack_store::referrals::{self, ReferralFilter, ReferralSort};
use billstack_store::{Place, Tx};
use maud::{Markup, html};

use super::metric::Metric;
use crate::app::App;
use crate::error::ApiError;
use crate::pages::parts::notice::beside;
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::day;
use crate::pages::teams::project::address;
use crate::pages::teams::project::codes::Brought;
use crate::pages::teams::project::referrals::people_of;
use crate::pages::view::read;

/// How many codes are told.
const BEST: usize = 5;

/// Rows of each list.
const FEW: Page = Page::first(5);

/// The codes that bring most of a figure, ever.
pub(super) async fn codes(app: &App, place: &Place, metric: Metric) -> Result<Markup, ApiError> {
    let sort = match metric {
        Metric::Clicks => CodeSort::Clicks,
        Metric::Applied => CodeSort::Applied,
        Metric::Converted | Metric::Rate | Metric::Credited(_) => CodeSort::Converted,
    };
    let found = read(app, place, move |tx, place| {
        let rows = codes::best(tx, place, sort, BEST)?;
        let ids = rows.iter().map(|row| row.customer_id.as_str());
        let people = People::read(tx, place, ids)?;
        Ok((rows, people))
    });
    let (rows, people) = found.await?;
    Ok(show_codes(place, &rows, &people))
}

pub(super) async fn conversions(app: &App, place: &Place) -> Result<Markup, ApiError> {
    let found = read(app, place, |tx: &mut dyn Tx, place| {
        let filter = ReferralFilter {
            sort: ReferralSort::Converted,
            ..ReferralFilter::default()
        };
        let rows = referrals::list(tx, place, &filter, &FEW)?.rows;
        let people = people_of(tx, place, &rows)?;
        Ok((rows, people))
    });
    let (rows, people) = found.await?;
    Ok(show_conversions(place, &rows, &people))
}

fn show_codes(place: &Place, rows: &[Best], people: &People) -> Markup {
    let base = address(&place.team_id, &place.project_id);
    let columns = [
        Column::short("Code"),
        Column::text("Customer"),
        Column::number("Clicks"),
        Column::number("Applied"),
        Column::number("Converted"),
    ];
    let cells = rows.iter().map(|row| {
        let shown = row.name.as_ref().unwrap_or(&row.code);
        let brought = Brought::new(&base, &row.code, row.total);
        [
            beside(
                html! { a href={ (base) "/codes/" (row.code) } { code { (shown) } } },
                shown,
            ),
            people.link(place, &row.customer_id),
            brought.clicks,
            brought.applied,
            brought.converted,
        ]
    });
    let empty = "No code has brought anything yet.";
    html! {
        p.quiet { "Since each was made, whatever days are chosen above." }
        (table("Codes that have brought most", columns, cells, empty))
        p { a href={ (base) "/codes" } { "All codes" } }
    }
}

fn show_conversions(place: &Place, rows: &[Referral], people: &People) -> Markup {
    let base = address(&place.team_id, &place.project_id);
    let columns = [
        Column::text("Friend"),
        Column::text("Referred by"),
        Column::short("Converted"),
    ];
    let cells = rows.iter().map(|referral| {
        let friend = people.name(&referral.referee_customer_id);
        let at = referral.converted_at.unwrap_or(referral.created_at);
        [
            html! { a href={ (base) "/referrals/" (referral.id) } { (friend) } },
            people.link(place, &referral.referrer_customer_id),
            day(at),
        ]
    });
    let empty = "No conversion yet. One comes when the subscription of a friend begins at Stripe.";
    html! {
        (table("Conversions, the newest first", columns, cells, empty))
        p { a href={ (base) "/referrals?sort=converted" } { "All conversions" } }
    }
}
