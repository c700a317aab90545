//! `…/links`.

mod settings;
