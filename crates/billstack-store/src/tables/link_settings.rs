//! How the links of projects are set up.

use billstack_core::link::{Card, Settings};
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT enabled, landing_url, redirect_hosts, window_days, code_parameter, click_parameter, \
        card_title, card_text, card_image_url FROM link_settings WHERE team_id = $1 AND project_id = $2";
    PUT = "INSERT INTO link_settings (team_id, project_id, enabled, landing_url, redirect_hosts, window_days, \
        code_parameter, click_parameter, card_title, card_text, card_image_url, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (team_id, project_id) \
        DO UPDATE SET enabled = excluded.enabled, landing_url = excluded.landing_url, \
        redirect_hosts = excluded.redirect_hosts, window_days = excluded.window_days, \
        code_parameter = excluded.code_parameter, click_parameter = excluded.click_parameter, \
        card_title = excluded.card_title, card_text = excluded.card_text, \
        card_image_url = excluded.card_image_url, updated_at = excluded.updated_at";
}

fn decode(row: &dyn Row) -> Result<Settings, Fault> {
    let (text, image_url) = (row.opt_string(7)?, row.opt_string(8)?);
    let card = row.opt_string(6)?.map(|title| Card {
        title,
        text,
        image_url,
    });
    Ok(Settings {
        enabled: row.flag(0)?,
        landing_url: row.opt_string(1)?,
        redirect_hosts: row.text(2)?.split_whitespace().map(str::to_owned).collect(),
        window_days: row.int(3)?,
        code_parameter: row.string(4)?,
        click_parameter: row.string(5)?,
        card,
    })
}

/// How the links of a project are set up: as from the start, until somebody has.
pub fn get(tx: &mut dyn Tx, place: &Place) -> Result<Settings, Fault> {
    let found = tx.one(GET, params![&place.team_id, &place.project_id], decode)?;
    Ok(found.unwrap_or_default())
}

/// Sets up the links of a project.
pub(crate) fn put(
    tx: &mut dyn Tx,
    place: &Place,
    settings: &Settings,
    at: Micros,
) -> Result<(), Fault> {
    let hosts = settings.redirect_hosts.join(" ");
    let card = settings.card.as_ref();
    let row = params![
        &place.team_id,
        &place.project_id,
        settings.enabled,
        settings.landing_url.as_deref(),
        &hosts,
        settings.window_days,
        &settings.code_parameter,
        &settings.click_parameter,
        card.map(|card| card.title.as_str()),
        card.and_then(|card| card.text.as_deref()),
        card.and_then(|card| card.image_url.as_deref()),
        at,
    ];
    tx.must(PUT, row)
}
