//! How the catalogue is written.

/// Declares the events with the type that each has in the log.
///
/// Members are declared in alphabetical order, the order in which they have been written from the start. Those in
/// brackets come first: they are how much of which credit was moved, and of which currency.
macro_rules! catalogue {
    ($(
        $(#[$meta:meta])*
        $kind:literal $variant:ident $(($amount:ident $credit:ident $currency:ident))? { $( $(#[$member_meta:meta])* $member:ident: $type:ty, )* }
    )*) => {
        /// Something that happened. It serialises as its facts, a JSON object.
        #[derive(Clone, Debug, Serialize)]
        #[serde(untagged, rename_all_fields = "camelCase")]
        pub enum Event<'a> {
            $( $(#[$meta])* $variant {
                $(
                    /// How much, in minor units.
                    $amount: Amount,
                    /// The credit.
                    $credit: &'a str,
                    /// Of which currency.
                    $currency: Currency,
                )?
                $( $(#[$member_meta])* $member: $type, )*
            }, )*
        }

        impl Event<'_> {
            /// Every type of event, by its name in the log.
            pub const KINDS: &'static [&'static str] = &[$( $kind, )*];

            /// Every member: of which type of event, its name, and how it is declared.
            const MEMBERS: &'static [[&'static str; 3]] = &[
                $( $( [$kind, stringify!($member), stringify!($type)], )* )*
            ];

            /// The type in the log and in the API: a dotted name in the past tense.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $( Event::$variant { .. } => $kind, )*
                }
            }
        }
    };
}
