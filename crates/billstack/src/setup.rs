//! How the first user gets into a new server: with a token that only its operator sees.

use billstack_store::Actor;
use billstack_store::users;

use crate::app::App;
use crate::one_time_token::new_setup_token;
use crate::secrets::token_hash;

/// Makes a set-up token while there is no user, for the operator to be shown; `None` once there is.
///
/// A start that cannot make one still serves: the token of an earlier start, or `billstack init`,
/// lets the first user in. Call it outside of async code.
pub fn announce_setup(app: &App) -> Option<String> {
    let token = new_setup_token();
    let hash = token_hash(&token);
    let origin = app.origin(Actor::System, "");
    let added = app.store.write_blocking(origin, move |tx, act| {
        Ok(!users::any(tx)? && users::add_setup_token(tx, act, &hash)?)
    });
    match added {
        Ok(added) => added.then_some(token),
        Err(error) => {
            tracing::error!(?error, "no set-up token could be made");
            None
        }
    }
}
