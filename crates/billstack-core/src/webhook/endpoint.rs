//! Where webhooks are sent, and how far one has come on its way there.

use super::types::Type;

text_enum! {
    /// Why an endpoint is told nothing.
    pub enum Disabled {
        /// Somebody wants it so.
        ByHand = "by_hand",
        /// For days it failed and did nothing else.
        Failures = "failures",
        /// It answered that it is gone.
        Gone = "gone",
    }
}

text_enum! {
    /// How far a delivery has come.
    pub enum DeliveryState {
        /// The endpoint took it.
        Delivered = "delivered",
        /// It is over: the endpoint did not take it.
        Failed = "failed",
        /// It is to be sent, or sent again.
        Waiting = "waiting",
    }
}

/// What stands for every type, those of later versions included.
const EVERY: &str = "*";

/// The types that an endpoint wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Types {
    /// All there are, those of later versions included.
    Every,
    /// These, which are some, in order.
    Only(Vec<Type>),
}

impl Types {
    /// These types, in any order and number; `None` where there is none.
    pub fn only(mut types: Vec<Type>) -> Option<Types> {
        types.sort_unstable();
        types.dedup();
        (!types.is_empty()).then_some(Types::Only(types))
    }

    /// Whether it wants this one.
    pub fn want(&self, kind: Type) -> bool {
        match self {
            Types::Every => true,
            Types::Only(types) => types.contains(&kind),
        }
    }

    /// Their names: `*` alone stands for all.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Types::Every => vec![EVERY],
            Types::Only(types) => types.iter().map(Type::as_str).collect(),
        }
    }

    /// The stored form: the names separated by single spaces.
    pub fn to_text(&self) -> String {
        self.names().join(" ")
    }

    /// Reads the stored form. A type of a newer version stays among them.
    pub fn from_text(text: &str) -> Option<Types> {
        if text == EVERY {
            return Some(Types::Every);
        }
        let types: Option<Vec<Type>> = text.split(' ').map(Type::read).collect();
        Types::only(types?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_type_is_wanted_or_some() {
        let some = Types::only(vec![Type::Ping, Type::CodeCreated, Type::Ping]).unwrap();
        assert_eq!(some.to_text(), "code.created ping");
        assert!(some.want(Type::Ping) && !some.want(Type::CustomerErased));
        assert!(Types::Every.want(Type::CustomerErased));
        assert_eq!(Types::Every.to_text(), "*");
        assert_eq!(Types::only(Vec::new()), None);
        assert_eq!(Types::from_text(""), None);
    }

    #[test]
    fn a_type_of_a_newer_version_is_kept() {
        let newer = Types::from_text("code.burnt ping").unwrap();
        assert!(newer.want(Type::Ping) && !newer.want(Type::CodeCreated));
        assert_eq!(newer.to_text(), "ping code.burnt");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers in prop::collection::vec(0..Type::ALL.len(), 1..40)) {
            let types = numbers.into_iter().map(|number| Type::ALL[number]).collect();
            let types = Types::only(types).unwrap();
            prop_assert_eq!(Types::from_text(&types.to_text()), Some(types));
        }
    }
}
