//! Parts that pages are made of.

pub(super) mod chart;
pub(super) mod currencies;
pub(super) mod days;
pub(super) mod deed_names;
pub(super) mod deeds;
pub(super) mod entry;
pub(super) mod export;
pub(super) mod form;
pub(super) mod keys;
pub(super) mod lock;
pub(super) mod money;
pub(super) mod named;
pub(super) mod notice;
pub(super) mod numbers;
pub(super) mod pager;
pub(super) mod people;
pub(super) mod programs;
pub(super) mod said;
pub(super) mod shell;
pub(super) mod switch;
pub(super) mod table;
pub(super) mod tabs;
pub(super) mod time;
pub(super) mod unread;
pub(super) mod upkeep;
pub(super) mod words;
