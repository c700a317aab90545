//! `…/portal` of a project.

mod settings;
