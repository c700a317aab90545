//! One way to write an enum whose variants have a stable text form.
//!
//! The text goes into databases and API answers, so it must be spelled exactly once: the macro
//! derives `ALL`, `as_str`, `parse`, `read`, `Display`, `Serialize` and `Deserialize` from that one spelling.
//!
//! Every such enum has a variant `Other`: a word that a newer version wrote is a value, not an error.

macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $text:literal, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )+
            /// A word that this version does not know: shown as it is, and never acted on.
            Other($crate::word::Word),
        }

        impl $name {
            /// Every variant that this version knows, in the order of declaration.
            pub const ALL: &'static [$name] = &[$( $name::$variant, )+];

            /// The stable text form, as stored and as shown in the API.
            pub fn as_str(&self) -> &str {
                match self {
                    $name::Other(word) => word.as_str(),
                    known => known.known().unwrap_or_default(),
                }
            }

            /// The text form of a variant that this version knows.
            pub const fn known(&self) -> Option<&'static str> {
                match self {
                    $( $name::$variant => Some($text), )+
                    $name::Other(_) => None,
                }
            }

            /// Reads what a caller sent: anything but an exact match is `None`.
            pub fn parse(text: &str) -> Option<$name> {
                match text {
                    $( $text => Some($name::$variant), )+
                    _ => None,
                }
            }

            /// Reads what is stored, which a newer version may have written. `None` only where the text is
            /// empty or too long for a word.
            pub fn read(text: &str) -> Option<$name> {
                let other = || $crate::word::Word::new(text).map($name::Other);
                $name::parse(text).or_else(other)
            }
        }

        impl $crate::Words for $name {
            fn parse(text: &str) -> Option<$name> {
                $name::parse(text)
            }

            fn all() -> Vec<&'static str> {
                $name::ALL.iter().filter_map($name::known).collect()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                $name::read(&text).ok_or_else(|| serde::de::Error::custom("not a word"))
            }
        }
    };
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro is for public enums")]
mod tests {
    text_enum! {
        /// Two words, and any other.
        pub enum Colour {
            /// One.
            Red = "red",
            /// The other.
            Blue = "blue",
        }
    }

    #[test]
    fn a_word_of_a_newer_version_is_a_value() {
        let green = Colour::read("green").unwrap();
        assert_eq!((green.as_str(), green.known()), ("green", None));
        assert_eq!(serde_json::to_string(&green).unwrap(), "\"green\"");
        assert_eq!(serde_json::from_str::<Colour>("\"green\"").unwrap(), green);
        assert!(serde_json::from_str::<Colour>("\"\"").is_err());
        assert_eq!(Colour::read("red"), Some(Colour::Red));
        assert_eq!(Colour::Blue.to_string(), "blue");
        assert_eq!(Colour::parse("green"), None);
        assert_eq!(Colour::read(""), None);
        assert_eq!(Colour::ALL, [Colour::Red, Colour::Blue]);
    }
}
