//! Customers' own pages: who is let in, and what each of them may be shown.
//!
//! A session is a token that the product's backend asks for, and hands to the customer's browser; see
//! `billstack_core::portal`. Pages of other origins may ask with it where the project allows them by name.

mod assets;
mod caller;
mod cors;
mod embed;
mod enter;
mod pace;
mod page;
mod place;
mod sight;
mod view;
mod words;

pub use assets::{icon, script as frame_script, style, theme};
pub use caller::PortalCaller;
pub use cors::preflight;
pub(crate) use cors::{origin as asking_origin, readable};
pub use embed::{element, frame, sample};
pub use enter::enter;
pub(crate) use enter::{address, new_ticket};
pub use pace::PortalPace;
pub use page::{code, fragment, page};
pub use place::{Context, sealed_cursor, unsealed_cursor};
pub use sight::Sight;
pub(crate) use sight::offer_of;
pub use view::{page as whole_page, view};
