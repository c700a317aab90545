use super::*;
use proptest::prelude::*;

fn read(text: &str) -> JsonObject {
    read_json(text.as_bytes()).unwrap()
}

fn fault(bytes: impl AsRef<[u8]>) -> ApiError {
    read_json(bytes.as_ref()).unwrap_err()
}

#[test]
fn what_is_no_object() {
    for text in [
        "",
        " ",
        "[]",
        "1",
        "null",
        "\"a\"",
        "{",
        "{}x",
        "{} {}",
        "{\"a\":}",
        "{\"a\":1,}",
        "\u{feff}{}",
        "{\"a\":01}",
        "{'a':1}",
        "{\"a\":\"\\ud800\"}",
        "{\"\\udc00\":1}",
        "{\"a\":[\"\\ud800x\"]}",
        "{\"a\":\"\t\"}",
        "{\"a\":NaN}",
        "{\"a\":[NaN]}",
        "{\"a\":[01]}",
        "{\"a\":[1e]}",
        "{\"a\":[-]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1,]}",
        "{\"a\":{\"b\":}}",
        "{\"a\":{\"b\":1]}",
        "{\"a\":{\"b\" 1}}",
        "{\"a\":{1:1}}",
        "{\"a\":[\"\\x41\"]}",
        "{\"a\":[\"\t\"]}",
        "{\"a\":{\"\\ud800\":1}}",
    ] {
        assert_eq!(fault(text).reason, Reason::InvalidJson, "{text}");
    }
    assert_eq!(fault(b"{\"a\":\"\xff\"}").reason, Reason::InvalidJson);
    assert_eq!(fault(b"\xef\xbb\xbf{}").reason, Reason::InvalidJson);
}

#[test]
fn duplicates_at_any_depth() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a":{"b":1,"b":1}}"#,
        r#"{"a":[{"b":{"c":1,"c":2}}]}"#,
    ] {
        let error = fault(text);
        assert_eq!(error.reason, Reason::InvalidRequest, "{text}");
        assert_eq!(error.field.as_deref(), Some("a"), "{text}");
    }
    assert!(read_json(br#"{"a":[{"b":1},{"b":1}]}"#).is_ok());
}

#[test]
fn numbers_of_any_size_at_any_depth() {
    for number in [
        "1e400",
        "-1E+999999999",
        "1e-400",
        "0.1e999",
        &"9".repeat(400),
    ] {
        let text =
            format!(r#"{{"a":{number},"b":[{number},{{"c":{number}}}],"c":{{"d":{number}}}}}"#);
        let kept = read(&text).optional_object("c", 1000).unwrap();
        assert_eq!(kept, Some(format!(r#"{{"d":{number}}}"#)));
    }
}

#[test]
fn what_stands_in_a_text_is_no_structure() {
    for text in [
        r#"{"a":{"b":"{[","c":"\"","d":"\\","b ":"b"}}"#,
        r#"{"a":{"b":"b" , "c" : ":"}}"#,
        r#"{"a":["b",":","b"]}"#,
        r#"{"a":{"b":{"b":{}},"c":{"b":[]}}}"#,
    ] {
        assert!(read_json(text.as_bytes()).is_ok(), "{text}");
    }
    for text in [
        r#"{"a":{"b":[{"b":1}],"b":1}}"#,
        r#"{"a":{"b" : 1, "\u0062"  : 2}}"#,
    ] {
        assert_eq!(fault(text).reason, Reason::InvalidRequest, "{text}");
    }
}

#[test]
fn nul_anywhere() {
    for text in [
        r#"{"a":"\u0000"}"#,
        r#"{"a\u0000":1}"#,
        r#"{"a":{"\u0000":1}}"#,
        r#"{"a":["x\u0000y"]}"#,
    ] {
        assert_eq!(fault(text).reason, Reason::InvalidRequest, "{text}");
    }
}

#[test]
fn depth_is_bounded_and_never_told() {
    let nested = |levels: usize| {
        let lists = levels - 1;
        format!("{{\"a\":{}{}}}", "[".repeat(lists), "]".repeat(lists))
    };
    assert!(read_json(nested(32).as_bytes()).is_ok());
    let error = fault(nested(33));
    assert_eq!(error.message, "The body is nested too deeply.");
    assert!(fault(nested(100_000)).message.len() < 60);
    let objects = format!("{}1{}", "{\"a\":".repeat(33), "}".repeat(33));
    assert_eq!(fault(objects).reason, Reason::InvalidRequest);
}

#[test]
fn input_is_not_echoed() {
    let error = fault(r#"{"<script>":1,"<script>":1}"#);
    assert!(!error.body().contains("script"));
}

#[test]
fn strings() {
    let body = read(r#"{"a":"h\u00e9\ud83d\ude00","n":null,"e":"","x":1}"#);
    assert_eq!(body.required_str("a", 3).unwrap(), "h\u{e9}\u{1f600}");
    assert_eq!(body.optional_str("n", 3).unwrap(), None);
    assert_eq!(body.optional_str("e", 3).unwrap().as_deref(), Some(""));
    for (name, max) in [("a", 2), ("n", 9), ("e", 9), ("x", 9), ("missing", 9)] {
        let error = body.required_str(name, max).unwrap_err();
        assert_eq!(error.field.as_deref(), Some(name));
        assert_eq!(error.reason, Reason::InvalidRequest);
    }
}

#[test]
fn flags() {
    let body = read(r#"{"t":true,"f" : false ,"n":null,"s":"true","o":1}"#);
    assert!(body.required_bool("t").unwrap());
    assert_eq!(body.optional_bool("f").unwrap(), Some(false));
    assert_eq!(body.optional_bool("n").unwrap(), None);
    for name in ["n", "s", "o", "missing"] {
        assert!(body.required_bool(name).is_err(), "{name}");
    }
}

#[test]
fn integers() {
    let body = read(
        r#"{"a":1e3,"b":1000.5,"c":"10","d":1e999999999,"e":-0.0,"f":99999999999999999999,"n":null}"#,
    );
    assert_eq!(body.required_int("a", 0..=1000).unwrap(), 1000);
    assert_eq!(body.required_int("e", 0..=1000).unwrap(), 0);
    assert_eq!(body.optional_int("n", 0..=1).unwrap(), None);
    assert!(body.required_int("a", 0..=999).is_err());
    for name in ["b", "c", "d", "f", "n", "missing"] {
        let error = body.required_int(name, i64::MIN..=i64::MAX).unwrap_err();
        assert_eq!(error.field.as_deref(), Some(name));
    }
}

#[test]
fn times() {
    let micros = |text: &str| read(&format!("{{\"t\":\"{text}\"}}")).optional_time("t");
    assert_eq!(micros("1970-01-01T00:00:01.5Z").unwrap(), Some(1_500_000));
    assert_eq!(micros("1970-01-01T01:00:00+01:00").unwrap(), Some(0));
    assert_eq!(micros("1970-01-01t00:00:00.000001z").unwrap(), Some(1));
    for text in [
        "",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-01-01T00:00:00Z[UTC]",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00Z",
        "1970-01-01T00:00:00+0100",
        "+001970-01-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1970-01-01T00:00:0\u{e9}Z",
        "19700101T000000Z",
    ] {
        assert!(micros(text).is_err(), "{text}");
    }
    assert!(read(r#"{"t":5}"#).optional_time("t").is_err());
    assert_eq!(read(r#"{"t":null}"#).optional_time("t").unwrap(), None);
}

#[test]
fn objects_keep_their_text() {
    let body = read(
        r#"{"m": { "b" : 1.10, "a" : [ 1, " x \" y " ] , "c":"\\" , "d": 1 }, "l":[], "n":null}"#,
    );
    let text = body.optional_object("m", 100).unwrap().unwrap();
    assert_eq!(text, r#"{"b":1.10,"a":[1," x \" y "],"c":"\\","d":1}"#);
    assert!(body.optional_object("m", text.len()).is_ok());
    assert!(body.optional_object("m", text.len() - 1).is_err());
    assert!(body.optional_object("l", 100).is_err());
    assert_eq!(body.optional_object("n", 100).unwrap(), None);
}

#[test]
fn lists_of_strings() {
    let body = read(r#"{"l":["a","bb"],"x":["a",1],"s":"a","n":null,"e":[]}"#);
    let list = body.optional_str_list("l", 2, 2).unwrap();
    assert_eq!(list, Some(vec!["a".to_owned(), "bb".to_owned()]));
    assert_eq!(body.optional_str_list("e", 0, 0).unwrap(), Some(vec![]));
    assert_eq!(body.optional_str_list("n", 9, 9).unwrap(), None);
    assert!(body.optional_str_list("l", 1, 2).is_err());
    assert!(body.optional_str_list("l", 2, 1).is_err());
    assert!(body.optional_str_list("x", 9, 9).is_err());
    assert!(body.optional_str_list("s", 9, 9).is_err());
}

#[test]
fn members_of_a_patch() {
    let body = read(r#"{"a":null,"b":0}"#);
    assert_eq!(body.member("a"), Member::Null);
    assert_eq!(body.member("b"), Member::Present);
    assert_eq!(body.member("c"), Member::Absent);
}

proptest! {
    #[test]
    fn whatever_passes_is_json_to_everybody(text in r#"[{}\[\]",:a\\u0-9e.\- ]{0,40}"#) {
        match read_json(text.as_bytes()) {
            // Numbers beyond a float pass the general checks, so the syntax alone is compared.
            Ok(_) => prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()),
            Err(error) if error.reason == Reason::InvalidJson => {
                let read = serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(&text);
                prop_assert!(read.is_err());
            }
            Err(_) => {}
        }
    }

    #[test]
    fn compact_text_means_the_same(value in "[ a\\\\\"\n\u{e9}]{0,12}", deep: bool) {
        let inner = serde_json::json!({ "k": value.clone(), "l": [value, deep] });
        let pretty = serde_json::to_string_pretty(&inner).unwrap();
        prop_assert_eq!(compact(&pretty), inner.to_string());
    }
}
