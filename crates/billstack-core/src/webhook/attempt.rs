//! What came of an attempt to deliver an event.

text_enum! {
    /// Why an attempt failed. None of these words tells which address was tried: whoever chooses the URL must not
    /// learn from them what the network of the server looks like.
    pub enum AttemptError {
        /// The host has an address that must not be called, or the URL a form that must not.
        AddressNotAllowed = "address_not_allowed",
        /// The host has no address, or the look-up failed.
        Dns = "dns",
        /// No connection came about.
        Connect = "connect",
        /// The certificate does not do, or the handshake failed.
        Tls = "tls",
        /// The answer took too long.
        Timeout = "timeout",
        /// The connection ended before the answer.
        Closed = "closed",
        /// What came is no answer, or has a head that is too large.
        Unreadable = "unreadable",
        /// The answer was another than 2xx.
        Status = "status",
        /// The secret of the endpoint was sealed with a key that this server does not have.
        Secret = "secret",
        /// The event in the log cannot be read.
        Event = "event",
    }
}

impl AttemptError {
    /// Whether the fault is this server's: it says nothing of the endpoint.
    pub const fn is_ours(self) -> bool {
        matches!(self, AttemptError::Secret | AttemptError::Event)
    }
}

/// What an answer means by its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The event was taken.
    Delivered,
    /// The endpoint wants no more events, ever.
    Gone,
    /// It is to be tried again. A redirect is not followed: it would lead past the checks of the URL.
    Again,
}

/// Reads a status.
pub fn meaning(status: u16) -> Meaning {
    match status {
        200..=299 => Meaning::Delivered,
        410 => Meaning::Gone,
        _ => Meaning::Again,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_hundreds_are_success_and_only_410_is_final() {
        for status in 0..=999 {
            let expected = match status {
                200..=299 => Meaning::Delivered,
                410 => Meaning::Gone,
                _ => Meaning::Again,
            };
            assert_eq!(meaning(status), expected, "{status}");
        }
        for redirect in [301, 302, 303, 307, 308] {
            assert_eq!(meaning(redirect), Meaning::Again);
        }
    }
}
