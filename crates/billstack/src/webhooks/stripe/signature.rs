//! The `Stripe-Signature` header: `t=<seconds>,v1=<hex>[,v1=<hex>…]`.
//!
//! A signature is the HMAC-SHA256 of `<seconds>.<body>` under the whole signing secret, `whsec_`
//! included (<https://docs.stripe.com/webhooks/signature>). Other schemes, such as `v0`, count for
//! nothing. Blanks around the parts count for nothing either: they are how HTTP lets a list be written.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::secrets::constant_time_eq;
use crate::settings::SecretText;

/// How far the time of a signature may lie from ours, in seconds, in both directions.
pub const TOLERANCE: i64 = 300;

/// The most `v1` signatures in a header; Stripe sends one per secret in use.
const MOST_SIGNATURES: usize = 16;

/// The length of a signature in hex.
const SIGNATURE_LENGTH: usize = 64;

/// The most digits of a time in seconds; enough for 30,000 years.
const LONGEST_TIME: usize = 12;

/// Why a body is not taken as Stripe's. The sender is told what the request itself shows, and nothing of our secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadSignature {
    /// The team is not connected: there is no secret yet.
    NoSecret,
    /// There is no header.
    Missing,
    /// The header has another form.
    Malformed,
    /// No signature is made with a secret of ours.
    NoMatch,
    /// It is of another time: a replay, or our clock is wrong.
    OutOfTime,
}

impl BadSignature {
    /// All of them.
    pub const ALL: [BadSignature; 5] = [
        BadSignature::NoSecret,
        BadSignature::Missing,
        BadSignature::Malformed,
        BadSignature::NoMatch,
        BadSignature::OutOfTime,
    ];

    /// Its word in metrics and in the state of the connection.
    pub fn as_str(self) -> &'static str {
        match self {
            BadSignature::NoSecret => "no_secret",
            BadSignature::Missing => "no_signature",
            BadSignature::Malformed => "malformed_signature",
            BadSignature::NoMatch => "wrong_secret",
            BadSignature::OutOfTime => "out_of_time",
        }
    }

    /// What the operator should look at.
    pub fn advice(self) -> &'static str {
        match self {
            BadSignature::NoSecret => "the team has no webhook secret yet: connect it to Stripe",
            BadSignature::Missing => {
                "no Stripe-Signature header: not from Stripe, or a proxy removed it"
            }
            BadSignature::Malformed => {
                "the Stripe-Signature header has another form: not from Stripe, or a proxy changed it"
            }
            BadSignature::NoMatch => {
                "signed with another secret, or a proxy changed the body: compare the webhook secret"
            }
            BadSignature::OutOfTime => {
                "the signature is out of time: a repetition by a stranger, or this machine's clock is wrong"
            }
        }
    }

    /// What it means, where the cure is told beside it.
    pub fn finding(self) -> &'static str {
        match self {
            BadSignature::NoSecret => "the team has no webhook secret yet",
            BadSignature::NoMatch => "signed with another secret, or a proxy changed the body",
            _ => self.advice(),
        }
    }

    /// Reads its word.
    pub fn parse(word: &str) -> Option<BadSignature> {
        let mut all = BadSignature::ALL.into_iter();
        all.find(|why| why.as_str() == word)
    }

    /// What to do about such calls.
    pub fn cure(self) -> &'static str {
        match self {
            BadSignature::NoSecret => {
                "Connect the team to Stripe with the signing secret of the endpoint there."
            }
            BadSignature::OutOfTime => {
                "Set the clock of this machine right. What a stranger repeats needs nobody."
            }
            BadSignature::Missing | BadSignature::Malformed => {
                "Look at what stands between Stripe and this server. Calls of strangers need nobody."
            }
            BadSignature::NoMatch => {
                "Copy the signing secret of the endpoint in Stripe once more, and put it in on the Stripe page as the new one. What is not of Stripe needs nobody."
            }
        }
    }

    /// What the sender is told.
    pub fn message(self) -> Option<&'static str> {
        match self {
            BadSignature::Missing => Some("The Stripe-Signature header is missing."),
            BadSignature::OutOfTime => Some(
                "The time of the signature is more than 300 seconds from the time of this server.",
            ),
            // They say the same: whether there is a secret is the team's business.
            BadSignature::NoSecret | BadSignature::Malformed | BadSignature::NoMatch => None,
        }
    }
}

/// Checks that one of the secrets signed the body around `now`, in seconds since 1970; tells the place of the first that
/// did.
pub fn verify<'s>(
    header: &str,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'s SecretText>,
    now: i64,
) -> Result<usize, BadSignature> {
    let header = Header::parse(header).ok_or(BadSignature::Malformed)?;
    let signed = secrets
        .into_iter()
        .enumerate()
        // Anybody can sign with an empty secret.
        .filter(|(_, secret)| !secret.expose().trim().is_empty())
        .fold(None, |found: Option<usize>, (place, secret)| {
            let is_signed = header.is_signed_with(secret, body);
            found.or(is_signed.then_some(place))
        });
    let place = signed.ok_or(BadSignature::NoMatch)?;
    header.check_time(now)?;
    Ok(place)
}

/// Refuses headers that no body could match: of another form, or of another time.
pub fn precheck(header: &str, now: i64) -> Result<(), BadSignature> {
    let header = Header::parse(header).ok_or(BadSignature::Malformed)?;
    header.check_time(now)
}

struct Header<'h> {
    /// The time as it was sent, since that text is signed.
    time: &'h str,
    seconds: i64,
    signatures: Vec<&'h str>,
}

impl<'h> Header<'h> {
    fn parse(text: &'h str) -> Option<Header<'h>> {
        let (mut time, mut signatures) = (None, Vec::new());
        for part in text.split(',') {
            match part.trim_matches([' ', '\t']).split_once('=') {
                Some(("t", value)) if time.is_none() => time = Some(value),
                // A proxy may repeat the whole header.
                Some(("t", value)) if time == Some(value) => {}
                // Two times: what was signed would be anybody's guess.
                Some(("t", _)) => return None,
                Some(("v1", _)) if signatures.len() == MOST_SIGNATURES => return None,
                Some(("v1", value)) => signatures.push(value),
                _ => {}
            }
        }
        let time = time.filter(|time| {
            let digits = time.bytes().all(|byte| byte.is_ascii_digit());
            digits && (1..=LONGEST_TIME).contains(&time.len())
        })?;
        let seconds = time.parse().ok()?;
        (!signatures.is_empty()).then_some(Header {
            time,
            seconds,
            signatures,
        })
    }

    fn check_time(&self, now: i64) -> Result<(), BadSignature> {
        match self.seconds.abs_diff(now) > TOLERANCE.unsigned_abs() {
            true => Err(BadSignature::OutOfTime),
            false => Ok(()),
        }
    }

    fn is_signed_with(&self, secret: &SecretText, body: &[u8]) -> bool {
        let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
        let mut mac = mac.expect("HMAC takes a key of any length");
        mac.update(self.time.as_bytes());
        mac.update(b".");
        mac.update(body);
        let expected = hex::encode(mac.finalize().into_bytes());
        debug_assert_eq!(expected.len(), SIGNATURE_LENGTH);
        let equals = |signature: &&str| constant_time_eq(signature.as_bytes(), expected.as_bytes());
        self.signatures
            .iter()
            .fold(false, |found, signature| found | equals(signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const SECRET: &str = "whsec_new";
    const NOW: i64 = 1_760_000_000;

    fn check(header: &str, body: &[u8], secrets: &[&str]) -> Result<(), BadSignature> {
        let secrets: Vec<_> = secrets.iter().map(|text| SecretText::new(*text)).collect();
        verify(header, body, &secrets, NOW).map(|_| ())
    }

    fn signed() -> String {
        fake_stripe::sign(BODY, SECRET, NOW)
    }

    fn signature() -> String {
        signed().split_once("v1=").unwrap().1.to_owned()
    }

    #[test]
    fn any_v1_of_any_secret_counts() {
        let (v1, other) = (signature(), "0".repeat(SIGNATURE_LENGTH));
        for header in [
            format!("t={NOW},v1={v1}"),
            format!("v1={v1},t={NOW}"),
            format!("t={NOW},v1={other},v1={v1}"),
            format!("t={NOW},v1=,v1=zz,v1={v1},v0={other}"),
            format!("t={NOW},v1={v1},v2=x,,new"),
            format!("t={NOW}{},v1={v1}", format!(",v1={other}").repeat(15)),
            format!(" t={NOW} , v1={other},\tv1={v1} "),
            format!("t={NOW},v1={v1},t={NOW},v1={v1}"),
        ] {
            assert_eq!(check(&header, BODY, &[SECRET]), Ok(()), "{header}");
            assert_eq!(
                check(&header, BODY, &["whsec_old", SECRET]),
                Ok(()),
                "{header}"
            );
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let (v1, other) = (signature(), "0".repeat(SIGNATURE_LENGTH));
        for (header, why) in [
            (String::new(), BadSignature::Malformed),
            (format!("v1={v1}"), BadSignature::Malformed),
            (format!("t={NOW}"), BadSignature::Malformed),
            (format!("t={NOW},v0={v1}"), BadSignature::Malformed),
            (
                format!("t={NOW},t={},v1={v1}", NOW + 1),
                BadSignature::Malformed,
            ),
            (format!("t=,v1={v1}"), BadSignature::Malformed),
            (format!("t=-1,v1={v1}"), BadSignature::Malformed),
            (format!("t=+{NOW},v1={v1}"), BadSignature::Malformed),
            (format!("t=1e9,v1={v1}"), BadSignature::Malformed),
            (format!("t=9999999999999,v1={v1}"), BadSignature::Malformed),
            (
                format!("t={NOW}{}", format!(",v1={v1}").repeat(17)),
                BadSignature::Malformed,
            ),
            (format!("t={NOW},v1={other}"), BadSignature::NoMatch),
            (
                format!("t={NOW},v1={}", v1.to_uppercase()),
                BadSignature::NoMatch,
            ),
            (format!("t={NOW},v1={}", &v1[1..]), BadSignature::NoMatch),
            (format!("t={NOW},v1= {v1}"), BadSignature::NoMatch),
            (format!("t= {NOW},v1={v1}"), BadSignature::Malformed),
            (format!("t=0{NOW},v1={v1}"), BadSignature::NoMatch),
            (format!("t={},v1={v1}", NOW + 1), BadSignature::NoMatch),
        ] {
            assert_eq!(check(&header, BODY, &[SECRET]), Err(why), "{header}");
        }
        let no_match = Err(BadSignature::NoMatch);
        assert_eq!(check(&signed(), BODY, &[]), no_match);
        assert_eq!(check(&signed(), BODY, &["whsec_old"]), no_match);
        assert_eq!(check(&signed(), BODY, &["new"]), no_match);
        for empty in ["", " "] {
            let header = fake_stripe::sign(BODY, empty, NOW);
            assert_eq!(check(&header, BODY, &[empty]), no_match);
        }
    }

    #[test]
    fn every_bit_of_the_body_counts() {
        let header = signed();
        for bit in 0..BODY.len() * 8 {
            let mut body = BODY.to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(check(&header, &body, &[SECRET]), Err(BadSignature::NoMatch));
        }
    }

    #[test]
    fn the_time_is_bounded_on_both_sides() {
        for (away, expected) in [
            (0, Ok(())),
            (TOLERANCE, Ok(())),
            (-TOLERANCE, Ok(())),
            (TOLERANCE + 1, Err(BadSignature::OutOfTime)),
            (-TOLERANCE - 1, Err(BadSignature::OutOfTime)),
            (-NOW, Err(BadSignature::OutOfTime)),
        ] {
            let header = fake_stripe::sign(BODY, SECRET, NOW + away);
            assert_eq!(check(&header, BODY, &[SECRET]), expected, "{away}");
        }
    }

    proptest! {
        #[test]
        fn no_header_is_a_danger(
            header in "([tv01=,]{0,8}[0-9a-f]{0,70}){0,6}|.{0,200}",
            body in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            prop_assert!(check(&header, &body, &[SECRET]).is_err());
        }
    }
}
