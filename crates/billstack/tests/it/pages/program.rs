//! `…/program`.

use billstack_core::access::Role;
use billstack_core::time::DAY;
use serde_json::{Value, json};

use super::{hidden_fields, led, look, send};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};

on_both_engines! {
    it_tells_what_is_promised_and_what_that_would_have_cost,
    a_change_is_shown_before_it_is_saved,
    a_change_over_somebody_elses_is_looked_at_again,
    a_form_undoes_nothing_that_others_changed,
    what_is_wrong_is_told_at_its_field,
    what_is_wrong_is_never_folded,
    whoever_may_not_change_it_is_told_so,
    nothing_of_a_text_is_markup,
}

fn path(t: &Bench) -> String {
    super::path(t, "/program")
}

async fn page(t: &Bench) -> Answer {
    let answer = look(&t.owner, &path(t)).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// The form as a program with 10.00 and 5.00 USD fills it, with other values for some fields.
fn filled<'f>(other: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let usual = [
        ("enabled", "on"),
        ("referrerCreditAmount", "10.00"),
        ("refereeCreditAmount", "5.00"),
        ("currency", "usd"),
        ("conversionTrigger", "subscription_created"),
        ("minimumPaidAmount", "0.00"),
        ("referralExpiryDays", ""),
        ("creditDelivery", "ledger"),
        ("creditDescription", "Referral credit"),
        ("holdDays", "0"),
        ("clawback", "none"),
        ("clawbackWindowDays", "180"),
        ("clawbackApplied", "unused_only"),
        ("maxConversionsTotal", ""),
        ("maxConversionsPerMonth", ""),
        ("budget", ""),
    ];
    let kept = usual.into_iter();
    let kept = kept.filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    kept.chain(other.iter().copied()).collect()
}

/// Sends the form, and looks at where it leads.
async fn looked_at(client: &impl Caller, path: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = send(client, path, fields).await;
    let place = led(&answer);
    assert!(place.contains("?look="), "{answer:?}");
    look(client, place).send().await
}

async fn config(t: &Bench) -> Value {
    t.key.get("referrals/config").await.ok()["config"].take()
}

async fn it_tells_what_is_promised_and_what_that_would_have_cost(t: &Bench) {
    let off = page(t).await;
    for part in [
        ">Off</span>",
        "referrals_disabled",
        "No referral waits.",
        "Nobody has changed it yet.",
        "aria-current=\"page\">Program</a>",
    ] {
        assert!(off.text.contains(part), "{part}: {off:?}");
    }
    t.program(1_000, 500).await;
    let (first, second) = (t.pair("ann").await, t.pair("bob").await);
    t.apply(&first).await;
    t.apply(&second).await;
    t.subscribe(&first).await;
    let on = page(t).await;
    for part in [
        ">On</span>",
        "Sign up with my code and get 5.00 USD once your subscription has begun.",
        "Your friend gets 5.00 USD, and you get 10.00 USD.",
        "/referrals?status=pending\">1</a>",
        ": 1000 and 500 at present.",
        "<details class=\"group\"><summary><b>Limits</b> <span class=\"quiet\">No limit a referrer; no budget.</span>",
        "would have cost nothing",
    ] {
        assert!(on.text.contains(part), "{part}: {on:?}");
    }
    // No session lives that long.
    t.advance(31 * DAY);
    let later = t.member(Role::Viewer).await;
    let after = look(&later, &path(t)).send().await;
    for part in [
        "The one conversion of ",
        "would have cost <span class=\"money\">15.00 USD</span>",
        "What was granted then: <span class=\"money\">15.00 USD</span>",
    ] {
        assert!(after.text.contains(part), "{part}: {after:?}");
    }
}

async fn a_change_is_shown_before_it_is_saved(t: &Bench) {
    t.program(1_000, 500).await;
    let pair = t.pair("ann").await;
    t.apply(&pair).await;
    let before = config(t).await;
    let wished = filled(&[
        ("referrerCreditAmount", "12.5"),
        ("excludeTrials", "yes"),
        ("budget", "1000"),
        ("maxConversionsPerMonth", "3"),
    ]);
    let shown = looked_at(&t.owner, &path(t), &wished).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    for part in [
        "<td data-label=\"Now\">10.00 USD</td>",
        "<strong>12.50 USD</strong>",
        "<strong>1,000.00 USD</strong>",
        "<strong>do not count until they are over</strong>",
        "One referral waits. It keeps the promise",
    ] {
        assert!(shown.text.contains(part), "{part}: {shown:?}");
    }
    assert!(!shown.text.contains("data-label=\"Setting\">Currency"));
    assert_eq!(config(t).await, before);
    let confirmed = hidden_fields(&shown);
    let saved = send(&t.owner, &path(t), &confirmed).await;
    assert_eq!(led(&saved), format!("{}?done=saved", path(t)));
    let after = config(t).await;
    assert_eq!(after["referrerCreditAmount"], 1_250);
    assert_eq!(
        (&after["excludeTrials"], &after["budget"]),
        (&json!(true), &json!(100_000))
    );
    assert_eq!(
        after["maxConversionsPerReferrer"],
        json!({"total": null, "perMonth": 3})
    );
    assert_eq!(after["refereeCreditAmount"], before["refereeCreditAmount"]);
    let log = page(t).await;
    assert!(log.text.contains("10.00 USD → 12.50 USD"), "{log:?}");
    assert!(log.text.contains(">Owner of home</a>") || log.text.contains("/activity?actor=user:"));
    // Back from what was looked at, nothing is lost; and what changes nothing says so.
    let (_, back) = shown.text.split_once("?again=yes&amp;").expect("the way");
    let back = back
        .split('"')
        .next()
        .expect("its end")
        .replace("&amp;", "&");
    let back = format!("{}?again=yes&{back}", path(t));
    let form = look(&t.owner, &back).send().await;
    assert!(form.text.contains("value=\"12.5\""), "{form:?}");
    let same = looked_at(&t.owner, &path(t), &wished).await;
    assert!(same.text.contains("the program is like this already"));
}

async fn a_change_over_somebody_elses_is_looked_at_again(t: &Bench) {
    t.program(1_000, 500).await;
    let wished = filled(&[("refereeCreditAmount", "7.00")]);
    let shown = looked_at(&t.owner, &path(t), &wished).await;
    t.program(2_000, 500).await;
    let confirmed = hidden_fields(&shown);
    let again = looked_at(&t.owner, &path(t), &confirmed).await;
    assert_eq!(again.status, 200);
    assert!(
        again.text.contains("changed by somebody else meanwhile"),
        "{again:?}"
    );
    assert!(again.text.contains("<td data-label=\"Now\">20.00 USD</td>"));
    assert_eq!(config(t).await["refereeCreditAmount"], 500);
    let confirmed = hidden_fields(&again);
    led(&send(&t.owner, &path(t), &confirmed).await);
    // Looked at once more by the same form: the program is what it asks for.
    let twice = looked_at(&t.owner, &path(t), &confirmed).await;
    assert!(
        twice.text.contains("the program is like this already"),
        "{twice:?}"
    );
    let config = config(t).await;
    assert_eq!(
        (
            &config["referrerCreditAmount"],
            &config["refereeCreditAmount"]
        ),
        (&json!(1_000), &json!(700))
    );
}

async fn what_is_wrong_is_told_at_its_field(t: &Bench) {
    t.program(1_000, 500).await;
    let before = config(t).await;
    for (name, value, message) in [
        (
            "referrerCreditAmount",
            "10,50",
            "“Who refers gets” must be an amount from 0.00 to 999,999.99 USD",
        ),
        ("currency", "xyz", "“Currency” must be"),
        (
            "holdDays",
            "366",
            "“Days that a credit is held” must be a whole number from 0 to 365.",
        ),
        (
            "clawback",
            "within_hold",
            "“while they are held” only with “Days that a credit is held” above 0",
        ),
        ("creditDelivery", "stripe_balance", ""),
    ] {
        // At once: nobody is asked to confirm what is refused then.
        let answer = send(&t.owner, &path(t), &filled(&[(name, value)])).await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        assert!(
            answer.text.contains(&format!("id=\"{name}-error\"")),
            "{name}: {answer:?}"
        );
        assert!(answer.text.contains(message), "{message}: {answer:?}");
    }
    assert_eq!(config(t).await, before);
}

/// A group that nobody touched stays out of the way.
async fn what_is_wrong_is_never_folded(t: &Bench) {
    t.program(1_000, 500).await;
    let open = |page: &Answer| -> Vec<String> {
        let groups = page.text.split("<details class=\"group\"").skip(1);
        let open = groups.filter(|group| group.starts_with(" open>"));
        let name = |group: &str| group.split(['<', '>']).nth(5).map(str::to_owned);
        open.filter_map(name).collect()
    };
    assert_eq!(open(&page(t).await), Vec::<String>::new());
    for (name, value, group) in [
        ("minimumPaidAmount", "-1", "Conversion"),
        ("clawback", "within_hold", "Credits"),
        ("budget", "lots", "Limits"),
    ] {
        let answer = send(&t.owner, &path(t), &filled(&[(name, value)])).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(open(&answer), [group], "{name}: {answer:?}");
    }
    let both = filled(&[("budget", "5"), ("holdDays", "366")]);
    let answer = send(&t.owner, &path(t), &both).await;
    assert_eq!(open(&answer), ["Limits"], "what is typed is in sight");
}

async fn whoever_may_not_change_it_is_told_so(t: &Bench) {
    t.program(1_000, 500).await;
    let viewer = t.member(Role::Viewer).await;
    let seen = look(&viewer, &path(t)).send().await;
    assert_eq!(seen.status, 200);
    let told = "This is for owners, admins and members of the team. You are a viewer.";
    assert!(seen.text.contains(told), "{seen:?}");
    let shut = "<fieldset class=\"shut\" disabled>";
    assert!(seen.text.contains(shut), "{seen:?}");
    assert!(!seen.text.contains("/activity?"));
    let sent = send(&viewer, &path(t), &filled(&[("enabled", "off")])).await;
    assert_eq!(sent.status, 403);
    let member = t.member(Role::Member).await;
    let shown = looked_at(&member, &path(t), &filled(&[("enabled", "off")])).await;
    assert!(
        shown.text.contains("From now on an apply is refused"),
        "{shown:?}"
    );
    led(&send(&member, &path(t), &hidden_fields(&shown)).await);
    assert_eq!(config(t).await["enabled"], json!(false));
}

async fn nothing_of_a_text_is_markup(t: &Bench) {
    t.program(1_000, 500).await;
    let canary = "\"><img src=x onerror=alert(1)>";
    let fields = filled(&[("creditDescription", canary)]);
    let shown = looked_at(&t.owner, &path(t), &fields).await;
    assert!(!shown.text.contains("<img src=x") && shown.text.contains("&lt;img src=x"));
    let mut body = config(t).await;
    body["creditDescription"] = json!(canary);
    t.key.put("referrals/config", body).await.ok();
    let told = page(t).await;
    assert!(!told.text.contains("<img src=x") && told.text.contains("&lt;img src=x"));
}

async fn a_form_undoes_nothing_that_others_changed(t: &Bench) {
    t.program(1_000, 500).await;
    let opened = page(t).await;
    t.program(2_000, 500).await;
    let mine = filled(&[("refereeCreditAmount", "7.00")]);
    let fields = [hidden_fields(&opened), mine].concat();
    let shown = looked_at(&t.owner, &path(t), &fields).await;
    assert!(!shown.text.contains("10.00 USD</strong>"), "{shown:?}");
    led(&send(&t.owner, &path(t), &hidden_fields(&shown)).await);
    let config = config(t).await;
    assert_eq!(
        (
            &config["referrerCreditAmount"],
            &config["refereeCreditAmount"]
        ),
        (&json!(2_000), &json!(700))
    );
}
