//! The signature of what we send, as [Standard Webhooks](https://www.standardwebhooks.com) has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::secrets::random_bytes;
use crate::settings::SecretText;

/// How a secret begins that is shown to whoever checks signatures.
const PREFIX: &str = "whsec_";

/// How many bytes a secret of ours has.
const LENGTH: usize = 32;

/// A new secret, as it is shown.
pub fn new_secret() -> SecretText {
    let bytes = random_bytes::<LENGTH>();
    SecretText::new(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// The value of `webhook-signature`: one signature for each secret, of which there are two while one is rotated.
/// `None` where a secret has another form.
pub fn sign<'s>(
    id: &str,
    timestamp: i64,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'s SecretText>,
) -> Option<String> {
    let mut signatures = Vec::new();
    for secret in secrets {
        let key = STANDARD
            .decode(secret.expose().strip_prefix(PREFIX)?)
            .ok()?;
        if key.is_empty() {
            return None;
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        signatures.push(format!("v1,{signature}"));
    }
    (!signatures.is_empty()).then(|| signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn secret(text: &str) -> SecretText {
        SecretText::new(text)
    }

    #[test]
    fn signs_as_the_specification_has_it() {
        let known = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = sign(ID, 1_614_265_330, BODY, [&known]).expect("a secret");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn signs_with_both_secrets_while_one_is_rotated() {
        let (new, old) = (new_secret(), new_secret());
        let both = sign(ID, 7, BODY, [&new, &old]).expect("two secrets");
        let one = |secret| sign(ID, 7, BODY, [secret]).expect("a secret");
        assert_eq!(both, format!("{} {}", one(&new), one(&old)));
        assert_ne!(one(&new), one(&old));
    }

    #[test]
    fn the_signature_covers_id_time_and_body() {
        let secret = new_secret();
        let of = |id, time, body| sign(id, time, body, [&secret]).expect("a secret");
        let usual = of(ID, 7, BODY);
        assert_eq!(usual, of(ID, 7, BODY));
        for other in [of("msg_2", 7, BODY), of(ID, 8, BODY), of(ID, 7, b"{}")] {
            assert_ne!(usual, other);
        }
    }

    #[test]
    fn a_new_secret_has_32_bytes_and_no_other_is_the_same() {
        let new = new_secret();
        let bytes = new.expose().strip_prefix("whsec_").expect("the prefix");
        assert_eq!(STANDARD.decode(bytes).expect("base64").len(), 32);
        assert_ne!(new, new_secret());
    }

    #[test]
    fn nothing_is_signed_with_less_than_a_secret() {
        for wrong in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_***",
        ] {
            assert_eq!(sign(ID, 7, BODY, [&secret(wrong)]), None, "{wrong}");
        }
        assert_eq!(sign(ID, 7, BODY, []), None);
        let good = new_secret();
        assert_eq!(sign(ID, 7, BODY, [&good, &secret("whsec_")]), None);
    }
}
