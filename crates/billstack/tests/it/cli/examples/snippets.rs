//! The snippets that keep the click of a share link: run where their framework is at hand, else checked as far as their
//! language is here.

use std::path::{Path, PathBuf};
use std::process::Command;

use url::Url;

use super::super::clients::node::typescript;
use super::super::finish;
use super::blocks;
use crate::support::{node, python};

const PAGE: &str = "share-links.md";

/// What each program is asked for; it prints a line of JSON with status, address and cookie for each.
const ASKED: &str = r#"[["GET", "/welcome?a=b&ref_click=ct_1&ref=ADA"], ["GET", "/welcome?a=b"],
    ["POST", "/welcome?ref_click=ct_1"], ["GET", "//evil.example/a?ref_click=ct_1"]]"#;

const EXPRESS: [&str; 2] = [
    r#"
import express from "express";
import { request } from "node:http";
const app = express();
"#,
    r#"
app.use((req, res) => res.send("the page"));
const server = app.listen(0, "127.0.0.1", async () => {
  for (const [method, path] of ASKED) {
    await new Promise((done) => {
      const asked = request({ port: server.address().port, method, path, agent: false }, (answer) => {
        const { location, "set-cookie": cookie } = answer.headers;
        console.log(JSON.stringify([answer.statusCode, location ?? null, cookie?.[0] ?? null]));
        answer.resume().on("end", done);
      });
      asked.end();
    });
  }
  server.close();
});
"#,
];

const NEXT: [&str; 2] = [
    r#"import { NextRequest, NextResponse } from "next/server.js";
"#,
    r#"
for (const [method, path] of ASKED as string[][]) {
  const answer = middleware(new NextRequest("https://app.example.com" + path, { method: method! }));
  const { status, headers } = answer;
  console.log(JSON.stringify([status, headers.get("location"), headers.get("set-cookie")]));
}
"#,
];

const DJANGO: [&str; 2] = [
    r#"
import io, json
from django.conf import settings
settings.configure()
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, HttpResponseRedirect
"#,
    r#"
for method, address in ASKED:
    path, _, query = address.partition("?")
    place = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": io.BytesIO()}
    answer = keep_click(lambda _: HttpResponse("the page"))(WSGIRequest(place))
    cookie = answer.cookies["ref_click"].OutputString() if answer.cookies else None
    print(json.dumps([answer.status_code, answer.headers.get("Location"), cookie]))
"#,
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snippets")
}

/// The snippet in a language, with what is around it.
fn program(language: &str, around: [&str; 2]) -> String {
    let snippet = &blocks(PAGE, language)[0];
    let [before, after] = around.map(|text| text.replace("ASKED", ASKED));
    format!("{before}{snippet}{after}")
}

#[test]
fn express_keeps_the_click() {
    let file = node::modules("snippets-of-node", &directory()).join("express.mjs");
    std::fs::write(&file, program("js", EXPRESS)).expect("a file");
    let mut command = Command::new("node");
    command.arg(file);
    assert_keeps_the_click(command);
}

#[test]
fn next_keeps_the_click() {
    let place = node::modules("snippets-of-node", &directory());
    std::fs::write(place.join("next.mts"), program("ts", NEXT)).expect("a file");
    let mut compiler = Command::new("node");
    compiler.arg(typescript()).current_dir(&place);
    compiler.args(["--strict", "--skipLibCheck", "--module", "nodenext"]);
    compiler.args(["--target", "es2022", "next.mts"]);
    let compiled = finish(compiler, "");
    assert_eq!(compiled.code(), Some(0), "{}", compiled.out());
    let mut command = Command::new("node");
    command.arg(place.join("next.mjs"));
    assert_keeps_the_click(command);
}

#[test]
fn django_keeps_the_click() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("snippet.py");
    std::fs::write(&file, program("python", DJANGO)).expect("a file");
    let mut command = Command::new(python::with("snippets-of-python", &directory()));
    command.arg(file);
    assert_keeps_the_click(command);
}

/// Neither framework is fetched. Where the language is not there either, only that the page has the snippet is seen.
#[test]
fn rails_and_laravel_are_spelled_right() {
    let ruby = blocks(PAGE, "ruby").join("\n");
    let php = format!("<?php class Kept {{ {} }}", blocks(PAGE, "php").join("\n"));
    for (interpreter, arg, text) in [("ruby", "-c", ruby), ("php", "-l", php)] {
        let is_here = Command::new(interpreter).arg("-v").output().is_ok();
        if is_here {
            let mut command = Command::new(interpreter);
            command.arg(arg);
            let ran = finish(command, &text);
            assert_eq!(ran.code(), Some(0), "{}{}", ran.out(), ran.err());
        }
    }
}

fn assert_keeps_the_click(command: Command) {
    let ran = finish(command, "");
    assert_eq!(ran.code(), Some(0), "{}{}", ran.out(), ran.err());
    let here = Url::parse("https://app.example.com/").expect("an address");
    let rows = ran.out();
    let rows = rows.lines().map(|line| {
        let row: (u16, Option<String>, Option<String>) = serde_json::from_str(line).expect("JSON");
        (
            row.0,
            row.1.map(|to| here.join(&to).expect("an address")),
            row.2,
        )
    });
    let rows: Vec<_> = rows.collect();
    let [kept, none, post, evil] = &rows[..] else {
        panic!("{rows:?}");
    };
    assert!(matches!(kept.0, 302 | 307), "{kept:?}");
    let expected = "https://app.example.com/welcome?a=b&ref=ADA";
    assert_eq!(kept.1.as_ref().map(Url::as_str), Some(expected));
    let cookie = kept.2.as_deref().unwrap_or_default().to_ascii_lowercase();
    for part in [
        "ref_click=ct_1;",
        "max-age=5184000",
        "httponly",
        "secure",
        "samesite=lax",
        "path=/",
    ] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    for passed_on in [none, post] {
        assert_eq!(passed_on, &(200, None, None));
    }
    // Nobody is sent to another host.
    let host = evil.1.as_ref().and_then(Url::host_str);
    assert_eq!(host, Some("app.example.com"), "{evil:?}");
}
