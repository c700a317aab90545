//! The element, as pages make, change, move and remove it.

use serde_json::json;

use super::host::{FAILURE, Host};
use super::{HEIGHT, LONG, a_test, allow, dress, enter_shown};

/// Notes what elements say, and why.
const HEAR: &str = "window.told = []; for (const name of ['ready', 'error']) \
    addEventListener(`billstack-${name}`, ({type, detail}) => told.push(`${type} ${detail?.reason ?? ''}`.trim()))";

#[test]
fn an_element_can_be_changed_moved_and_removed() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        browser.goto(&host.url("")).await;
        enter_shown(browser).await;
        let is_sample = "return document.querySelector('.sample') !== null";
        assert_eq!(browser.run(is_sample).await, json!(false));
        browser.out_of_frames().await;
        for (change, sample) in [
            ("element.setAttribute('sample', '')", true),
            ("element.removeAttribute('sample')", false),
            ("element.removeAttribute('token-url')", true),
            ("element.setAttribute('token-url', '/token')", false),
            ("document.body.append(element)", false),
            (
                "const other = element.cloneNode(); element.replaceWith(other)",
                false,
            ),
        ] {
            let element = "const element = document.querySelector('billstack-referrals')";
            browser.run(&format!("{element}; {change}")).await;
            enter_shown(browser).await;
            browser.until(is_sample, json!(sample)).await;
            browser.out_of_frames().await;
        }
        // One that is gone asks for nothing more.
        let given = host.given().len();
        assert_eq!(given, 5);
        browser
            .run("document.querySelector('billstack-referrals').remove()")
            .await;
        browser
            .run("document.dispatchEvent(new Event('visibilitychange'))")
            .await;
        assert_eq!(host.given().len(), given);
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    });
}

#[test]
fn what_goes_wrong_is_told_and_tried_again() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        host.give_only(FAILURE);
        browser.goto(&host.url("sample=")).await;
        enter_shown(browser).await;
        browser.out_of_frames().await;
        browser.run(HEAR).await;
        let element = "document.querySelector('billstack-referrals')";
        browser
            .run(&format!("{element}.removeAttribute('sample')"))
            .await;
        let first = "return told[0] ?? null";
        browser
            .until(first, json!("billstack-error token-url answered 503"))
            .await;
        host.give_only("");
        enter_shown(browser).await;
        browser.out_of_frames().await;
        for (attribute, value, told) in [
            (
                "project",
                "x",
                "billstack-error project must be team_…/proj_…",
            ),
            (
                "project",
                "team_x/proj_x/../..",
                "billstack-error project must be team_…/proj_…",
            ),
        ] {
            browser.run("told.length = 0").await;
            dress(browser, &[(attribute, value)]).await;
            browser.until(first, json!(told)).await;
        }
        browser.run("told.length = 0").await;
        let place = format!("{}/{}", t.home.team, t.home.project);
        let elsewhere = format!("{}/token", t.nodes[0].origin);
        dress(browser, &[("project", &place), ("token-url", &elsewhere)]).await;
        let told = "return told.includes('billstack-error token-url must be of this origin')";
        browser.until(told, json!(true)).await;
        assert_eq!(browser.run(HEIGHT).await, json!(0));
    });
}
