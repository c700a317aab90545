//! What the page of the members of a team shows.

use billstack_core::access::Role;
use billstack_store::invitations::{self, Invitation};
use billstack_store::list::Page;
use billstack_store::members::{self, Member};
use maud::{Markup, html};

use super::path;
use crate::app::App;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::page::page;
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::form::{Field, Kind, choice, fault, field, once, submit as button};
use crate::pages::parts::pager::{Trail, pager};
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::shown::{Secret, panels};

/// Rows of a page.
const ROWS: i64 = 50;

/// Invitations that are shown. They end after a week.
const MOST_INVITATIONS: i64 = 100;

/// Each role, and what it may do.
static ROLES: [(Role, &str); 4] = [
    (
        Role::Viewer,
        "reads everything of the projects, but no keys",
    ),
    (
        Role::Member,
        "besides, changes customers, codes, referrals, credits and programs",
    ),
    (
        Role::Admin,
        "besides, decides on members, keys, Stripe, links, the portal and webhooks",
    ),
    (
        Role::Owner,
        "besides, makes and unmakes owners; a team always has one",
    ),
];

/// Members, invitations, and a form for a new one. A link that has just been made is shown above.
pub(super) async fn body(
    app: &App,
    access: &TeamAccess,
    (query, links): (&Query, &[Secret]),
    (typed, error): (&Form, Option<&ApiError>),
) -> Result<Markup, ApiError> {
    let (page, team_id) = (page(query, ROWS)?, access.team_id.clone());
    let trail = Trail::of(query);
    let few = Page::first(MOST_INVITATIONS);
    let read = app.store.scan(move |tx| {
        let invited = invitations::list(tx, &team_id, &few)?;
        Ok((members::list(tx, &team_id, &page)?, invited.rows))
    });
    let (part, invited) = read.await?;
    let path = path(&access.team_id);
    let now = app.now();
    Ok(html! {
        h1 { "Members" }
        (panels("The link of your invitation", links,
            "Send it to whoever is invited; no mail is sent from here.", &format!("{path}/kept")))
        (fault(error, &["email"]))
        (list(&part.rows, access, typed))
        (pager(&path, &[], &trail, part.next.as_ref()))
        @if !invited.is_empty() {
            h2 { "Invited" }
            (invitations_of(&invited, &path, |one| one.expires_at <= now))
        }
        (invitation(&path, access.role, (typed, error)))
        section {
            h2 { "What each role may do" }
            dl.facts { @for (role, may) in &ROLES { div { dt { (role.as_str()) } dd { (may) } } } }
        }
    })
}

fn list(rows: &[Member], access: &TeamAccess, typed: &Form) -> Markup {
    let columns = [
        Column::text("Name"),
        Column::text("Address"),
        Column::short("Role"),
        Column::short("Since"),
        Column::text(""),
    ];
    let rows = rows.iter().map(|member| {
        let is_self = member.user_id == access.user.id;
        [
            html! { span id=(member.user_id) { (member.name) @if is_self { span.quiet { " (you)" } } } },
            html! { (member.email) },
            html! { (member.role.as_str()) },
            moment(member.created_at),
            changes(member, access, typed),
        ]
    });
    table("Members, who came last first", columns, rows, "Nobody.")
}

/// The roles that somebody with this role gives.
fn given(by: Role) -> impl Iterator<Item = (&'static str, &'static str)> {
    let roles = ROLES.iter().map(|(role, _)| role);
    let roles = roles.filter(move |role| **role != Role::Owner || by == Role::Owner);
    roles.map(|role| (role.as_str(), role.as_str()))
}

/// The forms for a member, open where one of them came back.
fn changes(member: &Member, access: &TeamAccess, typed: &Form) -> Markup {
    if member.role == Role::Owner && access.role != Role::Owner {
        return html! { span.quiet { "Only owners change owners." } };
    }
    let (path, id) = (path(&access.team_id), &member.user_id);
    let field = format!("role-{id}");
    let is_back = typed.text("id") == id;
    let chosen = match typed.text("role") {
        role if is_back && !role.is_empty() => role,
        _ => member.role.as_str(),
    };
    html! {
        details.confirm open[is_back] {
            summary { "Change" span.hidden { " " (member.name) } }
            form method="post" action={ (path) "/role" } {
                (once())
                input type="hidden" name="id" value=(id);
                div.field {
                    label for=(field) { "Role" }
                    select id=(field) name="role" {
                        @for (role, name) in given(access.role) {
                            option value=(role) selected[role == chosen] { (name) }
                        }
                    }
                }
                (button("Change the role"))
            }
            form method="post" action={ (path) "/remove" } {
                (once())
                input type="hidden" name="id" value=(id);
                p { "Whoever is removed sees nothing of the team from their next click on. What they did stays in the log." }
                (button("Remove from the team"))
            }
        }
    }
}

fn invitations_of(
    invited: &[Invitation],
    path: &str,
    is_over: impl Fn(&Invitation) -> bool,
) -> Markup {
    let columns = [
        Column::text("Address"),
        Column::short("Role"),
        Column::short("Ends"),
        Column::text(""),
    ];
    let rows = invited.iter().map(|one| {
        [
            html! { (one.email) },
            html! { (one.role.as_str()) },
            html! { div { @if is_over(one) { span.state.ended { "Expired" } } (moment(one.expires_at)) } },
            html! {
                form method="post" action={ (path) "/uninvite" } {
                    (once())
                    input type="hidden" name="id" value=(one.id);
                    button.plain { "Take back" span.hidden { " the invitation of " (one.email) } }
                }
            },
        ]
    });
    table("Invitations, the newest first", columns, rows, "None.")
}

fn invitation(path: &str, by: Role, (typed, error): (&Form, Option<&ApiError>)) -> Markup {
    let chosen = match typed.text("role") {
        "" => Role::Viewer.as_str(),
        role => role,
    };
    html! {
        section {
            h2 { "Invite somebody" }
            p.quiet { "You get a link to send on. It is good for this address alone, once, for seven days." }
            form.row method="post" action=(path) {
                (once())
                (field(&Field { label: "E-mail address", name: "email", kind: Kind::Email, ..Field::default() }, typed, error))
                (choice("Role", "role", given(by), chosen))
                (button("Make the invitation"))
            }
        }
    }
}
