//! Whoever several lines tell of is one: with all their codes, and whatever they are called by.

use super::{Shop, counts, told};

/// Ada has four codes in four lines. One of them can be no name, and one no further code.
const CODES: &str = "\
email,code,referred_by
ada@example.com,ada-one,
ada@example.com,ada-two,
bob@example.com,,ADA TWO
ada@example.com,SUMMER24,
ada@example.com,admin,
ada@example.com,WINTER25,
";

#[test]
fn further_codes_of_somebody_are_further_names() {
    let shop = Shop::new();
    let (tried, status, report) = shop.rehearsed("csv", CODES);
    assert_eq!(
        (status, counts(&report)),
        (Some(0), [2, 1, 1, 0, 4, 0]),
        "{report}"
    );
    let notes = told(&report, "notes");
    assert_eq!(told(&tried, "notes"), notes);
    assert!(
        matches!(&notes[..], [(6, reserved), (7, like_a_code)]
            if reserved.contains("`admin`") && like_a_code.contains("`WINTER25`")),
        "{report}"
    );
    for code in ["ada-one", "ada-two", "summer24"] {
        let (owner, brought) = shop.of_code(code);
        assert_eq!(owner, "ada@example.com", "{code}");
        assert_eq!(brought, ["bob@example.com"], "{code}");
    }
    // One that comes later goes behind those that are there.
    let later = "email,code\nada@example.com,ada-third-one\n";
    let (_, report) = shop.import("csv", later, &[]);
    assert_eq!(told(&report, "notes"), [], "{report}");
    assert_eq!(shop.of_code("ada-third-one").0, "ada@example.com");
    shop.is_sound();
}

/// A referral each, by two links of one affiliate.
#[test]
fn every_link_that_brought_somebody_is_kept() {
    let shop = Shop::new();
    let referrals = r#"{"data":[
        {"link":{"token":"jb007"},"affiliate":{"email":"jb@example.com"},"conversion_state":"lead",
         "customer":{"email":"one@example.com"}},
        {"link":{"token":"bond"},"affiliate":{"email":"jb@example.com"},"conversion_state":"lead",
         "customer":{"email":"two@example.com"}},
        {"link":{"token":"Bond"},"affiliate":null,"conversion_state":"lead",
         "customer":{"email":"three@example.com"}}]}"#;
    let (_, tried) = shop.import("rewardful", referrals, &["--dry-run"]);
    let (status, report) = shop.import("rewardful", referrals, &[]);
    assert_eq!(
        (status, counts(&report)),
        (Some(0), [4, 1, 3, 0, 0, 0]),
        "{report}"
    );
    assert_eq!(
        (counts(&tried), told(&tried, "notes")),
        (counts(&report), vec![])
    );
    for code in ["jb007", "bond"] {
        assert_eq!(shop.of_code(code).1.len(), 3, "{code}");
    }
    shop.is_sound();
}

/// By their address, by their code, by another spelling of it, and by their id.
#[test]
fn a_referrer_is_one_however_they_are_named() {
    let shop = Shop::new();
    shop.import("csv", "email,code\neva@example.com,eva-code\n", &[]);
    let lines = "\
email,id,code,referred_by
ada@example.com,user-1,ada-code,
bob@example.com,,,ada@example.com
bob@example.com,,,ADA CODE
bob@example.com,,,user-1
cid@example.com,,,eva@example.com
cid@example.com,,,eva-code
dan@example.com,,,ada-code
dan@example.com,,,eva@example.com
eli@example.com,,,eva-code
eli@example.com,,,ada@example.com
";
    let (tried, status, report) = shop.rehearsed("csv", lines);
    assert_eq!(
        (status, counts(&report)),
        (Some(1), [5, 1, 4, 0, 3, 2]),
        "{report}"
    );
    let refused = told(&report, "refused");
    assert_eq!(
        (counts(&tried), told(&tried, "refused")),
        (counts(&report), refused.clone())
    );
    assert!(
        matches!(&refused[..], [(9, one), (11, other)]
            if one.contains("somebody else has brought") && other.contains("somebody else has brought")),
        "{report}"
    );
    shop.is_sound();
}

/// A referral that one line calls rewarded is not made because another one still calls it open, in whatever order.
#[test]
fn who_was_rewarded_in_one_line_waits_in_none() {
    let shop = Shop::new();
    let lines = "\
email,code,referred_by,status
ada@example.com,ada-code,,
bob@example.com,,ada-code,lead
bob@example.com,,ada@example.com,converted
cid@example.com,,ada-code,converted
cid@example.com,,ada-code,lead
";
    let (_, status, report) = shop.rehearsed("csv", lines);
    assert_eq!(
        (status, counts(&report)),
        (Some(0), [3, 1, 0, 4, 0, 0]),
        "{report}"
    );
    shop.is_sound();
}
