//! `billstack import`: files of others, with every kind of dirt, more than once, and cut off in the middle.

mod beside;
mod dub;
mod others;
mod people;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use serde_json::{Value, json};

use super::{INIT, PASSWORD, Place, Ran, Server, finish};

/// A server with a program that is on, and the means to ask it.
struct Shop {
    place: Place,
    /// Where its database is, if that is no file beside it.
    database: Option<String>,
    server: Server,
    key: String,
    path: String,
}

impl Shop {
    fn new() -> Shop {
        Shop::on(None)
    }

    fn on(database: Option<String>) -> Shop {
        let place = Place::new();
        let made = finish(command(&place, database.as_deref(), &INIT), PASSWORD).ok();
        let made: Value = serde_json::from_str(&made).expect("JSON");
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        let path = format!(
            "/api/billstack/teams/{}/projects/{}",
            text("teamId"),
            text("projectId")
        );
        let serve = ["serve", "--listen", "127.0.0.1:0"];
        let shop = Shop {
            server: Server::start(command(&place, database.as_deref(), &serve)),
            place,
            database,
            key: text("apiKey"),
            path,
        };
        let program = json!({
            "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "currency": "usd",
        });
        assert!(
            shop.call("PUT", "/referrals/config", &program.to_string())
                .0
                .starts_with("HTTP/1.1 200")
        );
        shop
    }

    fn call(&self, method: &str, path: &str, body: &str) -> (String, Value) {
        let mut stream = TcpStream::connect(&self.server.address).expect("it listens");
        let request = format!(
            "{method} {}{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.path,
            self.server.address,
            self.key,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (
            head.to_owned(),
            serde_json::from_str(body).unwrap_or_default(),
        )
    }

    fn get(&self, path: &str) -> Value {
        self.call("GET", path, "").1
    }

    fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args), "")
    }

    fn command(&self, args: &[&str]) -> Command {
        command(&self.place, self.database.as_deref(), args)
    }

    /// Imports this text. Returns the exit code and the report.
    fn import(&self, format: &str, text: &str, more: &[&str]) -> (Option<i32>, Value) {
        std::fs::write(self.place.file("file"), text).expect("written");
        let args = [&["import", "file", "--format", format, "--json"], more].concat();
        let ran = self.run(&args);
        let report = serde_json::from_str(&ran.out());
        (
            ran.code(),
            report.unwrap_or_else(|_| panic!("{}", ran.err())),
        )
    }

    /// Rehearses the import of this text, and does it: both count the same. Returns the report of the rehearsal, and the
    /// exit code and the report of the import.
    fn rehearsed(&self, format: &str, text: &str) -> (Value, Option<i32>, Value) {
        let (_, tried) = self.import(format, text, &["--dry-run"]);
        let (status, report) = self.import(format, text, &[]);
        assert_eq!(counts(&tried), counts(&report), "{tried} {report}");
        (tried, status, report)
    }

    /// Whom a code belongs to, and who applied it.
    fn of_code(&self, code: &str) -> (String, Vec<String>) {
        let code = self.get(&format!("/referrals/codes/{code}"));
        let address = |id: &Value| {
            let customer = self.get(&format!("/customers/{}", id.as_str().expect("an id")));
            customer["customer"]["email"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let owner = address(&code["code"]["customerId"]);
        let key = code["code"]["code"].as_str().expect("a code");
        let all = self.get(&format!("/referrals?code={key}"));
        let all = all["referrals"].as_array().expect("a list").clone();
        let mut friends: Vec<_> = all
            .iter()
            .map(|one| address(&one["refereeCustomerId"]))
            .collect();
        friends.sort();
        (owner, friends)
    }

    fn is_sound(&self) {
        self.run(&["verify"]).ok();
    }
}

fn command(place: &Place, database: Option<&str>, args: &[&str]) -> Command {
    let mut command = place.command(args);
    if let Some(url) = database {
        command.env("DATABASE_URL", url);
        command.env("BILLSTACK_SECRET_KEY", "ab".repeat(32));
    }
    command
}

fn counts(report: &Value) -> [u64; 6] {
    let number = |name: &str| report[name].as_u64().expect("a number");
    let refused = report["refused"].as_array().expect("a list").len() as u64;
    [
        number("customers"),
        number("codes"),
        number("referrals"),
        number("rewardedBefore"),
        number("known"),
        refused,
    ]
}

fn told(report: &Value, what: &str) -> Vec<(u64, String)> {
    let all = report[what].as_array().expect("a list").iter();
    let all = all.map(|one| {
        (
            one["line"].as_u64().expect("a line"),
            one["why"].as_str().expect("why").to_owned(),
        )
    });
    all.collect()
}

/// A friend before whoever brought them, a code of eight letters, an address in capitals, and one who was rewarded.
const CLEAN: &str = "\
email,name,external_id,stripe_customer_id,code,referred_by,status
grace@example.com,Grace,user-2,,,ADA-LOVE,pending
ADA@example.com ,Ada Lovelace,user-1,cus_ada,Ada-Love,,
alan@example.com,Alan,,,,ada@example.com,
edsger@example.com,,,,,SUMMER24,
barbara@example.com,Barbara,,,summer24,,
early@example.com,,,,,ada-love,converted
";

#[test]
fn a_clean_file_is_taken_once() {
    let shop = Shop::new();
    let (code, tried) = shop.import("csv", CLEAN, &["--dry-run"]);
    assert_eq!(
        (code, counts(&tried)),
        (Some(0), [6, 2, 3, 1, 0, 0]),
        "{tried}"
    );
    assert_eq!(shop.get("/customers")["customers"], json!([]));
    let (code, report) = shop.import("csv", CLEAN, &[]);
    assert_eq!(
        (code, counts(&report)),
        (Some(0), [6, 2, 3, 1, 0, 0]),
        "{report}"
    );
    let friends = [
        "alan@example.com".to_owned(),
        "grace@example.com".to_owned(),
    ];
    assert_eq!(
        shop.of_code("ADA-LOVE"),
        ("ada@example.com".to_owned(), friends.to_vec())
    );
    assert_eq!(shop.of_code("SUMMER24").1, ["edsger@example.com"]);
    let (code, again) = shop.import("csv", CLEAN, &[]);
    assert_eq!(
        (code, counts(&again)),
        (Some(0), [0, 0, 0, 1, 5, 0]),
        "{again}"
    );
    shop.is_sound();
}

/// Each line is wrong in another way, and none keeps the others from being taken.
const DIRTY: &str = "\
\u{feff}E-Mail;Name;Stripe Customer ID;Code;Referred by
ada@example.com;Ada;cus_ada;ADA-LOVE;
no address;Nobody;;;
;Nobody;;;
two@example.com;Two;cus_two;ada-love;
three@example.com;Three;card_3;;
four@example.com;Four;;;nobody@example.com
five@example.com;Five;;;ADA-LOVE
five@example.com;Five;;;SECOND-CODE
six@example.com;Six;cus_ada;;
ada@example.com;Ada;cus_other;;
self@example.com;Self;;SELF-CODE;self-code
seven@example.com;Seven;;admin;
eight@example.com;Eight
second@example.com;Second;;SECOND-CODE;
";

#[test]
fn every_kind_of_dirt_is_told_by_its_line() {
    let shop = Shop::new();
    let (code, tried) = shop.import("csv", DIRTY, &["--dry-run"]);
    assert_eq!(code, Some(1));
    let (code, report) = shop.import("csv", DIRTY, &[]);
    assert_eq!(code, Some(1));
    let refused = told(&report, "refused");
    let part_of = |line: u64| {
        let of_line = refused.iter().find(|(at, _)| *at == line);
        of_line.map_or("", |(_, why)| why.as_str())
    };
    for (line, part) in [
        (3, "email"),
        (4, "e-mail address"),
        (5, "line 2 gives its code"),
        (6, "stripeCustomerId"),
        (7, "nobody here or in the file"),
        (9, "line 8 says"),
        (11, "line 2 gives the customer another id in Stripe"),
        (12, "own"),
        (14, "2 cells"),
    ] {
        assert!(part_of(line).contains(part), "{line}: {report}");
    }
    assert_eq!(refused.len(), 9, "{report}");
    let notes = told(&report, "notes");
    assert!(
        matches!(&notes[..], [(13, why)] if why.contains("reserved")),
        "{report}"
    );
    assert_eq!(told(&tried, "refused"), refused);
    assert_eq!(shop.of_code("ADA-LOVE").1, ["five@example.com"]);
    shop.is_sound();
}

/// One address and one code have many spellings, and the order of the lines changes nothing.
const SPELLED: &str = "\
Email,Name,Code,Referred by
carol@example.com,Carol,,bee code
bob@example.com,Bob,BEE-CODE,mailto:Ada@Example.com
ada@example.com,Ada,ADA-LOVE,
\u{ff41}da@example.com ,Ada,ada love,
dora@example.com,Dora,,adalove
other@example.com,Other,ada_love,
";

#[test]
fn spellings_are_seen_through() {
    let shop = Shop::new();
    let (code, tried) = shop.import("csv", SPELLED, &["--dry-run"]);
    assert_eq!(code, Some(1));
    let (code, report) = shop.import("csv", SPELLED, &[]);
    assert_eq!(code, Some(1));
    let told = told(&report, "refused");
    assert!(
        matches!(&told[..], [(7, why)] if why.contains("line 4 gives its code")),
        "{report}"
    );
    assert_eq!(counts(&tried), counts(&report));
    assert_eq!(shop.of_code("BEE-CODE").1, ["carol@example.com"]);
    let friends = ["bob@example.com", "dora@example.com"].map(str::to_owned);
    let (ada, mut brought) = shop.of_code("ADA-LOVE");
    brought.sort();
    assert_eq!(
        (ada.as_str(), brought),
        ("ada@example.com", friends.to_vec())
    );
    shop.is_sound();
}

/// Pairs of somebody with a code and a friend.
const PAIRS: usize = 300;

#[test]
fn an_import_that_was_killed_is_finished_by_the_next() {
    let shop = Shop::new();
    let mut text = "email,code,referred_by\n".to_owned();
    for n in 0..PAIRS {
        text += &format!("a{n}@example.com,THEIR-CODE-{n},\nb{n}@example.com,,their-code-{n}\n");
    }
    std::fs::write(shop.place.file("file"), &text).expect("written");
    for so_far in [20, 200, 450] {
        let mut child = shop.place.command(&["import", "file", "--format", "csv"]);
        let mut child = child.spawn().expect("it starts");
        while shop.events() < so_far && child.try_wait().expect("a child").is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.kill().expect("killed");
        child.wait().expect("an end");
        shop.is_sound();
    }
    let (code, report) = shop.import("csv", &text, &[]);
    assert_eq!(code, Some(0), "{report}");
    let (_, again) = shop.import("csv", &text, &[]);
    assert_eq!(counts(&again), [0, 0, 0, 0, 2 * PAIRS as u64, 0]);
    let stats = shop.get("/referrals/stats?days=1");
    assert_eq!(stats["stats"]["referrals"]["total"], PAIRS);
    assert_eq!(stats["stats"]["codes"]["total"], PAIRS);
    shop.is_sound();
}

impl Shop {
    /// How many codes and referrals there are.
    fn events(&self) -> u64 {
        let stats = self.get("/referrals/stats?days=1");
        let count = |what: &str| stats["stats"][what]["total"].as_u64().unwrap_or(0);
        count("codes") + count("referrals")
    }
}

#[test]
fn what_is_no_file_of_records_is_refused() {
    let shop = Shop::new();
    for (text, part) in [
        ("", "empty"),
        ("email,E-mail\n", "two columns"),
        ("[{", "EOF"),
        ("email|name\na@example.com|A\n", "names `email|name`"),
        ("First Name,Token\nAda,ada\n", "names `First Name`, `Token`"),
        ("PK\u{3}\u{4}\0\0", "packed"),
    ] {
        std::fs::write(shop.place.file("file"), text).expect("written");
        let ran = shop.place.run(&["import", "file", "--format", "csv"]);
        let why = ran.refused(2);
        assert!(why.contains(part), "{why}");
    }
    let none = shop
        .place
        .run(&["import", "none", "--format", "csv"])
        .refused(2);
    assert!(none.contains("none"), "{none}");
    let project = ["import", "file", "--format", "csv", "--project", "proj_1"];
    std::fs::write(shop.place.file("file"), "email\n").expect("written");
    assert!(shop.place.run(&project).refused(1).contains("no project"));
}
