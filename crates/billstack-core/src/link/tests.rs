use super::*;
use proptest::prelude::*;

const NOTHING: Baggage<'_> = Baggage {
    code: None,
    token: None,
};

fn landing() -> Landing {
    let hosts = ["docs.example.com".to_owned(), "BÜCHER.example".to_owned()];
    Landing::parse("https://example.com/welcome?plan=pro#top", &hosts).unwrap()
}

fn at(wish: &str) -> String {
    landing().target(Some(wish), NOTHING, [])
}

#[test]
fn a_visitor_brings_the_code_and_the_token() {
    let baggage = Baggage {
        code: Some(("ref", "ADA-L")),
        token: Some(("ref_click", "ct_x")),
    };
    let asked = [("utm_source", "news letter"), ("to", "/x"), ("s", "qr")];
    assert_eq!(
        landing().target(None, baggage, asked),
        "https://example.com/welcome?plan=pro&utm_source=news+letter&ref=ADA-L&ref_click=ct_x#top",
    );
    assert_eq!(
        landing().target(None, NOTHING, []),
        "https://example.com/welcome?plan=pro#top"
    );
}

#[test]
fn what_the_address_says_of_ours_is_replaced() {
    let landing = Landing::parse("https://example.com/?ref=OLD&utm_source=page&a=1", &[]).unwrap();
    let baggage = Baggage {
        code: Some(("ref", "NEW")),
        token: None,
    };
    assert_eq!(
        landing.target(None, baggage, [("utm_source", "mail")]),
        "https://example.com/?a=1&utm_source=mail&ref=NEW",
    );
}

#[test]
fn a_link_may_ask_for_a_path_or_a_named_host() {
    for (wish, there) in [
        ("/pricing?x=1#y", "https://example.com/pricing?x=1#y"),
        ("/a/../b", "https://example.com/b"),
        ("https://example.com/deep", "https://example.com/deep"),
        (
            "https://docs.example.com/start",
            "https://docs.example.com/start",
        ),
        ("HTTPS://DOCS.EXAMPLE.COM", "https://docs.example.com/"),
        (
            "https://b\u{fc}cher.example/",
            "https://xn--bcher-kva.example/",
        ),
    ] {
        assert_eq!(at(wish), there, "{wish}");
    }
}

#[test]
fn whatever_else_it_asks_for_is_nothing() {
    let home = landing().target(None, NOTHING, []);
    for wish in [
        "",
        "pricing",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:docs.example.com",
        "https:\\\\evil.example",
        "@evil.example",
        "https://example.com@evil.example/",
        "https://docs.example.com@evil.example/",
        "https://me:secret@docs.example.com/",
        "https://docs.example.com.evil.example/",
        "https://evil.example/docs.example.com",
        "https://sub.docs.example.com/",
        "https://docs.example.com:8443/",
        "http://docs.example.com/",
        "http://example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "/a\r\nSet-Cookie: x",
        "/a\u{0}b",
        "/\t/evil.example",
        " //evil.example",
        "https://evil.example",
        &format!("/{}", "a".repeat(LONGEST_WISH)),
    ] {
        assert_eq!(at(wish), home, "{wish:?}");
    }
}

#[test]
fn only_so_much_is_passed_on() {
    let long = "x".repeat(LONGEST_PASSED + 1);
    let many: Vec<String> = (0..20).map(|n| format!("utm_{n}")).collect();
    let asked = [("utm_long", long.as_str())]
        .into_iter()
        .chain(many.iter().map(|name| (name.as_str(), "1")));
    let there = landing().target(None, NOTHING, asked);
    assert_eq!(there.matches("utm_").count(), MOST_PASSED);
    assert!(!there.contains("utm_long"));
}

#[test]
fn a_landing_address_is_safe_for_visitors() {
    for good in [
        "https://example.com",
        "http://localhost:3000/x",
        "http://127.0.0.1:5173",
        "http://[::1]/",
        "http://app.localhost",
    ] {
        assert!(Landing::parse(good, &[]).is_ok(), "{good}");
    }
    let long = format!("https://example.com/{}", "a".repeat(LONGEST_LANDING));
    for (bad, why) in [
        ("", Unfit::NotAnAddress),
        ("/welcome", Unfit::NotAnAddress),
        ("example.com", Unfit::NotAnAddress),
        (long.as_str(), Unfit::NotAnAddress),
        ("http://example.com", Unfit::NotSecure),
        ("http://localhost.example.com", Unfit::NotSecure),
        ("ftp://example.com", Unfit::NotSecure),
        ("javascript:alert(1)", Unfit::NotSecure),
        ("https://ada@example.com", Unfit::HasUserInfo),
    ] {
        assert_eq!(Landing::parse(bad, &[]), Err(why), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_wish_leads_elsewhere_or_adds_a_header(
        wish in prop_oneof![
            any::<String>(),
            "[/\\\\:@.a-z\r\n\t ]{0,24}",
            "(https?:)?[/\\\\]{0,3}(evil\\.example|docs\\.example\\.com|example\\.com)[@:/.a-z0-9]{0,8}",
        ],
        name in any::<String>(),
        value in any::<String>(),
    ) {
        let code = Some(("ref", "AB2CD3EF"));
        let baggage = Baggage { code, token: None };
        let there = landing().target(Some(&wish), baggage, [(name.as_str(), value.as_str())]);
        prop_assert!(there.bytes().all(|byte| byte.is_ascii_graphic()), "{there}");
        let host = Url::parse(&there).unwrap().host_str().unwrap().to_owned();
        prop_assert!(["example.com", "docs.example.com"].contains(&host.as_str()), "{there}");
        prop_assert!(there.contains("ref=AB2CD3EF"));
    }
}
