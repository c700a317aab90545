//! `billstack members …`.

use billstack_core::access::Role;
use billstack_core::email;
use billstack_store::{Abort, Refusal, Thing, Tx};
use billstack_store::{invitations, members, users};
use serde_json::json;

use super::output::{Failure, say, say_json, table};
use super::team::{self, TeamArgs};
use crate::api::teams::invitations::InvitationJson;
use crate::api::teams::members::MemberJson;
use crate::clock::rfc3339;
use crate::one_time_token::new_invitation_token;
use crate::secrets::token_hash;
use crate::settings::Settings;

const LIST_EXAMPLES: &str = "\
Example:
  billstack members list";

const INVITE_EXAMPLES: &str = "\
Prints a token to pass on; with it, only a user with this address can join, within seven days. No e-mail
is sent.

Example:
  billstack members invite --email grace@example.com --role admin";

const SET_ROLE_EXAMPLES: &str = "\
The last owner of a team stays one.

Example:
  billstack members set-role grace@example.com --role owner";

const REMOVE_EXAMPLES: &str = "\
The last owner of a team stays. What the member has made stays too.

Example:
  billstack members remove grace@example.com";

/// Whoever runs commands on the server may do what an owner may.
const OPERATOR: Role = Role::Owner;

#[derive(clap::Subcommand)]
pub(super) enum MembersCommand {
    /// List the members of a team
    #[command(after_help = LIST_EXAMPLES)]
    List(TeamArgs),
    /// Invite somebody into a team
    #[command(after_help = INVITE_EXAMPLES)]
    Invite(InviteArgs),
    /// Give a member another role
    #[command(after_help = SET_ROLE_EXAMPLES)]
    SetRole(SetRoleArgs),
    /// Remove a member
    #[command(after_help = REMOVE_EXAMPLES)]
    Remove(RemoveArgs),
}

#[derive(clap::Args)]
pub(super) struct InviteArgs {
    #[command(flatten)]
    team: TeamArgs,
    /// E-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The role: owner, admin, member or viewer
    #[arg(long)]
    role: String,
}

#[derive(clap::Args)]
pub(super) struct SetRoleArgs {
    #[command(flatten)]
    team: TeamArgs,
    /// The member, by e-mail address or id
    #[arg(value_name = "MEMBER")]
    member: String,
    /// The role: owner, admin, member or viewer
    #[arg(long)]
    role: String,
}

#[derive(clap::Args)]
pub(super) struct RemoveArgs {
    #[command(flatten)]
    team: TeamArgs,
    /// The member, by e-mail address or id
    #[arg(value_name = "MEMBER")]
    member: String,
}

/// Runs one of them.
pub(super) fn run(settings: &Settings, command: MembersCommand) -> Result<(), Failure> {
    match command {
        MembersCommand::List(args) => list(settings, &args),
        MembersCommand::Invite(args) => invite(settings, &args),
        MembersCommand::SetRole(args) => set_role(settings, args),
        MembersCommand::Remove(args) => remove(settings, args),
    }
}

fn list(settings: &Settings, args: &TeamArgs) -> Result<(), Failure> {
    let team = team::open(settings, args, "members list")?;
    let found = team.list(|tx, team_id, page| Ok(members::list(tx, team_id, page)?))?;
    if args.json {
        return say_json(&found.iter().map(MemberJson::new).collect::<Vec<_>>());
    }
    let rows = found.iter().map(|member| {
        let (id, email) = (member.user_id.clone(), member.email.clone());
        let role = member.role.as_str().to_owned();
        [
            id,
            email,
            member.name.clone(),
            role,
            rfc3339(member.created_at.0),
        ]
    });
    let heads = ["ID", "EMAIL", "NAME", "ROLE", "JOINED"];
    table(heads, &rows.collect::<Vec<_>>())
}

fn invite(settings: &Settings, args: &InviteArgs) -> Result<(), Failure> {
    let wanted = || Failure::usage("--email must be an e-mail address");
    let email = email::normalize(&args.email).ok_or_else(wanted)?;
    let role = role(&args.role)?;
    let team = team::open(settings, &args.team, "members invite")?;
    let token = new_invitation_token(&team.id);
    let hash = token_hash(&token);
    let made = team.change(move |tx, act, team_id| {
        invitations::create(tx, act, team_id, OPERATOR, &email, role, &hash)
    })?;
    if args.team.json {
        return say_json(&json!({"invitation": InvitationJson::new(&made), "token": token}));
    }
    say(format_args!(
        "Invitation  {}\nFor         {} until {}\nToken       {token}\n            (shown this once)",
        made.id,
        made.email,
        rfc3339(made.expires_at.0)
    ))
}

fn set_role(settings: &Settings, args: SetRoleArgs) -> Result<(), Failure> {
    let role = role(&args.role)?;
    let team = team::open(settings, &args.team, "members set-role")?;
    let changed = team.change(move |tx, act, team_id| {
        let id = id_of(tx, &args.member)?;
        members::set_role(tx, act, team_id, OPERATOR, &id, role)
    })?;
    match args.team.json {
        true => say_json(&MemberJson::new(&changed)),
        false => say(format_args!(
            "{} is {} now.",
            changed.email,
            changed.role.as_str()
        )),
    }
}

fn remove(settings: &Settings, args: RemoveArgs) -> Result<(), Failure> {
    let team = team::open(settings, &args.team, "members remove")?;
    let named = args.member.clone();
    let removed = team.change(move |tx, act, team_id| {
        let id = id_of(tx, &named)?;
        members::remove(tx, act, team_id, "", OPERATOR, &id)?;
        Ok(id)
    })?;
    match args.team.json {
        true => say_json(&json!({"userId": removed, "deleted": true})),
        false => say(format_args!("{} is no member any more.", args.member)),
    }
}

fn role(text: &str) -> Result<Role, Failure> {
    Role::parse(text).ok_or_else(|| {
        let all: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        Failure::usage(format_args!("--role must be one of {}", all.join(", ")))
    })
}

/// The id of a member who may be named by their address.
fn id_of(tx: &mut dyn Tx, named: &str) -> Result<String, Abort> {
    let Some(email) = email::normalize(named) else {
        return Ok(named.to_owned());
    };
    let found = users::credentials(tx, &email)?;
    let (user, _) = found.ok_or(Refusal::NotFound(Thing::Member))?;
    Ok(user.id)
}
