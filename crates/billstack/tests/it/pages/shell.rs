//! The bar and the tabs, which every page has.

use billstack_core::access::Role;

use super::look;
use crate::support::bench::Bench;
use crate::support::client::CookieClient;

on_both_engines! {
    every_tab_leads_to_a_page_that_its_reader_may_open,
    the_bar_leads_to_other_projects_and_teams,
}

/// The addresses that a part of a page leads to.
fn links(text: &str, from: &str, to: &str) -> Vec<String> {
    let (_, part) = text.split_once(from).expect("its beginning");
    let (part, _) = part.split_once(to).expect("its end");
    let links = part.split("href=\"").skip(1);
    let links = links.filter_map(|link| link.split('"').next());
    links.map(str::to_owned).collect()
}

async fn tabs(client: &CookieClient, path: &str) -> Vec<String> {
    let page = look(client, path).send().await;
    links(&page.text, "<nav class=\"tabs\"", "</nav>")
}

async fn every_tab_leads_to_a_page_that_its_reader_may_open(t: &Bench) {
    let team = format!("/t/{}", t.home.team);
    let project = format!("{team}/p/{}", t.home.project);
    let viewer = t.member(Role::Viewer).await;
    for client in [&t.owner, &viewer] {
        for place in [&team, &project] {
            let found = tabs(client, place).await;
            assert!(found.contains(place), "{found:?}");
            for tab in found {
                let page = look(client, &tab).send().await;
                assert_eq!(page.status, 200, "{tab}: {page:?}");
                let marks = page.text.matches("aria-current=\"page\"").count();
                assert_eq!(marks, 1, "{tab}");
            }
        }
    }
}

async fn the_bar_leads_to_other_projects_and_teams(t: &Bench) {
    let (second, _) = t.project("Second").await;
    let team = format!("/t/{}", t.home.team);
    let page = look(&t.owner, &format!("{team}/p/{second}")).send().await;
    assert!(page.text.contains("<title>Overview · Second</title>"));
    let found = links(&page.text, "<details class=\"menu switch\"", "</details>");
    let first = format!("{team}/p/{}", t.home.project);
    for place in [first, format!("{team}/p/{second}"), team, "/t".to_owned()] {
        assert!(found.contains(&place), "{place}: {found:?}");
    }
    let stranger = t.tenant("stranger").await;
    let page = look(&stranger.owner, &format!("/t/{}", stranger.team));
    let found = links(
        &page.send().await.text,
        "<details class=\"menu switch\"",
        "</details>",
    );
    assert!(
        found.iter().all(|place| !place.contains(&t.home.team)),
        "{found:?}"
    );
}
