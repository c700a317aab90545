//! `…/credits` and `…/credits/{id}`.

use billstack_core::access::Role;
use serde_json::{Value, json};

use super::{content, hidden, hidden_fields, holds, led, look, send};
use crate::api::referrals::credits::delivery::stripe;
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::fixture::text;

on_both_engines! {
    a_list_without_rows_says_how_one_comes_about,
    the_list_shows_what_the_api_lists_under_the_same_filters,
    it_says_how_many_match_and_what_they_come_to,
    a_credit_tells_its_life,
    a_credit_is_moved_once_and_with_a_reason,
    what_cannot_be_moved_says_why,
    nothing_is_chosen_before_somebody_chooses,
    picked_ones_are_looked_at_before_they_are_moved,
    picked_ones_are_decided_each_by_itself,
    a_refused_form_stays_on_its_page_of_the_list,
    nobody_picks_more_than_a_hundred,
    a_viewer_moves_nothing,
    what_needs_a_person_says_why_and_what_helps with stripe,
    nothing_of_a_customer_is_markup,
}

fn path(t: &Bench, rest: &str) -> String {
    super::path(t, &format!("/credits{rest}"))
}

async fn page(client: &impl Caller, path: &str) -> Answer {
    let answer = look(client, path).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// Two credits of a referral, of which the referrer's is 10.00 USD; returns both as the API shows them.
async fn converted(t: &Bench) -> Vec<Value> {
    t.program(1000, 500).await;
    let (pair, _) = t.pending("ann").await;
    t.subscribe(&pair).await;
    t.credits().await
}

/// The credit of this side.
fn of<'c>(credits: &'c [Value], side: &str) -> &'c Value {
    let found = credits.iter().find(|credit| credit["side"] == side);
    found.expect("a credit of the side")
}

async fn a_list_without_rows_says_how_one_comes_about(t: &Bench) {
    let none = page(&t.owner, &path(t, "")).await.text;
    assert!(
        none.contains("No credit yet.") && none.contains(">no referral</a>"),
        "{none}"
    );
    t.program(1000, 500).await;
    let (_, referral) = t.pending("ann").await;
    let next = page(&t.owner, &path(t, "")).await.text;
    assert!(
        next.contains(&format!("/referrals/{referral}\">the newest one</a>")),
        "{next}"
    );
    let filtered = page(&t.owner, &path(t, "?status=held")).await.text;
    assert!(
        filtered.contains("No credit matches the filters.")
            && filtered.contains(">Clear filters</a>"),
        "{filtered}"
    );
}

async fn the_list_shows_what_the_api_lists_under_the_same_filters(t: &Bench) {
    let credits = converted(t).await;
    let euros = json!({
        "customerId": of(&credits, "referrer")["customerId"], "amount": 700, "currency": "eur", "reason": "Contest",
    });
    t.key.post("referrals/credits", euros).await.created();
    let all = page(&t.owner, &path(t, "")).await.text;
    for part in [
        ">10.00 USD</span>",
        ">5.00 USD</span>",
        ">7.00 EUR</span>",
        "given by hand",
        "referred somebody",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    // The currencies in use are there to choose from, and what somebody asks for besides.
    for part in [
        "<option value=\"eur\">EUR</option>",
        "<option value=\"usd\">USD</option>",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(!all.contains("value=\"jpy\""));
    let yen = page(&t.owner, &path(t, "?currency=jpy")).await.text;
    assert!(
        yen.contains("<option value=\"jpy\" selected>JPY</option>"),
        "{yen}"
    );
    let customer = text(&of(&credits, "referee")["customerId"]);
    for (filter, shown, count) in [
        ("currency=eur".to_owned(), ">7.00 EUR</span>", 1),
        ("currency=USD".to_owned(), ">10.00 USD</span>", 2),
        ("side=referee".to_owned(), ">5.00 USD</span>", 1),
        (
            "status=granted&from=2026-03-30&to=2026-03-30".to_owned(),
            ">10.00 USD</span>",
            3,
        ),
        ("kind=manual".to_owned(), ">7.00 EUR</span>", 1),
        (format!("customerId={customer}"), ">5.00 USD</span>", 1),
        (
            "delivery=needs_attention".to_owned(),
            "No credit matches",
            0,
        ),
        ("currency=jpy".to_owned(), "No credit matches", 0),
    ] {
        let list = page(&t.owner, &path(t, &format!("?{filter}"))).await.text;
        assert!(list.contains(shown), "{filter}: {list}");
        assert_eq!(list.matches("name=\"pick\"").count(), count, "{filter}");
        let api = filter.replace(
            "2026-03-30&to=2026-03-30",
            "2026-03-30T00:00:00Z&to=2026-03-31T00:00:00Z",
        );
        let listed = t.key.get(&format!("referrals/credits?{api}")).await.ok();
        assert_eq!(
            listed["credits"].as_array().map(Vec::len),
            Some(count),
            "{filter}"
        );
    }
    let wrong = look(&t.owner, &path(t, "?currency=euro")).send().await;
    assert_eq!(wrong.status, 400);
}

async fn it_says_how_many_match_and_what_they_come_to(t: &Bench) {
    converted(t).await;
    let eve = t.customer("eve").await;
    let gift = json!({"customerId": eve, "amount": 1_000, "currency": "jpy", "reason": "x"});
    t.key.post("referrals/credits", gift).await.created();
    let money = |text: &str| format!("<strong><span class=\"money\">{text}</span></strong>");
    let both = format!("{} and {}.", money("1,000 JPY"), money("15.00 USD"));
    for (query, number, sums) in [
        ("", "3</strong> credits", both.clone()),
        ("limit=1", "3</strong> credits", both.clone()),
        ("from=2026-03-30&to=2026-03-30", "3</strong> credits", both),
        (
            "currency=jpy",
            "1</strong> credit",
            format!("{}.", money("1,000 JPY")),
        ),
        (
            "side=referee",
            "1</strong> credit",
            format!("{}.", money("5.00 USD")),
        ),
        (
            "kind=referral&limit=1",
            "2</strong> credits",
            format!("{}.", money("15.00 USD")),
        ),
    ] {
        let shown = page(&t.owner, &path(t, &format!("?{query}"))).await;
        let said = format!("<strong>{number}, granted as {sums}");
        assert!(shown.text.contains(&said), "{query}: {said}: {shown:?}");
    }
}

async fn a_credit_tells_its_life(t: &Bench) {
    let credits = converted(t).await;
    let credit = of(&credits, "referrer");
    let id = text(&credit["id"]);
    let settle = json!({"amount": 400, "reason": "Paid out", "reference": "PAY-1"});
    let moved = t
        .owner
        .post(&format!("referrals/credits/{id}/settle"), settle)
        .await;
    moved.ok();
    let shown = page(&t.owner, &path(t, &format!("/{id}"))).await.text;
    let referral = text(&credit["referralId"]);
    for part in [
        "<title>10.00 USD of ann-referrer, who brought ann-referee@example.com · Credits · ",
        ">6.00 USD</span>",
        ">4.00 USD</span>",
        "program → owed",
        "owed → paid elsewhere",
        "Paid out",
        "PAY-1",
        "It stands in our books alone",
        &format!("/referrals/{referral}\""),
        "href=\"/go/evt_",
        ">Stripe's event<",
        &format!("<a href=\"/go/{}\">Owner of home</a>", t.home.owner_id),
        "value=\"reverse\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(
        !shown.contains("value=\"release\"") && !shown.contains("value=\"retry\""),
        "{shown}"
    );
    let absent = look(&t.owner, &path(t, "/cr_none")).send().await;
    assert_eq!(absent.status, 404);
}

async fn a_credit_is_moved_once_and_with_a_reason(t: &Bench) {
    let credits = converted(t).await;
    let id = text(&of(&credits, "referrer")["id"]);
    let place = path(t, &format!("/{id}"));
    let once = hidden(&page(&t.owner, &place).await, "once");
    let form = |amount, reason| {
        [
            ("once", once.as_str()),
            ("move", "settle"),
            ("amount", amount),
            ("reason", reason),
            ("reference", ""),
        ]
    };
    let settled = async || t.credit(&id).await["amounts"]["settled"].take();
    for (amount, reason, error) in [
        ("4.00", "", "reason-error"),
        ("4.001", "x", "amount-error"),
        ("0", "x", "amount-error"),
        ("-1", "x", "amount-error"),
    ] {
        let wrong = send(&t.owner, &place, &form(amount, reason)).await;
        assert_eq!(wrong.status, 400);
        assert!(
            wrong.text.contains(error),
            "{amount} {reason}: {}",
            wrong.text
        );
        assert!(wrong.text.contains(&format!("value=\"{amount}\"")));
    }
    assert_eq!(settled().await, 0);
    let more = send(&t.owner, &place, &form("10.01", "x")).await;
    assert_eq!(more.status, 400);
    assert!(more.text.contains("amount-error"), "{}", more.text);
    assert_eq!(
        led(&send(&t.owner, &place, &form("4.00", "Paid out")).await),
        format!("{place}?done=moved")
    );
    let again = send(&t.owner, &place, &form("4.00", "Paid out")).await;
    assert!(again.text.contains("Already done"), "{}", again.text);
    assert_eq!(settled().await, 400);
}

async fn what_cannot_be_moved_says_why(t: &Bench) {
    let credits = converted(t).await;
    let id = text(&of(&credits, "referrer")["id"]);
    let place = path(t, &format!("/{id}"));
    let once = hidden(&page(&t.owner, &place).await, "once");
    for what in ["release", "retry", "deliver", "nonsense"] {
        let fields = [("once", once.as_str()), ("move", what), ("reason", "x")];
        let refused = send(&t.owner, &place, &fields).await;
        assert_eq!(refused.status, 400, "{what}");
        assert!(
            refused.text.contains("role=\"alert\""),
            "{what}: {}",
            refused.text
        );
    }
    let fields = [
        ("once", once.as_str()),
        ("move", "reverse"),
        ("reason", "x"),
    ];
    led(&send(&t.owner, &place, &fields).await);
    let over = page(&t.owner, &place).await.text;
    assert!(
        over.contains("Nothing of it can be moved any more."),
        "{over}"
    );
}

async fn picked_ones_are_decided_each_by_itself(t: &Bench) {
    let credits = converted(t).await;
    let (first, second) = (
        text(&of(&credits, "referrer")["id"]),
        text(&of(&credits, "referee")["id"]),
    );
    let reverse = format!("referrals/credits/{second}/reverse");
    t.key.post(&reverse, json!({"reason": "x"})).await.ok();
    let once = "ab".repeat(16);
    let fields = [
        ("once", once.as_str()),
        ("move", "settle"),
        ("reason", "Paid in May"),
        ("pick", first.as_str()),
        ("pick", second.as_str()),
        ("pick", "cr_none"),
        ("pick", first.as_str()),
    ];
    let answer = send(&t.owner, &path(t, "/move"), &fields).await;
    let place = led(&answer).to_owned();
    let shown = page(&t.owner, &place).await;
    let report = &shown.text;
    for part in ["1 of 3 moved.", ">Done</span>", "Settled.", "cr_none"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert_eq!(report.matches(">Not done</span>").count(), 2, "{report}");
    assert_eq!(t.credit(&first).await["amounts"]["settled"], 1000);
    // The same form moves nothing again, and leads to the same report.
    let entries = t.count("entries").await;
    assert_eq!(
        led(&send(&t.owner, &path(t, "/move"), &fields).await),
        place
    );
    assert_eq!(content(&page(&t.owner, &place).await), content(&shown));
    assert_eq!(t.count("entries").await, entries);
    // It is for whoever sent the form.
    let other = t.member(Role::Admin).await;
    assert_eq!(look(&other, &place).send().await.status, 404);
}

async fn a_refused_form_stays_on_its_page_of_the_list(t: &Bench) {
    let credits = converted(t).await;
    let id = text(&of(&credits, "referee")["id"]);
    let list = page(&t.owner, &path(t, "?status=granted&side=referee")).await;
    let action = list.text.split("<form method=\"post\" action=\"").nth(2);
    let action = action.and_then(|rest| rest.split('"').next());
    let action = action.expect("a form").replace("&amp;", "&");
    assert!(
        action.ends_with("/credits?side=referee&status=granted"),
        "{action}"
    );
    let fields = [("move", ""), ("pick", id.as_str())];
    let refused = send(&t.owner, &action, &fields).await;
    assert_eq!(refused.status, 400);
    let picked = format!("value=\"{id}\" checked");
    for part in [
        "value=\"granted\" selected",
        "value=\"referee\" selected",
        &picked,
    ] {
        assert!(refused.text.contains(part), "{part}: {refused:?}");
    }
    let wrong = look(&t.owner, &path(t, "?currency=euro")).send().await;
    assert_eq!(wrong.status, 400);
    for part in ["<code>currency</code>", ">Clear filters</a>"] {
        assert!(wrong.text.contains(part), "{part}: {wrong:?}");
    }
}

async fn nobody_picks_more_than_a_hundred(t: &Bench) {
    let credits = converted(t).await;
    let once = "ab".repeat(16);
    let ids: Vec<String> = (0..101).map(|number| format!("cr_{number}")).collect();
    let mut fields = vec![
        ("once", once.as_str()),
        ("move", "reverse"),
        ("reason", "x"),
    ];
    for fields in [fields.clone(), {
        fields.extend(ids.iter().map(|id| ("pick", id.as_str())));
        fields
    }] {
        let wrong = send(&t.owner, &path(t, ""), &fields).await;
        assert_eq!(wrong.status, 400);
        assert!(wrong.text.contains("Pick from 1 to 100."), "{}", wrong.text);
    }
    let id = text(&credits[0]["id"]);
    // What was picked comes back with what is wrong.
    let fields = [("move", ""), ("pick", id.as_str())];
    let wrong = send(&t.owner, &path(t, ""), &fields).await;
    assert_eq!(wrong.status, 400);
    for part in ["Choose what to do.", &format!("value=\"{id}\" checked")] {
        assert!(wrong.text.contains(part), "{part}: {}", wrong.text);
    }
    let fields = [
        ("once", once.as_str()),
        ("move", "settle"),
        ("pick", &id),
        ("reason", ""),
    ];
    let wrong = send(&t.owner, &path(t, "/move"), &fields).await;
    assert_eq!(wrong.status, 400);
    for part in ["reason-error", &format!("name=\"pick\" value=\"{id}\"")] {
        assert!(wrong.text.contains(part), "{part}: {}", wrong.text);
    }
}

async fn a_viewer_moves_nothing(t: &Bench) {
    let credits = converted(t).await;
    let id = text(&credits[0]["id"]);
    let viewer = t.member(Role::Viewer).await;
    for rest in [String::new(), format!("/{id}")] {
        let shown = page(&viewer, &path(t, &rest)).await;
        holds(&shown, &["You are a viewer."]);
        let once = "ab".repeat(16);
        let fields = [
            ("once", once.as_str()),
            ("move", "reverse"),
            ("reason", "x"),
            ("pick", &id),
        ];
        for rest in [&*rest, "/move"] {
            let refused = send(&viewer, &path(t, rest), &fields).await;
            assert_eq!(refused.status, 403);
        }
    }
    assert_eq!(t.credit(&id).await["amounts"]["reversed"], 0);
    // The list has nothing to pick for them, and says once why.
    let list = page(&viewer, &path(t, "")).await;
    holds(
        &list,
        &[
            "<p class=\"quiet\">Moving credits is for owners, admins and members of the team. You are a viewer.</p>",
        ],
    );
    for part in ["Pick", "Look at the move", "method=\"post\""] {
        assert!(!content(&list).contains(part), "{part}: {list:?}");
    }
    let list = page(&t.owner, &path(t, "")).await;
    holds(&list, &["data-label=\"Pick\"", "Look at the move"]);
    assert!(!list.text.contains("Moving credits is for"), "{list:?}");
    // What nothing can be done to has no form either.
    let none = format!("/move?move=release&picked={id}");
    let shown = page(&t.owner, &path(t, &none)).await;
    holds(&shown, &["cannot be moved so"]);
    assert!(!content(&shown).contains("<form"), "{shown:?}");
}

async fn what_needs_a_person_says_why_and_what_helps(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.customer("a").await;
    let credit = t.give(&customer, 100).await;
    t.delivery(&credit, "needs_attention").await;
    let shown = page(&t.owner, &path(t, &format!("/{credit}"))).await.text;
    for part in [
        "the customer has no currency in Stripe yet",
        "Once the customer is billed in this currency",
        "value=\"retry\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let list = page(&t.owner, &path(t, "?delivery=needs_attention"))
        .await
        .text;
    assert!(list.contains(">Needs a person</span>"), "{list}");
}

async fn nothing_of_a_customer_is_markup(t: &Bench) {
    let credits = converted(t).await;
    let credit = of(&credits, "referrer");
    let (id, customer) = (text(&credit["id"]), text(&credit["customerId"]));
    let body = json!({"name": "\"><img src=x onerror=alert(1)>"});
    t.key
        .patch(&format!("customers/{customer}"), body)
        .await
        .ok();
    let place = path(t, &format!("/{id}"));
    let once = hidden(&page(&t.owner, &place).await, "once");
    let fields = [
        ("once", once.as_str()),
        ("move", "settle"),
        ("amount", "1"),
        ("reason", "\"><img src=x onerror=alert(2)>"),
        ("reference", "\"><img src=x onerror=alert(3)>"),
    ];
    led(&send(&t.owner, &place, &fields).await);
    for rest in [String::new(), format!("/{id}")] {
        let shown = page(&t.owner, &path(t, &rest)).await.text;
        assert!(!shown.contains("<img src=x"), "{rest}: {shown}");
        assert!(shown.contains("&lt;img src=x"), "{rest}: {shown}");
    }
}

/// Money is moved by whoever chose how, and knew how much: not by Enter in the next field.
async fn nothing_is_chosen_before_somebody_chooses(t: &Bench) {
    let credits = converted(t).await;
    let id = text(&of(&credits, "referrer")["id"]);
    let place = path(t, &format!("/{id}"));
    let shown = page(&t.owner, &place).await;
    for part in [
        "<h1><span class=\"money\">10.00 USD</span> of ann-referrer, who brought ann-referee@example.com</h1>",
        "type=\"radio\" name=\"move\" value=\"reverse\" required>",
        "Reverse: take it back</strong>: <span class=\"money\">10.00 USD</span>.",
        "A credit that was taken back is not given again.",
        "name=\"reference\"",
    ] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    assert!(!shown.text.contains("value=\"reverse\" required checked"));
    let once = hidden(&shown, "once");
    let fields = [("once", once.as_str()), ("reason", "x")];
    let unchosen = send(&t.owner, &place, &fields).await;
    assert_eq!(unchosen.status, 400);
    assert!(unchosen.text.contains("id=\"move-error\""), "{unchosen:?}");
    // Only a payment elsewhere has a name there.
    let fields = [
        ("once", once.as_str()),
        ("move", "reverse"),
        ("reason", "x"),
        ("reference", "PAY-1"),
    ];
    led(&send(&t.owner, &place, &fields).await);
    assert_eq!(t.credit(&id).await["amounts"]["reversed"], 1000);
    assert!(!page(&t.owner, &place).await.text.contains("PAY-1"));
}

async fn picked_ones_are_looked_at_before_they_are_moved(t: &Bench) {
    let credits = converted(t).await;
    let euros = json!({
        "customerId": of(&credits, "referrer")["customerId"], "amount": 700, "currency": "eur", "reason": "Contest",
    });
    let euros = t.key.post("referrals/credits", euros).await.created();
    let gone = text(&euros["credit"]["id"]);
    let reverse = format!("referrals/credits/{gone}/reverse");
    let (first, second) = (text(&credits[0]["id"]), text(&credits[1]["id"]));
    let picked = [
        ("move", "reverse"),
        ("pick", first.as_str()),
        ("pick", second.as_str()),
        ("pick", gone.as_str()),
    ];
    let list = path(t, "?status=granted");
    let step = send(&t.owner, &list, &picked).await;
    let place = led(&step).to_owned();
    let all = page(&t.owner, &place).await.text;
    for part in [
        "<h1>Reverse what is picked</h1>",
        "<dt>2 credits</dt><dd><span class=\"money\">15.00 USD</span></dd>",
        "<dt>One credit</dt><dd><span class=\"money\">7.00 EUR</span></dd>",
        "A credit that was taken back is not given again.",
        ">Reverse 3 credits</button>",
        "/credits?status=granted\">Move nothing",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(!all.contains("name=\"reference\""), "{all}");
    t.key.post(&reverse, json!({"reason": "x"})).await.ok();
    let shown = page(&t.owner, &place).await;
    for part in ["Of the 3 that are picked, 1", "Reverse 2 credits"] {
        assert!(shown.text.contains(part), "{part}: {shown:?}");
    }
    // Nothing moves by looking, and by a form without a reason.
    assert_eq!(t.credit(&first).await["amounts"]["reversed"], 0);
    let mut fields = hidden_fields(&shown);
    fields.push(("reason", "Fraud"));
    let moved = send(&t.owner, &path(t, "/move"), &fields).await;
    let report = page(&t.owner, led(&moved)).await.text;
    assert!(report.contains("2 of 3 moved."), "{report}");
    // An address without anything picked leads to the list.
    let empty = look(&t.owner, &path(t, "/move?move=reverse")).send().await;
    assert_eq!(led(&empty), path(t, ""));
}
