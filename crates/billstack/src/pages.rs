//! The pages: what people see of this server in a browser. Files mirror the paths.
//!
//! A page is a row of the one route table, with the right of the call whose work it does: a form runs the operation of
//! that call, and each figure can be read by it. Every page works as a document, without a script.

pub mod accept;
pub mod account;
mod assets;
mod dress;
pub mod find;
mod form;
pub mod home;
mod kept;
pub mod parts;
mod picked;
pub mod setup;
mod shown;
pub mod sign_in;
pub mod sign_out;
mod submit;
pub mod teams;
mod theme;
mod view;

pub use assets::serve as asset;
pub use dress::{dress, dresser, nowhere};
