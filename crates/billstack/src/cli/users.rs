//! `billstack users …`.

use billstack_core::email;
use billstack_store::Abort;
use billstack_store::Refusal;
use billstack_store::Thing;
use billstack_store::users;

use super::output::{Failure, say};
use super::{database, password, terminal};
use crate::settings::Settings;

const SET_PASSWORD_EXAMPLES: &str = "\
The way back in for somebody who forgot their password. It works beside a live server.

Example:
  printf %s \"$NEW_PASSWORD\" | billstack users set-password --email ada@example.com --password-stdin";

#[derive(clap::Subcommand)]
pub(super) enum UsersCommand {
    /// Set a user's password and end all their sessions
    #[command(after_help = SET_PASSWORD_EXAMPLES)]
    SetPassword(SetPasswordArgs),
}

#[derive(clap::Args)]
pub(super) struct SetPasswordArgs {
    /// E-mail address of the user
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// Read the new password from standard input; at a terminal it is asked for when this is left out
    #[arg(long)]
    password_stdin: bool,
}

/// Runs one of them.
pub(super) fn run(settings: &Settings, command: UsersCommand) -> Result<(), Failure> {
    match command {
        UsersCommand::SetPassword(args) => set_password(settings, &args),
    }
}

fn set_password(settings: &Settings, args: &SetPasswordArgs) -> Result<(), Failure> {
    if !args.password_stdin && !terminal::is_there() {
        let wanted = "--password-stdin must be given: there is nobody at a terminal to be asked";
        return Err(Failure::usage(wanted));
    }
    let Some(email) = email::normalize(&args.email) else {
        return Err(Failure::usage("--email must be an e-mail address"));
    };
    let target = database::target(settings)?;
    database::must_exist(&target)?;
    let hash = match args.password_stdin {
        true => password::read_hashed()?,
        false => password::ask_hashed()?,
    };
    let store = database::open(&target)?;
    let wanted = email.clone();
    let ended = database::write(&store, "users set-password", move |tx, act| {
        let found = users::credentials(tx, &wanted)?;
        let (user, _) = found.ok_or(Refusal::NotFound(Thing::User))?;
        users::set_password(tx, act, &user.id, &hash)
    });
    match ended {
        Ok(ended) => say(format_args!(
            "The password of {email} is set; {ended} sessions have ended."
        )),
        Err(Abort::Refused(_)) => Err(Failure::refused(format_args!(
            "there is no user with the address {email}"
        ))),
        Err(fault) => Err(fault.into()),
    }
}
