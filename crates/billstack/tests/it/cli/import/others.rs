//! Files of other services.

use serde_json::json;

use super::{Shop, counts, told};

/// What the public documentation of each shows.
#[test]
fn files_of_others_are_read() {
    for (format, text, code, friends) in [
        ("rewardful", REWARDFUL, "adam", ["fred@example.com"]),
        (
            "firstpromoter",
            FIRST_PROMOTER,
            "adam",
            ["fred@example.com"],
        ),
        ("growsurf", GROW_SURF, "xia2zh", ["fred@example.com"]),
        ("dub", DUB, "adam", ["fred@example.com"]),
    ] {
        let shop = Shop::new();
        let (status, report) = shop.import(format, text, &[]);
        assert_eq!(status, Some(0), "{format}: {report}");
        assert_eq!(counts(&report)[2..], [1, 1, 0, 0], "{format}: {report}");
        let (owner, brought) = shop.of_code(code);
        assert_eq!(owner, "adam@example.com", "{format}");
        assert_eq!(brought, friends, "{format}");
        let (_, again) = shop.import(format, text, &[]);
        assert_eq!(counts(&again)[..3], [0, 0, 0], "{format}: {again}");
        shop.is_sound();
    }
}

const REWARDFUL: &str = r#"{"pagination":{"total_count":2},"data":[
{"id":"e523","link":{"token":"adam","leads":6},"customer":{"id":"cus_fred","name":"Fred","email":"fred@example.com"},
 "affiliate":{"email":"adam@example.com","first_name":"Adam","last_name":"Jones"},"conversion_state":"lead"},
{"id":"e524","link":{"token":"adam"},"customer":{"id":"cus_old","name":"Old","email":"old@example.com"},
 "affiliate":{"email":"adam@example.com","first_name":"Adam","last_name":"Jones"},"conversion_state":"conversion"}
]}"#;

const FIRST_PROMOTER: &str = r#"[
{"id":1,"status":"signup","uid":"user-1","email":"fred@example.com","customer_since":null,
 "promotion":{"ref_id":"adam"},"promoter":{"email":"adam@example.com","cust_id":"user-0"}},
{"id":2,"status":"active","uid":"user-2","email":"old@example.com","customer_since":"2025-01-01T00:00:00Z",
 "promotion":{"ref_id":"adam"},"promoter":{"email":"adam@example.com","cust_id":"user-0"}}
]"#;

const GROW_SURF: &str = "\
id,firstName,lastName,email,referrer.id,referralStatus
xia2zh,Adam,Jones,adam@example.com,,
f4b9k2,Fred,,fred@example.com,xia2zh,CREDIT_PENDING
q8r7t1,Old,,old@example.com,xia2zh,CREDIT_AWARDED
";

const DUB: &str = r#"{"id":"cus_1","externalId":"user-1","name":"Fred","email":"fred@example.com","link":{"key":"adam"},"partner":{"id":"pn_1","name":"Adam","email":"adam@example.com"},"sales":0,"saleAmount":0}
{"id":"cus_2","externalId":"user-2","name":"Old","email":"old@example.com","link":{"key":"adam"},"partner":{"id":"pn_1","name":"Adam","email":"adam@example.com"},"sales":1,"saleAmount":4900}
"#;

/// The answers of FirstPromoter's API v2: the codes are in a list, and what became of a referral is its state.
#[test]
fn firstpromoter_v2_is_read() {
    let shop = Shop::new();
    let promoters = r#"{"data":[{"id":1,"email":"adam@example.com","cust_id":"user-0","state":"accepted",
        "profile":{"first_name":"Adam","last_name":"Jones"},
        "promoter_campaigns":[{"state":"accepted","ref_token":"adam"},{"state":"accepted","ref_token":"adam-2"}]}]}"#;
    let (status, report) = shop.import("firstpromoter", promoters, &[]);
    assert_eq!(
        (status, counts(&report)),
        (Some(0), [1, 1, 0, 0, 0, 0]),
        "{report}"
    );
    let referrals = r#"{"data":[
        {"id":11,"email":"fred@example.com","uid":"user-1","state":"signup","customer_since":null,
         "promoter_campaign":{"id":1,"promoter":{"id":1,"email":"adam@example.com","name":"Adam Jones"}}},
        {"id":12,"email":"old@example.com","uid":"user-2","state":"active","customer_since":"2025-01-01T00:00:00Z",
         "promoter_campaign":{"id":1,"promoter":{"id":1,"email":"adam@example.com"}}},
        {"id":13,"email":"fake@example.com","uid":"user-3","state":"denied","customer_since":null,
         "promoter_campaign":{"id":1,"promoter":{"id":1,"email":"adam@example.com"}}}]}"#;
    let (status, report) = shop.import("firstpromoter", referrals, &[]);
    assert_eq!(
        (status, counts(&report)),
        (Some(0), [3, 0, 1, 1, 0, 0]),
        "{report}"
    );
    assert_eq!(report["closedBefore"], 1);
    let notes = told(&report, "notes");
    assert!(
        matches!(&notes[..], [(3, why)] if why.contains("`denied`")),
        "{report}"
    );
    for code in ["adam", "adam-2"] {
        let (owner, brought) = shop.of_code(code);
        assert_eq!(
            (owner.as_str(), brought),
            ("adam@example.com", vec!["fred@example.com".to_owned()])
        );
    }
    shop.is_sound();
}

/// Of an affiliate with several links all go on; visitors who have not said who they are are no faults.
#[test]
fn every_link_of_an_affiliate_is_kept() {
    let shop = Shop::new();
    let affiliates = r#"{"data":[{"email":"jb@example.com","first_name":"James","state":"active",
        "links":[{"token":"jb007"},{"token":"bond"},{"token":"JB007"},{"token":"admin"}]}]}"#;
    let (status, report) = shop.import("rewardful", affiliates, &[]);
    assert_eq!(
        (status, counts(&report)),
        (Some(0), [1, 1, 0, 0, 0, 0]),
        "{report}"
    );
    assert_eq!(told(&report, "notes").len(), 1, "{report}");
    assert_eq!(shop.of_code("bond").0, "jb@example.com");
    let (_, again) = shop.import("rewardful", affiliates, &[]);
    assert_eq!(counts(&again)[4], 1, "{again}");
    let referrals = r#"{"data":[
        {"link":{"token":"bond"},"affiliate":{"email":"jb@example.com"},"conversion_state":"visitor","customer":null},
        {"link":{"token":"bond"},"affiliate":{"email":"jb@example.com"},"conversion_state":"lead",
         "customer":{"email":"fred@example.com"}},
        {"link":{"token":"bond"},"affiliate":{"email":"jb@example.com"},"conversion_state":"lead","customer":{"name":"?"}}]}"#;
    let (status, report) = shop.import("rewardful", referrals, &[]);
    assert_eq!(
        (status, counts(&report)),
        (Some(1), [1, 0, 1, 0, 0, 1]),
        "{report}"
    );
    assert_eq!(report["anonymous"], 1);
    assert_eq!(told(&report, "refused")[0].0, 3);
    shop.is_sound();
}

/// What was closed elsewhere is not paid here, and a word that nobody knows is not guessed at.
#[test]
fn what_was_decided_elsewhere_stays_decided() {
    let shop = Shop::new();
    let participants = "\
Participant ID,Email,Referred By Email,Referral Status
xia2zh,adam@example.com,,
f4b9k2,fred@example.com,adam@example.com,CREDIT_PENDING
q8r7t1,late@example.com,adam@example.com,CREDIT_EXPIRED
w1w1w1,new@example.com,adam@example.com,CREDIT_FROZEN
";
    let (status, report) = shop.import("growsurf", participants, &[]);
    assert_eq!(status, Some(1));
    assert_eq!(report["closedBefore"], 1, "{report}");
    assert_eq!(shop.of_code("xia2zh").1, ["fred@example.com"]);
    let refused = told(&report, "refused");
    assert!(
        matches!(&refused[..], [(5, why)] if why.contains("CREDIT_FROZEN")),
        "{report}"
    );
    let lines = "email,code,referred_by,status\na@example.com,THE-CODE,,\nb@example.com,,THE-CODE,paid\n\
                 c@example.com,,THE-CODE,soon\n";
    let (_, report) = shop.import("csv", lines, &[]);
    assert_eq!(report["rewardedBefore"], 1, "{report}");
    assert_eq!(told(&report, "refused")[0].0, 4);
    shop.is_sound();
}

/// It is said which columns are read, and that a file has no codes.
#[test]
fn a_file_without_codes_is_told() {
    let shop = Shop::new();
    let partners = "\
ID,Name,Email,Country,Status,Enrolled at,Enrolled at
pn_1,Ada,ada@example.com,DE,approved,2025-01-01,2025-01-01
";
    let (status, report) = shop.import("dub", partners, &["--dry-run"]);
    assert_eq!(
        (status, counts(&report)),
        (Some(0), [1, 0, 0, 0, 0, 0]),
        "{report}"
    );
    assert_eq!(report["read"], json!(["ID", "Name", "Email"]));
    assert_eq!(
        report["passedOver"],
        json!(["Country", "Status", "Enrolled at", "Enrolled at"])
    );
    let names = report["noCodes"].as_str().expect("what is missing");
    assert!(names.contains("`links.0.key`"), "{names}");
}

/// A rehearsal tells what will come, also where lines depend on each other.
#[test]
fn who_would_bring_each_other_is_told_before() {
    let shop = Shop::new();
    let lines =
        "email,code,referred_by\none@example.com,LOOP-1,LOOP-2\ntwo@example.com,LOOP-2,LOOP-1\n";
    let (tried, _, report) = shop.rehearsed("csv", lines);
    assert_eq!(told(&tried, "refused"), told(&report, "refused"));
    assert_eq!(told(&report, "refused").len(), 1, "{report}");
    shop.is_sound();
}
