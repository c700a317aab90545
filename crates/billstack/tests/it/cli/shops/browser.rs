//! The shops in a browser: from a share link to the row of the friend who came by it.

use serde_json::json;

use super::{Stage, express, fastapi, next};
use crate::chromium::{Chromium, Options};

const FRAME: &str =
    "document.querySelector('billstack-referrals')?.shadowRoot?.querySelector('iframe')";

#[test]
fn the_shop_in_fastapi_shows_who_came() {
    drive(&Stage::set_up(fastapi()), "fastapi");
}

#[test]
fn the_shop_in_express_shows_who_came() {
    drive(&Stage::set_up(express()), "express");
}

#[test]
fn the_shop_in_next_shows_who_came() {
    drive(&Stage::set_up(next()), "next");
}

fn drive(stage: &Stage, name: &str) {
    // An origin of plain HTTP can be allowed under this name alone.
    let shop = stage.shop.url.replace("127.0.0.1", "localhost");
    stage.land(&shop);
    let allowed = json!({"allowedOrigins": ["http://localhost:*"]});
    stage.world.send("PUT", "/portal/settings", &allowed);

    let (ada, link) = stage.runtime.block_on(async {
        let ada = Chromium::start(Options::default()).await;
        ada.goto(&format!("{shop}/sign-up")).await;
        sign_up(&ada, "Ada").await;
        let link = until_seen(&ada, "Recommend us: http").await;
        let link = link.lines().find_map(|line| line.split_once("us: "));
        (ada, link.expect("a link").1.to_owned())
    });
    let (grace, checkout) = stage.runtime.block_on(async {
        let grace = Chromium::start(Options::default()).await;
        let checkout = come_and_buy(&grace, &shop, &link).await;
        (grace, checkout)
    });
    stage.complete(&checkout);
    stage.runtime.block_on(async {
        grace.goto(&format!("{shop}/account")).await;
        until_seen(&grace, "You have earned 5.00 USD").await;
        grace.quit().await;
        ada.refresh().await;
        until_seen(&ada, "You have earned 10.00 USD").await;
        until_seen(&ada, "You have 10.00 USD").await;
        let is_shown = format!("return parseInt({FRAME}?.style.height) > 100");
        ada.until(&is_shown, json!(true)).await;
        ada.picture(&format!("shop.{name}")).await;
        ada.enter_frame(&format!("return {FRAME}")).await;
        let friends = "return document.body.innerText.includes('G…')";
        ada.until(friends, json!(true)).await;
        assert_eq!(ada.complaints().await, Vec::<String>::new());
        ada.quit().await;
    });
    stage.world.place.run(&["verify"]).ok();
}

/// Follows a link, signs up after a look around, and goes to the checkout. Returns where that is.
async fn come_and_buy(browser: &Chromium, shop: &str, link: &str) -> String {
    browser.goto(link).await;
    let code = browser.path().await;
    let code = code.strip_prefix("/sign-up?ref=").expect("a code");
    // No script sees what the server keeps.
    assert_eq!(browser.run("return document.cookie").await, json!(""));
    browser.goto(&format!("{shop}/sign-up")).await;
    assert_eq!(browser.find("[name=code]").await.value().await, code);
    sign_up(browser, "Grace").await;
    until_seen(browser, "Recommend us: http").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.click("form button").await;
    until_at(browser, "https://checkout.stripe.test/").await
}

/// Waits until it is at an address that begins like this, whether it can be reached or not. Returns the whole of it.
async fn until_at(browser: &Chromium, begin: &str) -> String {
    for _ in 0..400 {
        let url = browser.driver.get("/url").await.expect("an address");
        let url = url.as_str().unwrap_or_default();
        if url.starts_with(begin) {
            return url.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not at {begin}: {}", browser.source().await);
}

async fn sign_up(browser: &Chromium, name: &str) {
    browser.type_into("[name=name]", name).await;
    let email = format!("{name}@shop.example");
    browser.type_into("[name=email]", &email).await;
    browser.click("form button").await;
    browser.arrive("/account").await;
}

/// Looks at the page again until it shows this. Returns all that it shows.
async fn until_seen(browser: &Chromium, text: &str) -> String {
    for _ in 0..200 {
        let page = browser.text_of("body").await;
        if page.contains(text) {
            return page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        browser.refresh().await;
    }
    panic!("no {text:?} in {}", browser.source().await);
}
