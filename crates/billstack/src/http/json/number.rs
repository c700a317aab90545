//! Exact reading of integers from the literal text of a JSON number.
//!
//! A float has 53 bits: `9007199254740993` and `0.1e1` would both pass through it, one of them
//! changed. So the digits themselves decide, in time linear in the length of the text whatever the
//! exponent says.

/// The integer a JSON number literal stands for; `None` for a fraction, a number beyond 64 bits,
/// and anything that is not a number.
pub(super) fn integer(literal: &str) -> Option<i64> {
    let (negative, unsigned) = match literal.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, literal),
    };
    if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, clamped_exponent(exponent)),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());

    let Some(last) = digits().rposition_nonzero() else {
        return Some(0);
    };
    let dropped = whole.len() + fraction.len() - 1 - last;
    let zeros = i64::try_from(dropped).ok()? - i64::try_from(fraction.len()).ok()?;
    // The value is the digits up to the last that is not zero, followed by this many zeros.
    let zeros = u32::try_from(exponent.saturating_add(zeros)).ok()?;

    let mut value: u64 = 0;
    for digit in digits().take(last + 1) {
        value = value
            .checked_mul(10)?
            .checked_add(u64::from(digit - b'0'))?;
    }
    let value = i128::from(value.checked_mul(10_u64.checked_pow(zeros)?)?);
    i64::try_from(if negative { -value } else { value }).ok()
}

/// The exponent, cut off far beyond anything that could matter.
///
/// A body has fewer digits than the cut, so no exponent past it can be balanced by them.
fn clamped_exponent(text: &str) -> i64 {
    const CUT: i64 = 1 << 40;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let size = digits.bytes().fold(0_i64, |size, digit| {
        (size * 10 + i64::from(digit.wrapping_sub(b'0'))).min(CUT)
    });
    if negative { -size } else { size }
}

trait Digits {
    /// The position of the last digit that is not zero.
    fn rposition_nonzero(self) -> Option<usize>;
}

impl<I: Iterator<Item = u8>> Digits for I {
    fn rposition_nonzero(self) -> Option<usize> {
        self.enumerate()
            .filter(|(_, digit)| *digit != b'0')
            .last()
            .map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::integer;
    use proptest::prelude::*;

    #[test]
    fn one_number_written_many_ways() {
        for text in [
            "1000",
            "1000.0",
            "1e3",
            "10E2",
            "1.000e+3",
            "1000000e-3",
            "0.001e6",
        ] {
            assert_eq!(integer(text), Some(1000), "{text}");
        }
        for text in ["0", "-0", "-0.0", "0e999999999", "0.000e-999999999", "0E+5"] {
            assert_eq!(integer(text), Some(0), "{text}");
        }
    }

    #[test]
    fn the_edges_are_exact() {
        assert_eq!(integer("9223372036854775807"), Some(i64::MAX));
        assert_eq!(integer("9223372036854775807.000"), Some(i64::MAX));
        assert_eq!(integer("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer("9007199254740993"), Some(9_007_199_254_740_993));
        for text in [
            "9223372036854775808",
            "-9223372036854775809",
            "1e19",
            "1e20",
            "1e308",
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_and_giants() {
        for text in [
            "0.5",
            "1000.1",
            "1e-1",
            "10e-2",
            "9007199254740993.5",
            "1e999999999",
            "1e-999999999",
            "-1e99999999999999999999999",
            "1e-99999999999999999999999",
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
        let long = format!("1{}e-100000", "0".repeat(100_000));
        assert_eq!(integer(&long), Some(1));
    }

    #[test]
    fn other_values_are_no_numbers() {
        for text in ["", "-", "true", "\"1\"", "[1]", "{}"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    /// Moves the point by hand through zero-padded text, as one would on paper.
    fn on_paper(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Option<i64> {
        let pad = "0".repeat(80);
        let text = format!("{pad}{whole}{fraction}{pad}");
        let point = i32::try_from(pad.len() + whole.len()).unwrap() + exponent;
        let (left, right) = text.split_at(usize::try_from(point).unwrap());
        if right.contains(|c| c != '0') {
            return None;
        }
        let left = left.trim_start_matches('0');
        let sign = if negative { "-" } else { "" };
        match left {
            "" => Some(0),
            _ => format!("{sign}{left}").parse().ok(),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_paper(
            negative: bool,
            whole in "0|[1-9][0-9]{0,20}",
            fraction in "(0{0,8}|[0-9]{0,12}|[0-9]{0,6}0{0,10})",
            exponent in -40_i32..40,
            mark in "[eE]",
        ) {
            let sign = if negative { "-" } else { "" };
            let point = if fraction.is_empty() { "" } else { "." };
            let literal = format!("{sign}{whole}{point}{fraction}{mark}{exponent}");
            let expected = on_paper(negative, &whole, &fraction, exponent);
            prop_assert_eq!(integer(&literal), expected, "{}", literal);
        }

        #[test]
        fn every_integer_reads_back_however_written(value: i64, shift in 0_usize..30) {
            prop_assert_eq!(integer(&value.to_string()), Some(value));
            let zeros = "0".repeat(shift);
            prop_assert_eq!(integer(&format!("{value}.0{zeros}")), Some(value));
            prop_assert_eq!(integer(&format!("{value}{zeros}e-{shift}")), Some(value));
        }
    }
}
