//! Ids with a number that stands for them in keys.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

/// Declares an id that has a number.
macro_rules! numbered {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        $(#[$meta])*
        ///
        /// It is part of almost every key in the database, so what is kept there is a [number](number_of),
        /// which is shorter than the text and compared faster. Nobody has to look the number up, and it is
        /// the same in every database. No two teams, and no two projects of a team, have the same one:
        /// a constraint decides that when they are made.
        #[derive(Clone, Eq, Hash, PartialEq)]
        pub struct $name {
            text: String,
            number: i64,
        }

        impl $name {
            /// The id as everybody outside the database knows it.
            pub fn as_str(&self) -> &str {
                &self.text
            }

            /// What stands for it in the database.
            pub const fn number(&self) -> i64 {
                self.number
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> $name {
                let number = number_of(&text);
                $name { text, number }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> $name {
                $name::from(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.text, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }
    )*};
}

numbered! {
    /// The id of a team, `team_…`.
    TeamId
    /// The id of a project, `proj_…`.
    ProjectId
}

/// The number that stands for a text: the first 64 bits of its SHA-256.
pub fn number_of(text: &str) -> i64 {
    let digest = Sha256::digest(text);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Databases hold these numbers: another way to make them would lose every row.
    #[test]
    fn numbers_never_change() {
        // The first sixteen digits that `printf %s abc | sha256sum` prints.
        let numbers = [TeamId::from("abc").number(), ProjectId::from("").number()];
        let digits = [0xba78_16bf_8f01_cfea, 0xe3b0_c442_98fc_1c14];
        assert_eq!(numbers.map(i64::cast_unsigned), digits);
    }

    #[test]
    fn outside_it_is_its_text() {
        let id = TeamId::from("team_1");
        assert_eq!(id.as_str(), "team_1");
        assert_eq!(id.to_string(), "team_1");
        assert_eq!(format!("{id:?}"), "\"team_1\"");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"team_1\"");
        assert_ne!(id, TeamId::from("team_2"));
    }
}
