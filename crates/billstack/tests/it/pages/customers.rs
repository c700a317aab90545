//! `…/customers` and `…/customers/{id}`.

use billstack_core::access::Role;
use serde_json::json;

use super::{hidden, hidden_fields, led, look, send};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    whoever_is_sought_is_found_by_anything_that_names_them,
    a_customer_shows_whom_they_brought_and_what_they_have,
    a_customer_is_created_once,
    a_customer_is_edited_and_linked,
    a_person_is_erased_once_their_address_is_typed,
    their_own_page_is_looked_at_and_nothing_else,
    a_statement_is_a_file,
    a_viewer_changes_nobody,
    a_form_undoes_nothing_that_others_changed,
}

async fn page(t: &Bench, rest: &str) -> String {
    let path = format!("/t/{}/p/{}/customers{rest}", t.home.team, t.home.project);
    let answer = look(&t.owner, &path).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

async fn whoever_is_sought_is_found_by_anything_that_names_them(t: &Bench) {
    assert!(page(t, "").await.contains("No customer yet."));
    let body = json!({
        "email": "grace@example.com", "name": "Grace", "externalId": "user 7", "stripeCustomerId": "cus_grace",
    });
    let grace = text(&t.customer_with(body).await["id"]);
    t.customer("other").await;
    let everybody = page(t, "").await;
    assert!(everybody.contains(">Grace</a>") && everybody.contains(">other</a>"));
    for q in [
        "Grace%40Example.com",
        "user+7",
        "cus_grace",
        &grace,
        &format!("+{grace}+"),
    ] {
        let found = page(t, &format!("?q={q}")).await;
        assert!(
            found.contains(">Grace</a>") && !found.contains(">other</a>"),
            "{q}: {found}"
        );
    }
    let nobody = page(t, "?q=grace").await;
    assert!(nobody.contains("Nobody has this address or id"));
    assert!(nobody.contains("value=\"grace\""));
}

async fn a_customer_shows_whom_they_brought_and_what_they_have(t: &Bench) {
    let pair = t.pair("ann").await;
    t.apply(&pair).await;
    t.subscribe(&pair).await;
    let referrer = page(t, &format!("/{}", pair.referrer)).await;
    for part in [
        ">10.00 USD</span>",
        ">ann-referee@example.com</a>",
        "not linked",
        "referred somebody",
        "aria-current=\"page\">Customers</a>",
    ] {
        assert!(referrer.contains(part), "{part}: {referrer}");
    }
    let code = format!("/codes/{}\"><code>{}</code>", pair.code, pair.code);
    assert!(referrer.contains(&code), "{referrer}");
    let referee = page(t, &format!("/{}", pair.referee)).await;
    for part in [
        ">ann-referrer</a>",
        "with <code>",
        "https://dashboard.stripe.com/customers/cus_ann",
        "They have no code yet.",
    ] {
        assert!(referee.contains(part), "{part}: {referee}");
    }
    assert!(referee.contains("was referred") && referee.contains("<code>cus_ann</code>"));
    let other = page(t, &format!("/{}", t.customer("zoe").await)).await;
    assert!(other.contains("no credit yet") && other.contains("They have brought nobody"));
}

async fn a_customer_is_created_once(t: &Bench) {
    let list = look(&t.owner, &place(t, "")).send().await;
    let once = hidden(&list, "once");
    let fields = [
        ("once", once.as_str()),
        ("email", " Grace@Example.com "),
        ("name", "Grace"),
        ("externalId", ""),
        ("stripeCustomerId", "cus_grace"),
    ];
    let made = led(&send(&t.owner, &place(t, ""), &fields).await).to_owned();
    assert!(made.contains("/customers/pc_"), "{made}");
    let shown = look(&t.owner, &made).send().await;
    assert!(shown.text.contains(">Grace</h1>") && shown.text.contains("grace@example.com"));
    let again = send(&t.owner, &place(t, ""), &fields).await;
    assert_eq!(again.status, 200);
    assert!(
        again.text.contains("Already done") && again.text.contains(&made),
        "{again:?}"
    );
    // Another form with the same address is refused, as it was typed.
    let once = hidden(&look(&t.owner, &place(t, "")).send().await, "once");
    let fields = [
        ("once", once.as_str()),
        ("email", "grace@example.com"),
        ("name", "Other"),
    ];
    let refused = send(&t.owner, &place(t, ""), &fields).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text.contains("value=\"Other\"") && refused.text.contains("role=\"alert\""));
    let once = hidden(&refused, "once");
    let fields = [("once", once.as_str()), ("email", "nobody")];
    let refused = send(&t.owner, &place(t, ""), &fields).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(t.count("customers").await, 1);
}

fn place(t: &Bench, rest: &str) -> String {
    format!("/t/{}/p/{}/customers{rest}", t.home.team, t.home.project)
}

async fn once(t: &Bench, id: &str) -> String {
    hidden(
        &look(&t.owner, &place(t, &format!("/{id}"))).send().await,
        "once",
    )
}

async fn a_customer_is_edited_and_linked(t: &Bench) {
    let id = t.customer("ann").await;
    t.customer("bob").await;
    let path = place(t, &format!("/{id}"));
    let once = once(t, &id).await;
    let form = |email, name, stripe| {
        [
            ("once", once.as_str()),
            ("email", email),
            ("name", name),
            ("externalId", "user-7"),
            ("stripeCustomerId", stripe),
        ]
    };
    for (email, stripe, part) in [
        ("nonsense", "", "email-error"),
        ("", "", "email-error"),
        ("ann@example.com", "nonsense", "stripeCustomerId-error"),
        ("bob@example.com", "", "role=\"alert\""),
    ] {
        let wrong = send(&t.owner, &path, &form(email, "Ann", stripe)).await;
        assert_eq!(wrong.status, 400, "{email} {stripe}");
        assert!(
            wrong.text.contains(part),
            "{email} {stripe}: {}",
            wrong.text
        );
        assert!(wrong.text.contains("value=\"user-7\""));
    }
    let fields = form("ann@example.org", "\"><img src=x>", "cus_ann");
    assert_eq!(
        led(&send(&t.owner, &path, &fields).await),
        format!("{path}?done=changed")
    );
    let again = send(&t.owner, &path, &fields).await;
    assert!(again.text.contains("Already done"), "{}", again.text);
    let now = t.key.get(&format!("customers/{id}")).await.ok()["customer"].take();
    assert_eq!(
        (&now["email"], &now["externalId"], &now["stripeCustomerId"]),
        (
            &json!("ann@example.org"),
            &json!("user-7"),
            &json!("cus_ann")
        )
    );
    let shown = page(t, &format!("/{id}")).await;
    assert!(
        shown.contains("<code>cus_ann</code>") && !shown.contains("<img src=x"),
        "{shown}"
    );
    // What is emptied is taken away.
    let fresh = self::once(t, &id).await;
    let fields = [
        ("once", fresh.as_str()),
        ("email", "ann@example.org"),
        ("name", ""),
    ];
    led(&send(&t.owner, &path, &fields).await);
    let now = t.key.get(&format!("customers/{id}")).await.ok()["customer"].take();
    assert_eq!(
        (&now["name"], &now["externalId"]),
        (&json!(null), &json!(null))
    );
}

async fn a_person_is_erased_once_their_address_is_typed(t: &Bench) {
    let id = t.customer("ann").await;
    let path = place(t, &format!("/{id}/erase"));
    let once = once(t, &id).await;
    for typed in ["", "bob@example.com"] {
        let fields = [("once", once.as_str()), ("address", typed)];
        let wrong = send(&t.owner, &path, &fields).await;
        assert_eq!(wrong.status, 400, "{typed}");
        assert!(
            wrong.text.contains("address-error"),
            "{typed}: {}",
            wrong.text
        );
    }
    t.key.get(&format!("customers/{id}")).await.ok();
    let fields = [("once", once.as_str()), ("address", " Ann@Example.com ")];
    let erased = send(&t.owner, &path, &fields).await;
    assert_eq!(led(&erased), place(t, "?done=erased"));
    assert!(
        page(t, "?done=erased")
            .await
            .contains("The person is erased.")
    );
    assert!(
        !page(t, "?done=anything")
            .await
            .contains("role=\"status\">The")
    );
    t.key
        .get(&format!("customers/{id}"))
        .await
        .refused("customer_not_found");
    // Nothing of them is left in what the form was answered.
    assert!(!t.dump().await.contains("ann@example.com"));
}

async fn their_own_page_is_looked_at_and_nothing_else(t: &Bench) {
    let pair = t.pair("ann").await;
    t.apply(&pair).await;
    let viewer = t.member(Role::Viewer).await;
    let page = look(&viewer, &place(t, &format!("/{}", pair.referrer)))
        .send()
        .await;
    let fields = [("once", &*hidden(&page, "once"))];
    let path = place(t, &format!("/{}/portal", pair.referrer));
    let way = send(&viewer, &path, &fields).await;
    assert_eq!(way.status, 200, "{way:?}");
    let (_, url) = way.text.split_once("href=\"http").expect("a link");
    let url = url.split('"').next().expect("an address");
    let path_in = url.split_once("/portal/enter/").expect("a ticket").1;
    let entered = look(&t.nobody, &format!("/portal/enter/{path_in}"))
        .send()
        .await;
    let cookie = entered.header("set-cookie").expect("a session").to_owned();
    let cookie = cookie.split(';').next().expect("a cookie");
    let own = t
        .nobody
        .call(reqwest::Method::GET, "/portal")
        .header("cookie", cookie)
        .send()
        .await;
    assert_eq!(own.status, 200, "{own:?}");
    assert!(own.text.contains(&pair.code), "{}", own.text);
    let again = send(&viewer, &path, &fields).await;
    assert!(again.text.contains("Already done"), "{}", again.text);
}

async fn a_statement_is_a_file(t: &Bench) {
    let pair = t.pair("ann").await;
    t.apply(&pair).await;
    t.subscribe(&pair).await;
    let shown = page(t, &format!("/{}", pair.referrer)).await;
    let path = format!("customers/{}/credit-statement/export", pair.referrer);
    assert!(
        shown.contains(&format!("{path}?format=spreadsheet")),
        "{shown}"
    );
    let file = t.owner.get(&format!("{path}?format=spreadsheet")).await;
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let name = format!(
        "attachment; filename=\"statement-{}-home-all-utc.csv\"",
        pair.referrer
    );
    assert_eq!(file.header("content-disposition"), Some(name.as_str()));
    let lines: Vec<_> = file.text.lines().collect();
    assert!(
        lines[0].starts_with("\u{feff}createdAt,")
            && lines[0].ends_with(",amountDecimal,balanceDecimal")
    );
    assert_eq!(lines.len(), 2, "{}", file.text);
    assert!(
        lines[1].contains(",usd,program,customer,1000,1000,1000,")
            && lines[1].ends_with(",10.00,10.00"),
        "{}",
        lines[1]
    );
    let json = t.owner.get(&format!("{path}?format=ndjson")).await;
    let line: serde_json::Value = serde_json::from_str(json.text.trim()).expect("a line");
    assert_eq!(
        (&line["balance"], &line["currency"]),
        (&json!(1000), &json!("usd"))
    );
    t.key
        .get("customers/pc_none/credit-statement/export")
        .await
        .refused("customer_not_found");
}

async fn a_viewer_changes_nobody(t: &Bench) {
    let id = t.customer("ann").await;
    let viewer = t.member(Role::Viewer).await;
    let form = look(&viewer, &place(t, &format!("/{id}"))).send().await;
    for part in [
        "This is for owners, admins and members of the team. You are a viewer.",
        "<fieldset class=\"shut\" disabled>",
    ] {
        assert!(form.text.contains(part), "{part}: {}", form.text);
    }
    let fields = [
        ("once", &*hidden(&form, "once")),
        ("email", "x@example.com"),
        ("address", "ann@example.com"),
    ];
    for rest in ["", "/erase"] {
        let refused = send(&viewer, &place(t, &format!("/{id}{rest}")), &fields).await;
        assert_eq!(refused.status, 403);
    }
    t.key.get(&format!("customers/{id}")).await.ok();
}

async fn a_form_undoes_nothing_that_others_changed(t: &Bench) {
    let id = t.customer("ann").await;
    let path = place(t, &format!("/{id}"));
    let opened = look(&t.owner, &path).send().await;
    let theirs = json!({"name": "Ann", "stripeCustomerId": "cus_ann"});
    t.key.patch(&format!("customers/{id}"), theirs).await.ok();
    let typed = |name: &'static str| {
        [
            ("email", "ann@example.com"),
            ("name", name),
            ("externalId", "user-7"),
            ("stripeCustomerId", ""),
        ]
    };
    // What both changed is not overwritten unseen.
    let fields = [hidden_fields(&opened), typed("Bea").to_vec()].concat();
    let late = send(&t.owner, &path, &fields).await;
    assert_eq!(late.status, 400, "{late:?}");
    assert!(
        late.text.contains("name-error") && late.text.contains("“Ann”"),
        "{late:?}"
    );
    assert_eq!(customer(t, &id).await["externalId"], json!(null));
    let again = [hidden_fields(&late), typed("Bea").to_vec()].concat();
    assert_eq!(
        led(&send(&t.owner, &path, &again).await),
        format!("{path}?done=changed")
    );
    let now = customer(t, &id).await;
    assert_eq!(
        (&now["name"], &now["externalId"], &now["stripeCustomerId"]),
        (&json!("Bea"), &json!("user-7"), &json!("cus_ann"))
    );
    // What is emptied is taken away.
    let opened = look(&t.owner, &path).send().await;
    let fields = [hidden_fields(&opened), typed("").to_vec()].concat();
    led(&send(&t.owner, &path, &fields).await);
    assert_eq!(customer(t, &id).await["name"], json!(null));
}

async fn customer(t: &Bench, id: &str) -> serde_json::Value {
    t.key.get(&format!("customers/{id}")).await.ok()["customer"].take()
}
