//! Tokens that let somebody in once: the set-up token of a new server, and invitations.
//!
//! A set-up token is `setup.` and 64 hex digits. An invitation is `inv.`, the id of its team, a dot
//! and 64 hex digits: invitations are kept per team, so the token has to name it. Only the hash of
//! the whole text is ever stored.

use billstack_core::ids::{TeamId, is_id};
use serde::de::{Deserialize, Deserializer, Error};

use crate::http::json::Text;
use crate::secrets::{new_token, token_hash};

const SET_UP: &str = "setup";
const INVITATION: &str = "inv";

/// Hex digits of randomness at the end of a token.
const RANDOM: usize = 64;

/// The longest token, in characters: an id has at most 64.
const LONGEST: usize = INVITATION.len() + 1 + 64 + 1 + RANDOM;

/// A token of a possible form. Says nothing of its validity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OneTimeToken {
    /// Lets the first user in.
    SetUp {
        /// What is stored of it.
        hash: String,
    },
    /// Lets somebody into a team.
    Invitation {
        /// The team.
        team_id: TeamId,
        /// What is stored of it.
        hash: String,
    },
}

impl OneTimeToken {
    /// Reads a token; `None` for a text of any other form.
    pub fn parse(text: &str) -> Option<OneTimeToken> {
        let hash = token_hash(text);
        let parts: Vec<&str> = text.splitn(4, '.').collect();
        match parts[..] {
            [SET_UP, random] if is_random(random) => Some(OneTimeToken::SetUp { hash }),
            [INVITATION, team_id, random] if is_id(team_id) && is_random(random) => {
                let team_id = TeamId::from(team_id);
                Some(OneTimeToken::Invitation { team_id, hash })
            }
            _ => None,
        }
    }
}

/// A token of another form is bad input, not an unknown token.
impl<'de> Deserialize<'de> for OneTimeToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::<1, LONGEST>::deserialize(deserializer)?;
        OneTimeToken::parse(&text)
            .ok_or_else(|| D::Error::custom("must be a set-up token or an invitation."))
    }
}

/// A new set-up token.
pub fn new_setup_token() -> String {
    format!("{SET_UP}.{}", new_token())
}

/// A new invitation to a team.
pub fn new_invitation_token(team_id: &TeamId) -> String {
    format!("{INVITATION}.{team_id}.{}", new_token())
}

fn is_random(text: &str) -> bool {
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == RANDOM && text.bytes().all(lower_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_read_back() {
        let setup = new_setup_token();
        let hash = token_hash(&setup);
        assert_eq!(setup.len(), 70);
        assert_eq!(
            OneTimeToken::parse(&setup),
            Some(OneTimeToken::SetUp { hash })
        );

        let team_id = TeamId::from("a".repeat(64));
        let invitation = new_invitation_token(&team_id);
        let hash = token_hash(&invitation);
        assert_eq!(invitation.len(), LONGEST);
        assert_eq!(
            OneTimeToken::parse(&invitation),
            Some(OneTimeToken::Invitation { team_id, hash })
        );
        assert_ne!(new_setup_token(), new_setup_token());
    }

    #[test]
    fn other_forms_are_none() {
        let random = new_token();
        for text in [
            "",
            "setup.",
            "inv..",
            &random,
            &format!("setup.{}", &random[1..]),
            &format!("setup.{}", "A".repeat(64)),
            &format!("Setup.{random}"),
            &format!("setup.team_1.{random}"),
            &format!("setup.{random}."),
            &format!("inv.{random}"),
            &format!("inv..{random}"),
            &format!("inv.team 1.{random}"),
            &format!("inv.team_1.x.{random}"),
            &format!("inv.team_1.{random}.x"),
            &format!(" inv.team_1.{random}"),
        ] {
            assert_eq!(OneTimeToken::parse(text), None, "{text}");
        }
    }
}
