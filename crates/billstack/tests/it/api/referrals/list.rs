//! `GET …/referrals` and `GET …/referrals/{id}`.

use billstack_core::time::HOUR;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{apply_body, pluck, text};

on_both_engines! {
    referrals_are_listed_as_documented,
    each_filter_narrows_the_list,
    filters_are_read_strictly,
    conversions_are_listed_by_when_they_came,
    unknown_referrals_are_404,
    pages_are_complete_and_stable,
    pages_of_a_referrer_hold_all_of_its_codes,
    pages_of_a_customer_hold_both_sides,
    pages_are_asked_for_strictly,
}

async fn referrals_are_listed_as_documented(t: &Bench) {
    assert_eq!(t.key.get("referrals").await.ok(), json!({"referrals": []}));
    let pair = t.pair("a").await;
    let first = t.apply(&pair).await;
    let later = t.customer("later").await;
    let answer = t
        .key
        .post("referrals/apply", apply_body(&pair.code, &later));
    let second = answer.await.created()["referral"].take();
    let list = t.key.get("referrals").await.ok();
    assert_eq!(
        list,
        json!({"referrals": [second, first]}),
        "the newest first"
    );
}

async fn each_filter_narrows_the_list(t: &Bench) {
    let (one, two) = (t.pair("one").await, t.pair("two").await);
    let first = text(&t.apply(&one).await["id"]);
    let between = "2026-03-30T13:00:00Z";
    t.advance(2 * HOUR);
    let second = text(&t.apply(&two).await["id"]);
    t.subscribe(&two).await;
    let queries = [
        ("source=code".to_owned(), vec![&second, &first]),
        ("source=click".to_owned(), vec![]),
        (format!("from={between}"), vec![&second]),
        (format!("to={between}"), vec![&first]),
        (format!("from={between}&to={between}"), vec![]),
        (
            format!("to={between}&source=code&code={}", one.code),
            vec![&first],
        ),
        (format!("from={between}&customerId={}", one.referee), vec![]),
        (
            format!("from={between}&customerId={}", two.referrer),
            vec![&second],
        ),
        ("status=pending".to_owned(), vec![&first]),
        ("status=converted".to_owned(), vec![&second]),
        ("status=expired".to_owned(), vec![]),
        (format!("referrerCustomerId={}", one.referrer), vec![&first]),
        (format!("refereeCustomerId={}", two.referee), vec![&second]),
        (format!("customerId={}", one.referrer), vec![&first]),
        (format!("customerId={}", one.referee), vec![&first]),
        ("customerId=pc_nobody".to_owned(), vec![]),
        (
            format!("customerId={}&status=converted", one.referee),
            vec![],
        ),
        (
            format!(
                "customerId={0}&refereeCustomerId={0}&code={1}",
                two.referee, two.code
            ),
            vec![&second],
        ),
        (
            format!("customerId={0}&referrerCustomerId={0}", two.referee),
            vec![],
        ),
        (
            format!(
                "customerId={}&referrerCustomerId={}",
                two.referee, two.referrer
            ),
            vec![&second],
        ),
        (format!("code={}", one.code.to_lowercase()), vec![&first]),
        (format!("code={}&status=converted", one.code), vec![]),
        ("code=nonsense!".to_owned(), vec![]),
        ("refereeCustomerId=pc_nobody".to_owned(), vec![]),
    ];
    for (query, expected) in queries {
        let list = t.key.get(&format!("referrals?{query}")).await.ok();
        let expected: Vec<_> = expected.into_iter().cloned().collect();
        assert_eq!(pluck(&list["referrals"], "id"), expected, "{query}");
    }
}

async fn filters_are_read_strictly(t: &Bench) {
    for (query, field) in [
        ("status=Pending", "status"),
        ("status=", "status"),
        ("code=", "code"),
        ("source=link", "source"),
        ("from=2026-03-30", "from"),
        ("to=soon", "to"),
        ("status=pending&status=converted", "status"),
        ("st%61tus=pending&status=pending", "status"),
        ("refereeCustomerId=%00", "refereeCustomerId"),
        ("refereeCustomerId=%ff", "refereeCustomerId"),
        ("refereeCustomerId=%zz", "refereeCustomerId"),
    ] {
        t.key
            .get(&format!("referrals?{query}"))
            .await
            .invalid(field);
    }
    let answer = t.key.get("referrals?custmer_id=pc_ada").await;
    let body = answer.refused("unknown_parameter");
    assert_eq!(body["field"], "custmer_id");
    assert!(text(&body["error"]).contains("`customerId`"), "{body}");
}

async fn unknown_referrals_are_404(t: &Bench) {
    let (_, id) = t.pending("a").await;
    let (_, key) = t.project("other").await;
    for (client, id) in [
        (&key, id.as_str()),
        (&t.key, "ref_unknown"),
        (&t.key, "%00"),
    ] {
        let answer = client.get(&format!("referrals/{id}")).await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
}

/// Applies a code to as many new customers.
async fn many(t: &Bench, number: usize) -> Vec<String> {
    t.program(0, 0).await;
    let code = t.code(&t.customer("referrer").await).await;
    let mut made = Vec::new();
    for index in 0..number {
        let referee = t.customer(&format!("p{index}")).await;
        let answer = t.key.post("referrals/apply", apply_body(&code, &referee));
        made.push(text(&answer.await.created()["referral"]["id"]));
    }
    made
}

/// What a referrer brought, by pages of three.
async fn brought_by(t: &Bench, referrer: &str) -> Vec<String> {
    by_pages(t, &format!("referrerCustomerId={referrer}&limit=3")).await
}

async fn by_pages(t: &Bench, query: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("referrals?{query}{cursor}");
        let page = t.key.get(&path).await.ok();
        ids.extend(pluck(&page["referrals"], "id"));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

async fn pages_of_a_referrer_hold_all_of_its_codes(t: &Bench) {
    let mut made = many(t, 7).await;
    made.reverse();
    let codes = t.key.get("referrals/codes").await.ok()["codes"].take();
    let (referrer, code) = (text(&codes[0]["customerId"]), text(&codes[0]["code"]));
    assert_eq!(brought_by(t, &referrer).await, made);
    t.apply(&t.pair("other").await).await;
    t.key.delete(&format!("referrals/codes/{code}")).await.ok();
    let code = t.code(&referrer).await;
    for name in ["q0", "q1", "q2", "q3"] {
        let body = apply_body(&code, &t.customer(name).await);
        let answer = t.key.post("referrals/apply", body).await;
        made.insert(0, text(&answer.created()["referral"]["id"]));
    }
    assert_eq!(brought_by(t, &referrer).await, made);
    assert!(brought_by(t, "pc_nobody").await.is_empty());
}

async fn pages_of_a_customer_hold_both_sides(t: &Bench) {
    let mut made = many(t, 5).await;
    let codes = t.key.get("referrals/codes").await.ok();
    let referrer = text(&codes["codes"][0]["customerId"]);
    let other = t.code(&t.customer("other").await).await;
    let answer = t
        .key
        .post("referrals/apply", apply_body(&other, &referrer))
        .await;
    made.push(text(&answer.created()["referral"]["id"]));
    for name in ["q0", "q1"] {
        let body = apply_body(&text(&codes["codes"][0]["code"]), &t.customer(name).await);
        let answer = t.key.post("referrals/apply", body).await;
        made.push(text(&answer.created()["referral"]["id"]));
    }
    made.reverse();
    for limit in 1..=9 {
        let query = format!("customerId={referrer}&limit={limit}");
        assert_eq!(by_pages(t, &query).await, made, "{limit}");
        for offset in 0..=9 {
            let page = t.key.get(&format!("referrals?{query}&offset={offset}"));
            let page = page.await.ok();
            let end = made.len().min(offset + limit);
            let expected = made.get(offset..end).unwrap_or_default();
            assert_eq!(
                pluck(&page["referrals"], "id"),
                expected,
                "{query} {offset}"
            );
            assert_eq!(page["nextCursor"].is_string(), end < made.len(), "{query}");
        }
    }
}

async fn pages_are_complete_and_stable(t: &Bench) {
    let mut made = many(t, 23).await;
    made.reverse();
    let page = async |query: &str| t.key.get(&format!("referrals?{query}")).await.ok();
    let first = page("limit=10").await;
    assert_eq!(pluck(&first["referrals"], "id"), made[..10]);
    // Whatever is added meanwhile is newer and moves nothing.
    let code = t.key.get("referrals/codes").await.ok()["codes"][0]["code"].take();
    let late = t.customer("late").await;
    let late = t
        .key
        .post("referrals/apply", apply_body(&text(&code), &late));
    let late = text(&late.await.created()["referral"]["id"]);
    let cursor = |page: &Value| text(&page["nextCursor"]);
    let second = page(&format!("limit=10&cursor={}", cursor(&first))).await;
    assert_eq!(pluck(&second["referrals"], "id"), made[10..20]);
    let third = page(&format!("limit=10&cursor={}", cursor(&second))).await;
    assert_eq!(pluck(&third["referrals"], "id"), made[20..]);
    assert!(third.get("nextCursor").is_none(), "there is no more");
    let again = page(&format!("limit=10&cursor={}", cursor(&first))).await;
    assert_eq!(again, second);

    made.insert(0, late);
    assert_eq!(pluck(&page("limit=1000").await["referrals"], "id"), made);
    let skipped = page("limit=5&offset=20").await;
    assert_eq!(pluck(&skipped["referrals"], "id"), made[20..]);
    let beyond = page("offset=1000").await;
    assert_eq!(beyond, json!({"referrals": []}));
    let exactly = page("limit=24").await;
    assert!(
        exactly.get("nextCursor").is_none(),
        "a full page is not more"
    );
}

async fn pages_are_asked_for_strictly(t: &Bench) {
    let lists = [
        "customers",
        "referrals",
        "referrals/codes",
        "referrals/credits",
    ];
    for list in lists {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=-1", "limit"),
            ("limit=1e2", "limit"),
            ("limit=%2B5", "limit"),
            ("limit=5.0", "limit"),
            ("limit=", "limit"),
            ("limit=abc", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=5&limit=5", "limit"),
            ("offset=-1", "offset"),
            ("offset=9223372036854775808", "offset"),
            ("offset=x", "offset"),
            ("cursor=", "cursor"),
            ("cursor=nonsense", "cursor"),
            ("cursor=AAAA", "cursor"),
        ] {
            t.key.get(&format!("{list}?{query}")).await.invalid(field);
        }
        for query in ["limit=1", "limit=1000", "offset=0", "limit=007"] {
            t.key.get(&format!("{list}?{query}")).await.ok();
        }
    }
}

async fn conversions_are_listed_by_when_they_came(t: &Bench) {
    let mut ids = Vec::new();
    let mut pairs = Vec::new();
    for name in ["one", "two", "three", "four"] {
        let (pair, id) = t.pending(name).await;
        pairs.push(pair);
        ids.push(id);
        t.advance(HOUR);
    }
    // The one applied last converts first, and one never does.
    for index in [2, 0, 1] {
        t.subscribe(&pairs[index]).await;
        t.advance(HOUR);
    }
    let listed = async |query: &str| {
        let list = t.key.get(&format!("referrals?sort=converted{query}")).await;
        pluck(&list.ok()["referrals"], "id")
    };
    let expected = [1, 0, 2].map(|index| ids[index].clone());
    assert_eq!(listed("").await, expected);
    assert_eq!(listed("&status=converted").await, expected);
    let second = t.referral(&ids[0]).await;
    let at = text(&second["convertedAt"]);
    assert_eq!(listed(&format!("&from={at}")).await, expected[..2]);
    assert_eq!(listed(&format!("&to={at}")).await, expected[2..]);
    assert_eq!(listed("&limit=1&offset=1").await, expected[1..2]);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("referrals?sort=converted&limit=1{cursor}");
        let page = t.key.get(&path).await.ok();
        seen.extend(pluck(&page["referrals"], "id"));
        match page.get("nextCursor") {
            Some(next) => cursor = format!("&cursor={}", text(next)),
            None => break,
        }
    }
    assert_eq!(seen, expected);
    let file = t
        .key
        .get("referrals/exports/referrals?sort=converted")
        .await;
    let in_file = file.text.lines().skip(1).map(|line| line.split(',').next());
    let in_file: Vec<_> = in_file.map(Option::unwrap_or_default).collect();
    assert_eq!(in_file, expected);
    for query in ["status=pending", "source=code", "code=x", "customerId=x"] {
        let path = format!("referrals?sort=converted&{query}");
        t.key.get(&path).await.invalid("sort");
    }
    t.key.get("referrals?sort=best").await.invalid("sort");
}
