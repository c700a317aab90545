//! How the pages of the customers of projects are set up, and in which epoch their sessions are.

use billstack_core::portal::{Accent, Names, Settings, Texts, Theme};
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT allowed_origins, names, accent, radius, font, texts, allow_vanity, offer_name, epoch \
        FROM portal_settings WHERE team_id = $1 AND project_id = $2";
    PUT = "INSERT INTO portal_settings (team_id, project_id, epoch, allowed_origins, names, accent, radius, font, \
        texts, allow_vanity, offer_name, updated_at) VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
        ON CONFLICT (team_id, project_id) DO UPDATE SET allowed_origins = excluded.allowed_origins, \
        names = excluded.names, accent = excluded.accent, radius = excluded.radius, font = excluded.font, \
        texts = excluded.texts, allow_vanity = excluded.allow_vanity, offer_name = excluded.offer_name, \
        updated_at = excluded.updated_at";
    NEXT_EPOCH = "UPDATE portal_settings SET epoch = epoch + 1 WHERE team_id = $1 AND project_id = $2";
}

/// How the pages of a project are set up, and the epoch of its sessions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    pub settings: Settings,
    pub epoch: i64,
}

fn decode(row: &dyn Row, first: usize) -> Result<Kept, Fault> {
    // What a newer version wrote and this one cannot read is as if nobody had set it.
    let theme = Theme {
        accent: row.opt_text(first + 2)?.and_then(Accent::parse),
        radius: row
            .opt_int(first + 3)?
            .and_then(|radius| u8::try_from(radius).ok()),
        font: row
            .opt_text(first + 4)?
            .and_then(|name| Theme::font_of(name).flatten()),
    };
    let texts: Option<Texts> = serde_json::from_str(row.text(first + 5)?).ok();
    Ok(Kept {
        settings: Settings {
            allowed_origins: row
                .text(first)?
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            names: row.read(first + 1, Names::read)?,
            theme,
            texts: texts.unwrap_or_default(),
            allow_vanity: row.flag(first + 6)?,
            offer_name: row.flag(first + 7)?,
        },
        epoch: row.int(first + 8)?,
    })
}

/// Whether a row, whose columns begin at this one, says something that nobody may set.
pub(crate) fn is_broken(row: &dyn Row, first: usize) -> Result<bool, Fault> {
    let Kept { settings, epoch } = decode(row, first)?;
    let theme = &settings.theme;
    let is_lost = |is_read: bool, text: Option<&str>| text.is_some() && !is_read;
    let lost = is_lost(theme.accent.is_some(), row.opt_text(first + 2)?)
        || is_lost(theme.font.is_some(), row.opt_text(first + 4)?)
        || serde_json::from_str::<Texts>(row.text(first + 5)?).is_err();
    let is_known = settings.names.known().is_some();
    let is_as_checked = settings
        .clone()
        .check()
        .is_ok_and(|checked| checked == settings);
    Ok(lost || epoch < 0 || !is_known || !is_as_checked)
}

/// How the pages of a project are set up: as from the start, until somebody has.
pub(crate) fn get(tx: &mut dyn Tx, place: &Place) -> Result<Kept, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    let found = tx.one(GET, scope, |row| decode(row, 0))?;
    Ok(found.unwrap_or_default())
}

/// Sets up the pages of a project. The epoch stays.
pub(crate) fn put(
    tx: &mut dyn Tx,
    place: &Place,
    settings: &Settings,
    at: Micros,
) -> Result<(), Fault> {
    let origins = settings.allowed_origins.join(" ");
    let accent = settings.theme.accent.map(|accent| accent.to_string());
    let texts = serde_json::to_string(&settings.texts).map_err(|e| Fault::Defect(e.to_string()))?;
    let row = params![
        &place.team_id,
        &place.project_id,
        &origins,
        settings.names.as_str(),
        accent.as_deref(),
        settings.theme.radius.map(i64::from),
        settings.theme.font.as_ref().map(|font| font.as_str()),
        &texts,
        settings.allow_vanity,
        settings.offer_name,
        at,
    ];
    tx.must(PUT, row)
}

/// Begins the next epoch of a project whose pages are set up.
pub(crate) fn next_epoch(tx: &mut dyn Tx, place: &Place) -> Result<(), Fault> {
    tx.must(NEXT_EPOCH, params![&place.team_id, &place.project_id])
}
