//! Share links beside a server that ends and a database that says nothing.

use scratch_postgres::{Cluster, Proxy};
use serde_json::json;

use super::{Caller, Place, Server, World, runtime, sleep};
use crate::support::database;

const BROWSER: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n";

/// Opens a program whose links lead somewhere, and answers a code.
async fn open(caller: &Caller) -> String {
    let code = caller.open().await;
    let body = json!({"enabled": true, "landingUrl": "https://example.com/hi"});
    let put = caller.put("links/settings", body).await;
    put.expect("links are set up");
    code
}

/// Where a link leads.
fn follow(server: &Server, path: &str) -> String {
    let answer = server.get_with(path, BROWSER);
    assert!(answer.starts_with("HTTP/1.1 302"), "{answer}");
    let lines = answer.lines();
    let mut targets = lines.filter_map(|line| line.strip_prefix("location: "));
    targets.next().expect("a target").to_owned()
}

#[test]
fn a_link_leads_on_while_the_database_says_nothing_and_its_token_counts_later() {
    let cluster = Cluster::shared();
    let proxy = Proxy::to(cluster.port()).expect("a proxy");
    let url = cluster.create_database("silent_links", None);
    let direct = format!(":{}/", cluster.port());
    let by_way = format!(":{}/", proxy.port());
    let url = url.expect("a database").replace(&direct, &by_way);
    let place = Place(database::directory());
    let mut world = World::new(place, vec![("DATABASE_URL".to_owned(), url.clone().into())]);
    let mut server = world.serve();
    let caller = world.caller(&server);
    let (code, target) = runtime().block_on(async {
        let code = open(&caller).await;
        let path = format!("/r/{code}?s=mail");
        follow(&server, &path);
        proxy.fall_silent();
        // What is known is older than it may be while the database answers.
        sleep(4_000).await;
        let target = follow(&server, &path);
        let wanted = format!("https://example.com/hi?ref={code}&ref_click=ct_");
        assert!(target.starts_with(&wanted), "{target}");
        // A code that nobody has heard of may be one.
        let unheard = follow(&server, "/r/NEVERSEEN");
        assert!(unheard.contains("ref=NEVERSEEN"), "{unheard}");
        (code, target)
    });
    assert_eq!(server.stop("-TERM"), Some(0));
    let url = url.replace(&by_way, &direct);
    world.settings = vec![("DATABASE_URL".to_owned(), url.into())];
    let mut server = world.serve();
    let caller = world.caller(&server);
    runtime().block_on(async {
        let (_, token) = target.split_once("ref_click=").expect("a token");
        let body = json!({"email": "grace@example.com"});
        let friend = caller.post("customers", "grace", body).await;
        let friend = &friend.expect("a customer")["customer"]["id"];
        let body = json!({"clickToken": token, "refereeCustomerId": friend});
        let applied = caller.post("referrals/apply", "apply", body).await;
        let referral = &applied.expect("a referral")["referral"];
        assert_eq!(referral["code"], code.as_str());
        assert_eq!(referral["attribution"]["source"], "click");
        assert_eq!(referral["attribution"]["channel"], "mail");
    });
    assert_eq!(server.stop("-TERM"), Some(0));
    world.verify();
}

#[test]
fn a_server_that_is_asked_to_stop_loses_no_click() {
    let world = World::new(Place(database::directory()), Vec::new());
    let mut server = world.serve();
    let caller = world.caller(&server);
    let code = runtime().block_on(open(&caller));
    for _ in 0..25 {
        follow(&server, &format!("/r/{code}"));
    }
    assert_eq!(server.stop("-TERM"), Some(0));
    // Nothing of a visitor is written to the log.
    let log = world.log();
    assert!(
        log.contains("/r/{code}") && !log.contains("Firefox"),
        "{log}"
    );
    let mut server = world.serve();
    let caller = world.caller(&server);
    runtime().block_on(async {
        let clicks = caller.get(&format!("referrals/codes/{code}/clicks")).await;
        assert_eq!(clicks.expect("clicks")["clicks"]["total"], 25);
    });
    assert_eq!(server.stop("-TERM"), Some(0));
    world.verify();
}
