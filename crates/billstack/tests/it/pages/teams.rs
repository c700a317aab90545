//! `/t`, `/t/{teamId}` and `/t/{teamId}/p/{projectId}`.

use billstack_core::access::Role;
use billstack_store::projects;

use super::{hidden, led, look, send};
use crate::support::bench::Bench;
use crate::support::client::{Caller, CookieClient};

on_both_engines! {
    a_team_is_made_once_however_often_its_form_is_sent,
    two_of_one_form_at_once_make_one_team,
    a_form_with_a_fault_comes_back_as_typed,
    admins_make_projects_and_others_are_told_why_not,
    older_projects_are_behind_a_link,
    a_project_shows_what_it_promises,
    whoever_comes_back_is_where_they_were,
    nothing_of_a_name_is_markup,
}

async fn a_team_is_made_once_however_often_its_form_is_sent(t: &Bench) {
    let page = look(&t.owner, "/t").send().await;
    let once = hidden(&page, "once");
    let fields = [
        ("once", once.as_str()),
        ("team", "Acme"),
        ("project", "App"),
    ];
    let made = send(&t.owner, "/t", &fields).await;
    let place = led(&made).to_owned();
    assert!(place.starts_with("/t/team_") && place.ends_with("/start"));
    let teams = t.count("teams").await;
    let again = send(&t.owner, "/t", &fields).await;
    assert_eq!(again.status, 200, "{again:?}");
    assert!(again.text.contains("Already done"));
    assert!(again.text.contains(&format!("href=\"{place}\"")));
    assert_eq!(t.count("teams").await, teams);
    let shown = look(&t.owner, &place).send().await;
    assert!(shown.text.contains("<title>Start · App</title>"));
    let other = hidden(&look(&t.owner, "/t").send().await, "once");
    assert_ne!(other, once);
}

async fn two_of_one_form_at_once_make_one_team(t: &Bench) {
    let (once, teams) = ("ab".repeat(16), t.count("teams").await);
    let calls = (0..8).map(|_| {
        let (owner, once) = (t.owner.clone(), once.clone());
        async move {
            let fields = [
                ("once", once.as_str()),
                ("team", "Acme"),
                ("project", "App"),
            ];
            send(&owner, "/t", &fields).await.status
        }
    });
    let mut statuses = Bench::at_once(calls).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 303]);
    assert_eq!(t.count("teams").await, teams + 1);
}

async fn a_form_with_a_fault_comes_back_as_typed(t: &Bench) {
    let before = t.dump().await;
    let long = "x".repeat(256);
    let once = "ab".repeat(16);
    for (field, fields) in [
        (
            "project",
            [
                ("once", once.as_str()),
                ("team", "Acme & Co"),
                ("project", ""),
            ],
        ),
        (
            "project",
            [
                ("once", once.as_str()),
                ("team", "Acme & Co"),
                ("project", long.as_str()),
            ],
        ),
    ] {
        let page = send(&t.owner, "/t", &fields).await;
        assert_eq!(page.status, 400, "{page:?}");
        assert!(page.text.contains("value=\"Acme &amp; Co\""));
        assert!(
            page.text.contains(&format!("id=\"{field}-error\"")),
            "{page:?}"
        );
    }
    for once in ["", "short", "zz"] {
        let fields = [("once", once), ("team", "Acme"), ("project", "App")];
        let page = send(&t.owner, "/t", &fields).await;
        assert_eq!(page.status, 400, "{page:?}");
        assert!(page.text.contains("role=\"alert\""));
    }
    let json = t.owner.call(reqwest::Method::POST, "/t");
    let json = json.body("application/json", "{}").send().await;
    assert_eq!(json.status, 415);
    assert_eq!(t.dump().await, before);
}

async fn admins_make_projects_and_others_are_told_why_not(t: &Bench) {
    let path = format!("/t/{}", t.home.team);
    let page = look(&t.owner, &path).send().await;
    let once = hidden(&page, "once");
    let fields = [("once", once.as_str()), ("name", "Second"), ("test", "yes")];
    let made = send(&t.owner, &path, &fields).await;
    let shown = look(&t.owner, led(&made)).send().await;
    assert!(shown.text.contains("This is a test project"), "{shown:?}");
    // The bar of every page says so.
    for rest in ["", "/codes", "/program", "/start"] {
        let page = look(
            &t.owner,
            &format!("{}{rest}", led(&made).trim_end_matches("/start")),
        );
        let page = page.send().await;
        let (bar, _) = page.text.split_once("</header>").expect("a bar");
        assert!(
            bar.contains("<span class=\"badge test\">test</span>"),
            "{bar}"
        );
        assert!(bar.contains("/ Second, a test project\""), "{bar}");
    }
    let list = look(&t.owner, &path).send().await;
    assert!(list.text.contains(">Second</a>") && list.text.contains(">test</span>"));
    let viewer = t.member(Role::Viewer).await;
    let page = look(&viewer, &path).send().await;
    assert!(
        page.text.contains("<fieldset class=\"shut\" disabled>"),
        "{page:?}"
    );
    assert!(
        page.text
            .contains("This is for owners and admins of the team. You are a viewer.")
    );
    assert_eq!(send(&viewer, &path, &fields).await.status, 403);
}

async fn older_projects_are_behind_a_link(t: &Bench) {
    let path = format!("/t/{}", t.home.team);
    for number in 0..55 {
        t.advance(1_000);
        let team = t.home.team_id();
        t.write(move |tx, act| projects::create(tx, act, &team, &format!("No {number}.")))
            .await;
    }
    let first = look(&t.owner, &path).send().await;
    assert!(first.text.contains(">No 54.</a>") && !first.text.contains(">No 2.</a>"));
    let (_, older) = first.text.split_once("href=\"").expect("links");
    let mut links = older
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next());
    let older = links
        .find(|link| link.contains("?cursor="))
        .expect("a link");
    let second = look(&t.owner, older).send().await;
    // The bar above names the newest on every page.
    let (_, shown) = second.text.split_once("<main").expect("a page");
    assert!(shown.contains(">No 2.</a>") && !shown.contains(">No 54.</a>"));
    assert!(second.text.contains(">Newest</a>"));
    let wrong = look(&t.owner, &format!("{path}?cursor=x")).send().await;
    assert_eq!(wrong.status, 400);
    // What others add to an address does no harm.
    let tagged = look(&t.owner, &format!("{path}?utm_source=mail"));
    assert_eq!(tagged.send().await.status, 200);
}

async fn a_project_shows_what_it_promises(t: &Bench) {
    let path = format!("/t/{}/p/{}", t.home.team, t.home.project);
    let page = look(&t.owner, &path).send().await;
    assert!(page.text.contains(">Off</span>"), "{page:?}");
    t.program(123_456, 500).await;
    let page = look(&t.owner, &path).send().await;
    assert!(page.text.contains(">On</span>"));
    for text in [
        "1,234.56 USD",
        "5.00 USD",
        &t.home.project,
        "/start#programs\"",
    ] {
        assert!(page.text.contains(text), "{text}");
    }
    let absent = look(&t.owner, &format!("/t/{}/p/proj_x", t.home.team));
    assert_eq!(absent.send().await.status, 404);
}

async fn whoever_comes_back_is_where_they_were(t: &Bench) {
    let path = format!("/t/{}/p/{}", t.home.team, t.home.project);
    let page = look(&t.owner, &path).send().await;
    let cookie = page.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair");
    let back = |session: &CookieClient| {
        let both = format!("{}; {cookie}", session.cookie);
        look(&CookieClient::new(session.wire(), &both), "/").send()
    };
    assert_eq!(led(&back(&t.owner).await), path);
    // Somebody else in the same browser.
    let stranger = t.tenant("stranger").await;
    assert_eq!(led(&back(&stranger.owner).await), "/t");
    assert_eq!(led(&look(&t.owner, "/").send().await), "/t");
}

async fn nothing_of_a_name_is_markup(t: &Bench) {
    let canary = "\"><img src=x onerror=alert(1)>";
    let once = "cd".repeat(16);
    let fields = [
        ("once", once.as_str()),
        ("team", canary),
        ("project", canary),
    ];
    let made = send(&t.owner, "/t", &fields).await;
    let place = led(&made).to_owned();
    let team = place.split("/p/").next().expect("a team");
    for path in ["/t", team, &place] {
        let page = look(&t.owner, path).send().await;
        assert!(!page.text.contains("<img src=x"), "{page:?}");
        assert!(page.text.contains("&lt;img src=x"), "{page:?}");
    }
}
