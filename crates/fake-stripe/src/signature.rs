//! The `Stripe-Signature` header.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The `Stripe-Signature` header value for `payload`, as Stripe would send it at `timestamp`.
///
/// The key is the whole secret, its `whsec_` included.
pub fn sign(payload: &[u8], secret: &str, timestamp: i64) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(payload);
    format!(
        "t={timestamp},v1={}",
        hex::encode(mac.finalize().into_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn names_time_and_scheme() {
        let header = sign(b"{}", "whsec_test", 1_700_000_000);
        let (time, signature) = header.split_once(',').expect("two parts");
        assert_eq!(time, "t=1700000000");
        assert_eq!(signature.len(), "v1=".len() + 64);
    }

    #[test]
    fn covers_payload_secret_and_time() {
        let header = sign(b"{}", "whsec_test", 1);
        assert_ne!(header, sign(b"{ }", "whsec_test", 1));
        assert_ne!(header, sign(b"{}", "whsec_tesu", 1));
        assert_ne!(header[6..], sign(b"{}", "whsec_test", 2)[6..]);
    }
}
