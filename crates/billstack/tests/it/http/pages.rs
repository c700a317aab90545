//! Pages have a size, not only a length.

use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::pluck;

on_both_engines! {
    a_page_of_large_rows_ends_below_a_mebibyte,
}

async fn a_page_of_large_rows_ends_below_a_mebibyte(t: &Bench) {
    let mut made = Vec::new();
    for number in 0..100 {
        let text = "x".repeat(500);
        let metadata: serde_json::Map<String, Value> =
            (0..30).map(|n| (format!("k{n}"), json!(text))).collect();
        let body = json!({"email": format!("{number}@example.com"), "metadata": metadata});
        let customer = t.customer_with(body).await;
        made.push(customer["id"].as_str().expect("a text").to_owned());
    }
    made.reverse();
    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let answer = t.key.get(&format!("customers?limit=1000{cursor}")).await;
        let size = answer.text.len();
        assert!(size <= 1024 * 1024, "{size}");
        let page = answer.ok();
        seen.extend(pluck(&page["customers"], "id"));
        pages += 1;
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        // It is no smaller than it need be.
        assert!(size > 900 * 1024, "{size}");
        cursor = format!("&cursor={next}");
    }
    assert_eq!((pages, seen), (2, made));
}
