//! An import that is not alone on its database, and one that loses it.

use std::process::Stdio;
use std::thread;

use scratch_postgres::{Cluster, Proxy};
use serde_json::Value;

use super::{PAIRS, Shop, counts, told};
use crate::cli::finish;

fn pairs() -> String {
    let mut text = "email,code,referred_by\n".to_owned();
    for n in 0..PAIRS {
        text += &format!("a{n}@example.com,THEIR-CODE-{n},\nb{n}@example.com,,their-code-{n}\n");
    }
    text
}

/// Whatever one of them makes first, the others find.
#[test]
fn imports_of_one_file_at_once_refuse_nothing() {
    let database = Cluster::shared().create_database("import_beside", None);
    let shop = Shop::on(Some(database.expect("a database")));
    std::fs::write(shop.place.file("file"), pairs()).expect("written");
    let reports: Vec<Value> = thread::scope(|scope| {
        let all = [(); 3].map(|()| {
            let args = ["import", "file", "--format", "csv", "--json"];
            let command = shop.command(&args);
            scope.spawn(move || serde_json::from_str(&finish(command, "").out()).expect("a report"))
        });
        all.map(|one| one.join().expect("an end")).into()
    });
    for report in &reports {
        assert_eq!(told(report, "refused"), [], "{report}");
    }
    let made = |what: usize| {
        reports
            .iter()
            .map(|report| counts(report)[what])
            .sum::<u64>()
    };
    let pairs = PAIRS as u64;
    assert_eq!([made(0), made(1), made(2)], [2 * pairs, pairs, pairs]);
    shop.is_sound();
}

/// What has been found out is told, and how it goes on.
#[test]
fn an_import_that_loses_its_database_says_how_far_it_has_come() {
    let cluster = Cluster::shared();
    let direct = cluster
        .create_database("import_lost", None)
        .expect("a database");
    let shop = Shop::on(Some(direct.clone()));
    let proxy = Proxy::to(cluster.port()).expect("a proxy");
    let through = direct.replace(&cluster.port().to_string(), &proxy.port().to_string());
    let text = pairs().replacen('\n', "\nno address,,\n", 1);
    std::fs::write(shop.place.file("file"), text).expect("written");
    for json in [&["--json"][..], &[]] {
        let args = [&["import", "file", "--format", "csv"], json].concat();
        let mut command = shop.command(&args);
        command.env("DATABASE_URL", &through);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let before = shop.events();
        let child = command.spawn().expect("it starts");
        while shop.events() < before + 20 {
            thread::sleep(std::time::Duration::from_millis(5));
        }
        proxy.cut_commits(1);
        let ran = child.wait_with_output().expect("an end");
        let [out, err] =
            [ran.stdout, ran.stderr].map(|text| String::from_utf8(text).expect("UTF-8"));
        proxy.cut_commits(0);
        assert_eq!(ran.status.code(), Some(1), "{out}{err}");
        assert!(err.contains("run it again"), "{err}");
        if json.is_empty() {
            assert!(out.contains("line 2: refused: "), "{out}");
            assert!(out.contains("were not looked at"), "{out}");
        } else {
            let report: Value = serde_json::from_str(&out).expect("a report");
            assert_eq!(told(&report, "refused")[0].0, 2);
            let left = report["notLookedAt"].as_u64().expect("a number");
            assert!(left > 0 && left < 2 * PAIRS as u64, "{report}");
        }
    }
}
