//! Identifiers that look like Stripe's: a prefix and random letters and digits.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new identifier with `length` characters after the prefix.
#[expect(clippy::disallowed_methods, reason = "the fake makes ids of its own")]
pub(crate) fn new(prefix: &str, length: usize) -> String {
    let mut random = vec![0_u8; length];
    getrandom::fill(&mut random).expect("the operating system gives randomness");
    let tail = random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    prefix.chars().chain(tail).collect()
}
