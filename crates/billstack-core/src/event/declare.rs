//! How the catalogue is written.

/// Declares the events with the type that each has in the log.
///
/// Members are declared in alphabetical order, the order in which they have been written from the start.
macro_rules! catalogue {
    ($(
        $(#[$meta:meta])*
        $kind:literal $variant:ident { $( $(#[$member_meta:meta])* $member:ident: $type:ty, )* }
    )*) => {
        /// Something that happened. It serialises as its facts, a JSON object.
        #[derive(Clone, Debug, Serialize)]
        #[serde(untagged, rename_all_fields = "camelCase")]
        pub enum Event<'a> {
            $( $(#[$meta])* $variant { $( $(#[$member_meta])* $member: $type, )* }, )*
        }

        impl Event<'_> {
            /// Every type of event, by its name in the log.
            pub const KINDS: &'static [&'static str] = &[$( $kind, )*];

            /// The type in the log and in the API: a dotted name in the past tense.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $( Event::$variant { .. } => $kind, )*
                }
            }
        }
    };
}
