//! Every page of the table, light and dark, wide and narrow: nothing to complain of.

use billstack::routes::for_people;
use billstack_core::access::Role;
use fake_stripe::{EventOptions, thin_event};
use reqwest::Method;
use serde_json::json;

use super::{at, sign_in, with_browser};
use crate::axe;
use crate::chromium::{Chromium, Options};
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::{Tenant, text};
use crate::support::receiver::Receiver;

const WIDTHS: [u32; 4] = [1280, 960, 360, 320];
const THEMES: [&str; 2] = ["light", "dark"];

/// A change of the program that is looked at before it is saved.
const LOOKED_AT: &str = "look=yes&enabled=on&referrerCreditAmount=12.00&refereeCreditAmount=5.00&currency=usd\
    &conversionTrigger=subscription_created&minimumPaidAmount=0.00&referralExpiryDays=&creditDelivery=ledger\
    &creditDescription=Referral+credit&holdDays=0&clawback=none&clawbackWindowDays=180&clawbackApplied=unused_only\
    &maxConversionsTotal=&maxConversionsPerMonth=&budget=";

#[test]
fn pages_of_members_have_no_fault() {
    let inner = Setup {
        settings: |args| args.webhook_allowed_networks = Some("127.0.0.0/8".to_owned()),
        ..Setup::default()
    };
    with_browser(inner, Options::default(), async |t, browser| {
        let receiver = Receiver::start().await;
        let body = json!({"url": receiver.url(), "description": "The CRM"});
        let made = t.key.post("webhook-endpoints", body).await.created();
        let endpoint = text(&made["endpoint"]["id"]);
        let pair = t.pair("walk").await;
        let referral = text(&t.apply(&pair).await["id"]);
        t.subscribe(&pair).await;
        let (second, _) = t
            .project("A second project with a name that is longer than most others")
            .await;
        receiver.wait_for(5).await;
        let sent = format!("webhook-endpoints/{endpoint}/deliveries");
        let sent = text(&t.key.get(&sent).await.ok()["deliveries"][0]["id"]);
        let credit = text(&t.credits().await[0]["id"]);
        let events = t.owner.get(&t.home.path("stripe/events")).await.ok();
        let event = text(&events["events"][0]["id"]);
        let settle = [
            ("move", "settle"),
            ("reason", "Paid out"),
            ("pick", &credit),
        ];
        let moved = report(t, "credits/move", &settle).await;
        let checked = report(t, "referrals", &[("pick", &referral)]).await;
        needs_somebody(t).await;
        let ids = [
            ("/deliveries/{id}", sent.as_str()),
            ("/credits/moved/{id}", moved.as_str()),
            ("/referrals/checked/{id}", checked.as_str()),
            ("/credits/{id}", credit.as_str()),
            ("/stripe/events/{id}", event.as_str()),
            ("/referrals/{id}", referral.as_str()),
            ("/customers/{id}", pair.referee.as_str()),
            ("/codes/{id}", pair.code.as_str()),
            ("/reports/{id}", "2026-03"),
            ("/go/{id}", referral.as_str()),
        ];
        let paths = all(&t.home, &ids).into_iter();
        let mut paths: Vec<_> = paths
            .map(|path| {
                path.replace("{endpointId}", &endpoint)
                    .replace("{ticket}", "none")
            })
            .collect();
        paths.push("/find?q=nothing".to_owned());
        paths.push(format!("/t/{}/p/{second}/start", t.home.team));
        for path in &paths {
            assert!(!path.contains('{'), "{path}: every page has a sample");
        }
        paths.push("/account?done=theme".to_owned());
        let project = format!("/t/{}/p/{}", t.home.team, t.home.project);
        paths.push(format!("{project}/codes/{}?ask=deactivate", pair.code));
        paths.push(format!(
            "{project}?metric=credited_usd&from=2026-01-01&by=week"
        ));
        paths.push(format!(
            "{project}/credits/move?move=reverse&picked={credit}"
        ));
        paths.push(format!("{project}/program?{LOOKED_AT}"));
        paths.push(format!("{project}/customers?done=erased"));
        paths.push("/no/such/page".to_owned());
        paths.push(format!("/t/{}?cursor=x", t.home.team));
        sign_in(t, browser, &t.home).await;
        walk(t, browser, &paths).await;
    });
}

#[test]
fn pages_of_viewers_have_no_fault() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let pair = t.pair("walk").await;
        t.apply(&pair).await;
        t.subscribe(&pair).await;
        let (_, waiting) = t.pending("waiting").await;
        let credit = text(&t.credits().await[0]["id"]);
        let viewer = t.member(Role::Viewer).await;
        browser.goto(&at(t, "/sign-in")).await;
        browser.keep(&viewer.cookie).await;
        let project = format!("/t/{}/p/{}", t.home.team, t.home.project);
        let paths = [
            "/referrals",
            &format!("/referrals/{waiting}"),
            "/credits",
            &format!("/credits/{credit}"),
            "/reports/bookings",
            "/reports/9999-11",
        ];
        walk(t, browser, &paths.map(|path| format!("{project}{path}"))).await;
    });
}

#[test]
fn pages_of_nobody_have_no_fault() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        browser.goto(&at(t, "/sign-in")).await;
        let paths = ["/sign-in".to_owned(), "/no/such/page".to_owned()];
        walk(t, browser, &paths).await;
    });
}

#[test]
fn the_set_up_has_no_fault() {
    let setup = Setup {
        empty: true,
        ..Setup::default()
    };
    with_browser(setup, Options::default(), async |t, browser| {
        browser.goto(&at(t, "/sign-in")).await;
        walk(t, browser, &["/setup".to_owned()]).await;
    });
}

#[test]
fn a_form_with_a_fault_has_no_other() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        browser.goto(&at(t, "/sign-in")).await;
        browser
            .run("document.querySelector('form').noValidate = true")
            .await;
        browser.type_into("#email", "nobody").await;
        browser.click("main button").await;
        browser.find("#email-error").await;
        let faults = axe::violations(browser).await;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        browser.picture("fault").await;
    });
}

/// A check that sees nothing would pass everything.
#[test]
fn the_walk_sees_what_is_wrong() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        browser.goto(&at(t, "/sign-in")).await;
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        browser
            .run("document.body.setAttribute('style', 'color: red')")
            .await;
        let seen = browser.complaints().await;
        assert!(
            seen.iter().any(|text| text.contains("style-src")),
            "{seen:?}"
        );
        browser
            .run("const image = document.createElement('img'); image.src = 'https://evil.invalid/x.png'; \
                  document.body.append(image)")
            .await;
        let found = axe::violations(browser).await;
        assert!(
            found.iter().any(|text| text.starts_with("image-alt")),
            "{found:?}"
        );
        let seen = browser.complaints().await;
        assert!(seen.iter().any(|text| text.contains("img-src")), "{seen:?}");
    });
}

/// Sends the form of a list, and returns the name of the page that tells what became of each.
async fn report(t: &Bench, list: &str, fields: &[(&str, &str)]) -> String {
    let path = format!("/t/{}/p/{}/{list}", t.home.team, t.home.project);
    let once = "0123456789abcdef".repeat(2);
    let fields = [&[("once", once.as_str())], fields].concat();
    let answer = t.owner.call(Method::POST, &path).form(&fields).send().await;
    let place = answer.header("location").expect("a place");
    place.rsplit('/').next().expect("a name").to_owned()
}

/// Lets two lines need somebody: an event that cannot be read, and calls with a wrong signature.
async fn needs_somebody(t: &Bench) {
    let options = EventOptions::at(t.seconds());
    let event = thin_event("customer.subscription.created", "sub_x", None, &options);
    t.accept(&event).await;
    let call = t.nobody.call(Method::POST, &t.webhook());
    let signature = format!("t={},v1={}", t.seconds(), "0".repeat(64));
    let call = call.header("stripe-signature", &signature);
    let refused = call.body("application/json", "{}").send().await;
    assert_eq!(refused.status, 400);
}

/// The path of every page that can be looked at, in the home of this tenant, and of these ids.
fn all(tenant: &Tenant, ids: &[(&str, &str)]) -> Vec<String> {
    let pages = for_people().into_iter();
    let pages = pages.filter(|route| route.method == Method::GET);
    let filled = pages.map(|route| {
        let path = route.path.replace("{teamId}", &tenant.team);
        let path = path.replace("{projectId}", &tenant.project);
        let of_one = ids.iter().find(|(end, _)| path.ends_with(end));
        match of_one {
            Some((_, id)) => path.replace("{id}", id),
            None => path,
        }
    });
    filled.collect()
}

async fn walk(t: &Bench, browser: &Chromium, paths: &[String]) {
    let mut faults = Vec::new();
    for theme in THEMES {
        browser.keep(&format!("billstack_theme={theme}")).await;
        for width in WIDTHS {
            browser.wide(width).await;
            for path in paths {
                browser.goto(&at(t, path)).await;
                let place = format!("{path} {theme} {width}");
                for fault in look(t, browser, path).await {
                    faults.push(format!("{place}: {fault}"));
                }
                let name = name_of(path, &t.home);
                // A file cannot be called by all of a long query.
                let name: String = name.chars().take(120).collect();
                let name = format!("{name}.{theme}.{width}");
                browser.whole_picture(&name, width).await;
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a picture of a page is called.
fn name_of(path: &str, tenant: &Tenant) -> String {
    let known = [(&tenant.team, "team"), (&tenant.project, "project")];
    let known = known.into_iter().filter(|(id, _)| !id.is_empty());
    let name = known.fold(path.to_owned(), |name, (id, word)| name.replace(id, word));
    name.replace(['/', '?', '='], "_")
}

async fn look(t: &Bench, browser: &Chromium, path: &str) -> Vec<String> {
    let mut faults = browser.warnings().await;
    // The status of the page itself is told as a failure to load.
    let refusals = ["cursor=x", "/reports/9999-11"];
    let is_refusal = path.starts_with("/no/") || refusals.iter().any(|end| path.ends_with(end));
    if is_refusal {
        faults.retain(|fault| !fault.contains("Failed to load resource"));
    }
    let wide = browser
        .run("return [document.documentElement.scrollWidth, innerWidth]")
        .await;
    if wide[0].as_i64() > wide[1].as_i64() {
        faults.push(format!("scrolls sideways: {wide}"));
    }
    let foreign = "return performance.getEntriesByType('resource').map(entry => entry.name)\
        .filter(name => !name.startsWith(location.origin + '/'))";
    if browser.run(foreign).await != json!([]) {
        faults.push("asks another origin".to_owned());
    }
    faults.extend(axe::violations(browser).await);
    assert!(
        browser.source().await.contains("<main"),
        "{path}: {}",
        t.home.team
    );
    faults
}
