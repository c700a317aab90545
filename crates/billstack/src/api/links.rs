//! `…/projects/{projectId}/links`: the links that customers share.

pub mod settings;
