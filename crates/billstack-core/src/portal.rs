//! The page on which customers see what their recommendations brought, and the same for pages of the product's own.
//!
//! What a customer sees of a friend is about the customer's own reward: a friend's address, ids, payments, and why
//! something did not count are a fact about somebody else.

mod friend;
mod locale;
mod mask;
mod origins;
mod session;
mod settings;
mod theme;

pub use friend::{Facts, Promise, State, WaitingFor, state};
pub use locale::Locale;
pub use mask::{Named, label};
pub use origins::{Origins, allows};
pub use session::{Key, Session, key};
pub use settings::{LONGEST_TEXT, MOST_ORIGINS, Settings, Texts, Wording, Wrong};
pub use theme::{Accent, Font, Theme};

text_enum! {
    /// What customers see of the name of a friend.
    pub enum Names {
        /// The first letter: `G…`.
        Initial = "initial",
        /// The first name.
        First = "first",
        /// Nothing.
        Hidden = "hidden",
    }
}
