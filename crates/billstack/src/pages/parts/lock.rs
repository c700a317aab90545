//! What a page or a form needs of whoever uses it, and what those see who lack it: the reason first, and then a form that
//! can be read and not touched; or the reason alone, where the form would tell them nothing.

use billstack_core::access::Role;
use maud::{Markup, html};

use crate::http::access::Right;

/// What somebody must be in the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pages) enum Need {
    /// One who changes what is in projects.
    Writer,
    /// One who runs the team.
    Admin,
}

impl Need {
    /// What a right asks for beyond being a member.
    pub(in crate::pages) fn of(right: Right) -> Option<Need> {
        let holds = |role| right.is_held_by(Some(role));
        match (holds(Role::Viewer), holds(Role::Member)) {
            (true, _) => None,
            (false, true) => Some(Need::Writer),
            (false, false) => Some(Need::Admin),
        }
    }

    pub(in crate::pages) fn is_met(self, role: Option<Role>) -> bool {
        match self {
            Need::Writer => role.is_some_and(Role::can_write),
            Need::Admin => role.is_some_and(Role::can_administer),
        }
    }

    /// Who may, and who asks.
    pub(in crate::pages) fn told(self, role: Role) -> String {
        self.told_of("This", role)
    }

    fn told_of(self, what: &str, role: Role) -> String {
        let who = match self {
            Need::Writer => "owners, admins and members",
            Need::Admin => "owners and admins",
        };
        let role = role.as_str();
        format!("{what} is for {who} of the team. You are a {role}.")
    }
}

/// What is between somebody and the forms of a page.
pub(in crate::pages) struct Lock(Option<(Need, Role)>);

impl Lock {
    pub(in crate::pages) fn new(need: Need, role: Option<Role>) -> Lock {
        let lacks = role.filter(|role| !need.is_met(Some(*role)));
        Lock(lacks.map(|role| (need, role)))
    }

    /// Whether whoever looks may.
    pub(in crate::pages) fn is_open(&self) -> bool {
        self.0.is_none()
    }

    /// Why whoever looks may not, for the top of a page with several forms.
    pub(in crate::pages) fn reason(&self) -> Markup {
        html! { @if let Some((need, role)) = self.0 { p.notice { (need.told(role)) } } }
    }

    /// The inside of a form.
    pub(in crate::pages) fn inside(&self, form: Markup) -> Markup {
        match self.0 {
            Some(_) => html! { fieldset.shut disabled { (form) } },
            None => form,
        }
    }

    /// The inside of the one form of a page, behind the reason.
    pub(in crate::pages) fn around(&self, form: Markup) -> Markup {
        html! { (self.reason()) (self.inside(form)) }
    }

    /// Why whoever looks may not do this.
    pub(in crate::pages) fn why(&self, what: &str) -> Option<String> {
        self.0.map(|(need, role)| need.told_of(what, role))
    }
}

#[cfg(test)]
mod tests {
    use billstack_core::access::Scope;

    use super::*;

    #[test]
    fn what_a_right_needs_is_what_roles_hold() {
        for (right, need) in [
            (Right::TeamMember, None),
            (Right::Project(Scope::WebhooksRead), None),
            (Right::TeamWriter, Some(Need::Writer)),
            (Right::Project(Scope::ReferralsWrite), Some(Need::Writer)),
            (Right::Project(Scope::WebhooksWrite), Some(Need::Admin)),
            (
                Right::ProjectAdmin(Scope::ReferralsWrite),
                Some(Need::Admin),
            ),
            (Right::TeamAdmin, Some(Need::Admin)),
        ] {
            assert_eq!(Need::of(right), need, "{right:?}");
            for role in [Role::Owner, Role::Admin, Role::Member, Role::Viewer] {
                let is_met = need.is_none_or(|need| need.is_met(Some(role)));
                assert_eq!(is_met, right.is_held_by(Some(role)), "{right:?} {role}");
            }
        }
    }

    #[test]
    fn those_who_may_see_a_form_as_it_is() {
        let form = || html! { input; };
        for role in [Role::Owner, Role::Admin, Role::Member] {
            let lock = Lock::new(Need::Writer, Some(role));
            assert_eq!(lock.around(form()).0, "<input>");
        }
        let lock = Lock::new(Need::Writer, Some(Role::Viewer));
        let shown = lock.around(form()).0;
        assert!(shown.starts_with("<p class=\"notice\">This is for owners, admins and members"));
        let end = "You are a viewer.</p><fieldset class=\"shut\" disabled><input></fieldset>";
        assert!(shown.ends_with(end), "{shown}");
        let lock = Lock::new(Need::Admin, Some(Role::Member));
        assert!(lock.inside(form()).0.starts_with("<fieldset"));
        assert!(lock.reason().0.ends_with("You are a member.</p>"));
    }

    #[test]
    fn those_who_may_not_are_told_what_they_may_not() {
        let of = |role| Lock::new(Need::Writer, Some(role)).why("Moving credits");
        let why = "Moving credits is for owners, admins and members of the team. You are a viewer.";
        assert_eq!(of(Role::Viewer).as_deref(), Some(why));
        assert_eq!(of(Role::Member), None);
    }
}
