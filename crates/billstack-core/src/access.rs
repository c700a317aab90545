//! Who may do what: scopes of API keys, roles of people, and the form of a key.

use serde::Serialize;
use sha2::{Digest, Sha256};

text_enum! {
    /// One right an API key can hold inside a project.
    pub enum Scope {
        /// Look customers up.
        CustomersRead = "customers:read",
        /// Create, change and delete customers.
        CustomersWrite = "customers:write",
        /// Look at the program, codes, referrals and credits, and apply a code.
        ReferralsRead = "referrals:read",
        /// Change the program; create and deactivate codes.
        ReferralsWrite = "referrals:write",
        /// Look at webhook endpoints and what was sent to them.
        WebhooksRead = "webhooks:read",
        /// Say where webhooks are sent, and send them again.
        WebhooksWrite = "webhooks:write",
    }
}

impl Scope {
    /// Whether a key that holds `held` may do this: writing implies reading the same resource.
    pub fn implied_by(self, held: Scope) -> bool {
        self == held
            || matches!(
                (self, held),
                (Scope::CustomersRead, Scope::CustomersWrite)
                    | (Scope::ReferralsRead, Scope::ReferralsWrite)
                    | (Scope::WebhooksRead, Scope::WebhooksWrite)
            )
    }
}

/// The scopes of an API key. An empty list means that the key is not limited; nobody can ask for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// No limit: every scope, those of later versions included.
    pub const fn all() -> Scopes {
        Scopes(Vec::new())
    }

    /// Exactly these scopes, in any order and number; an empty list is [`Scopes::all`].
    pub fn from_list(mut scopes: Vec<Scope>) -> Scopes {
        scopes.sort_unstable();
        scopes.dedup();
        Scopes(scopes)
    }

    /// Whether a key with these scopes may do what `needed` stands for.
    pub fn grants(&self, needed: Scope) -> bool {
        self.0.is_empty() || self.0.iter().any(|held| needed.implied_by(*held))
    }

    /// Whether a key with these scopes may do all there is.
    pub fn is_full(&self) -> bool {
        Scope::ALL.iter().all(|scope| self.grants(*scope))
    }

    /// The scopes that a key has: as given, sorted and without repeats, or all there are when it is not limited.
    pub fn list(&self) -> &[Scope] {
        match self.0.is_empty() {
            true => Scope::ALL,
            false => &self.0,
        }
    }

    /// The stored form: the scopes separated by single spaces, empty when not limited.
    pub fn to_text(&self) -> String {
        let texts: Vec<&str> = self.0.iter().map(|scope| scope.as_str()).collect();
        texts.join(" ")
    }

    /// Reads the stored form.
    ///
    /// A scope of a newer version stays in the list and grants nothing here: dropping it could leave the
    /// list empty, and a limited key would become one without limits.
    pub fn from_text(text: &str) -> Option<Scopes> {
        if text.is_empty() {
            return Some(Scopes::all());
        }
        let scopes: Option<Vec<Scope>> = text.split(' ').map(Scope::read).collect();
        scopes.map(Scopes::from_list)
    }
}

text_enum! {
    /// What a person may do in a team.
    pub enum Role {
        /// Everything; a team always has at least one.
        Owner = "owner",
        /// Everything but what is kept for owners.
        Admin = "admin",
        /// Read and write inside the team's projects.
        Member = "member",
        /// Read only.
        Viewer = "viewer",
    }
}

impl Role {
    /// Whether the role may change anything inside a project.
    pub const fn can_write(self) -> bool {
        matches!(self, Role::Owner | Role::Admin | Role::Member)
    }

    /// Whether the role may change the team itself: members, API keys, the Stripe connection.
    pub const fn can_administer(self) -> bool {
        matches!(self, Role::Owner | Role::Admin)
    }
}

/// What every API key begins with.
const KEY_MARK: &str = "bs_";
/// Hex characters of randomness in a key.
const KEY_RANDOM: usize = 40;
/// Hex characters of the checksum that ends a key.
const KEY_CHECK: usize = 8;

/// Writes an API key: `bs_`, 160 random bits in lower-case hex, and a checksum.
///
/// The checksum is the CRC-32 (IEEE 802.3) of the 40 hex characters before it. It lets a secret
/// scanner tell a leaked key from a chance match without asking the server.
pub fn format_api_key(random: [u8; 20]) -> String {
    let random = hex::encode(random);
    let check = crc32fast::hash(random.as_bytes());
    format!("{KEY_MARK}{random}{check:08x}")
}

/// Whether a text has the form of an API key, checksum included. Says nothing of its validity.
pub fn is_api_key(text: &str) -> bool {
    let Some(body) = text.strip_prefix(KEY_MARK) else {
        return false;
    };
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if body.len() != KEY_RANDOM + KEY_CHECK || !body.bytes().all(lower_hex) {
        return false;
    }
    let (random, check) = body.split_at(KEY_RANDOM);
    u32::from_str_radix(check, 16) == Ok(crc32fast::hash(random.as_bytes()))
}

/// The beginning of a key that may be shown to recognise it: its first seven characters.
pub fn api_key_prefix(key: &str) -> &str {
    match key.char_indices().nth(KEY_MARK.len() + 4) {
        Some((end, _)) => &key[..end],
        None => key,
    }
}

/// What is stored of a key: its SHA-256 in lower-case hex.
///
/// A plain hash is enough, because 160 random bits cannot be guessed the way a password can.
pub fn api_key_hash(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writing_implies_reading_the_same_resource_only() {
        let implied: Vec<(Scope, Scope)> = Scope::ALL
            .iter()
            .flat_map(|needed| Scope::ALL.iter().map(|held| (*needed, *held)))
            .filter(|(needed, held)| needed != held && needed.implied_by(*held))
            .collect();
        assert_eq!(
            implied,
            [
                (Scope::CustomersRead, Scope::CustomersWrite),
                (Scope::ReferralsRead, Scope::ReferralsWrite),
                (Scope::WebhooksRead, Scope::WebhooksWrite)
            ]
        );
        assert!(Scope::ALL.iter().all(|scope| scope.implied_by(*scope)));
    }

    #[test]
    fn scopes_survive_storage() {
        let scopes = Scopes::from_list(vec![
            Scope::ReferralsRead,
            Scope::CustomersWrite,
            Scope::ReferralsRead,
        ]);
        assert_eq!(scopes.to_text(), "customers:write referrals:read");
        assert_eq!(Scopes::from_text(&scopes.to_text()), Some(scopes.clone()));
        assert_eq!(scopes.list(), [Scope::CustomersWrite, Scope::ReferralsRead]);
        assert_eq!(
            serde_json::to_string(&scopes).unwrap(),
            r#"["customers:write","referrals:read"]"#
        );
        assert!(scopes.grants(Scope::CustomersRead));
        assert!(!scopes.grants(Scope::ReferralsWrite));
    }

    #[test]
    fn a_scope_of_a_newer_version_grants_nothing_and_limits() {
        let scopes = Scopes::from_text("admin").unwrap();
        assert!(Scope::ALL.iter().all(|scope| !scopes.grants(*scope)));
        assert_eq!(scopes.to_text(), "admin");
    }

    #[test]
    fn no_scopes_means_no_limit() {
        assert_eq!(Scopes::from_text(""), Some(Scopes::all()));
        assert!(Scope::ALL.iter().all(|scope| Scopes::all().grants(*scope)));
        assert_eq!(Scopes::all().list(), Scope::ALL);
        for bad in [" ", "customers:read ", "customers:read  referrals:read"] {
            assert_eq!(Scopes::from_text(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn roles_rise_in_steps() {
        let rights = |role: &Role| (role.can_write(), role.can_administer());
        let table: Vec<_> = Role::ALL.iter().map(rights).collect();
        assert_eq!(
            table,
            [(true, true), (true, true), (true, false), (false, false)]
        );
        assert!(
            Role::ALL
                .iter()
                .all(|role| Role::parse(role.as_str()) == Some(*role))
        );
        assert_eq!(Role::parse("Owner"), None);
    }

    #[test]
    fn key_form_is_pinned() {
        let key = format_api_key([0; 20]);
        // The CRC-32 of forty ASCII zeros, computed with zlib.
        assert_eq!(key, format!("bs_{}{}", "0".repeat(40), "963fbb8e"));
        assert_eq!(api_key_prefix(&key), "bs_0000");
        assert_eq!(
            api_key_hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn prefix_of_a_short_or_strange_text() {
        assert_eq!(api_key_prefix(""), "");
        assert_eq!(api_key_prefix("bs_1"), "bs_1");
        assert_eq!(api_key_prefix("ééééééééé"), "ééééééé");
    }

    proptest! {
        #[test]
        fn keys_check_out(random in any::<[u8; 20]>()) {
            let key = format_api_key(random);
            prop_assert_eq!(key.len(), 51);
            prop_assert!(is_api_key(&key));
            prop_assert!(!is_api_key(&key.to_ascii_uppercase()));
            prop_assert!(!is_api_key(&key[..50]));
        }

        #[test]
        fn one_wrong_character_is_noticed(
            random in any::<[u8; 20]>(),
            place in 0..51_usize,
            digit in "[0-9a-f]",
        ) {
            let key = format_api_key(random);
            let mut wrong = key.clone();
            wrong.replace_range(place..=place, &digit);
            prop_assert_eq!(is_api_key(&wrong), wrong == key);
        }

        #[test]
        fn any_text_can_be_asked(text in any::<String>()) {
            prop_assert!(!is_api_key(&text));
            prop_assert!(text.starts_with(api_key_prefix(&text)));
        }

        #[test]
        fn any_list_of_scopes_survives(picks in prop::collection::vec(0..Scope::ALL.len(), 0..9)) {
            let scopes = Scopes::from_list(picks.iter().map(|pick| Scope::ALL[*pick]).collect());
            prop_assert_eq!(Scopes::from_text(&scopes.to_text()), Some(scopes));
        }
    }
}
