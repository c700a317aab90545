use std::collections::BTreeSet;

use clap::builder::Resettable;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    settings: SettingsArgs,
    /// A flag of the parser itself.
    #[arg(long)]
    own: bool,
    #[command(subcommand)]
    command: Option<Sub>,
}

#[derive(clap::Subcommand)]
enum Sub {
    Serve,
}

fn parse(flags: &[&str]) -> Result<Settings, SettingsError> {
    // The variables of whoever runs the tests, such as DATABASE_URL, must not reach them.
    let command = Cli::command().mut_args(|arg| arg.env(Resettable::Reset));
    let matches = command.get_matches_from(std::iter::once(&"billstack").chain(flags));
    let cli = Cli::from_arg_matches(&matches).expect("the flags of a test are well formed");
    assert!(!cli.own);
    assert!(matches!(cli.command, None | Some(Sub::Serve)));
    Settings::from_args(&cli.settings)
}

fn problem(flags: &[&str]) -> String {
    parse(flags)
        .expect_err("these flags must be refused")
        .to_string()
}

#[test]
fn every_key_has_a_flag_and_a_variable_and_the_reverse() {
    let keys: BTreeSet<String> = default_table().keys().cloned().collect();
    let command = SettingsArgs::augment_args(clap::Command::new("billstack"));
    let mut flags = BTreeSet::new();
    for arg in command.get_arguments() {
        let key = arg.get_id().to_string();
        assert_eq!(arg.get_long(), Some(key.replace('_', "-").as_str()));
        let usual = format!("BILLSTACK_{}", key.to_uppercase());
        let expected = match key.as_str() {
            "database_url" | "stripe_api_base" => key.to_uppercase(),
            _ => usual,
        };
        assert_eq!(
            arg.get_env().and_then(|name| name.to_str()),
            Some(expected.as_str())
        );
        assert!(
            arg.is_global_set(),
            "{key} must work after a subcommand too"
        );
        flags.insert(key);
    }
    assert_eq!(keys, flags);
    Cli::command().debug_assert();
}

#[test]
fn settings_have_a_heading_of_their_own_in_the_help() {
    let command = Cli::command();
    for arg in command.get_arguments() {
        let expected = (arg.get_id() != "own").then_some("Settings");
        assert_eq!(arg.get_help_heading(), expected, "{}", arg.get_id());
    }
}

#[test]
fn help_quotes_the_default_of_each_setting() {
    let defaults = Layers(default_table());
    let command = SettingsArgs::augment_args(clap::Command::new("billstack"));
    for arg in command.get_arguments() {
        let help = arg
            .get_help()
            .expect("every setting is explained")
            .to_string();
        let default = defaults.text(arg.get_id().as_str());
        if default.is_empty() {
            assert!(!help.contains("[default"), "{help}");
        } else {
            assert!(help.ends_with(&format!("[default: {default}]")), "{help}");
        }
    }
}

#[test]
fn a_comment_stands_above_each_key() {
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    for pair in lines.windows(2).filter(|pair| pair[1].contains(" = ")) {
        let is_key = !pair[1].starts_with('#');
        assert!(
            !is_key || pair[0].starts_with('#'),
            "{} has no comment",
            pair[1]
        );
    }
}

#[test]
fn secrets_are_never_shown() {
    let hex = "ab".repeat(32);
    let settings = parse(&[
        "--secret-key",
        &hex,
        "--metrics-token",
        "metrics-token-0123456789",
        "--database-url",
        "postgres://user:hunter2@db/billstack?password=hunter2",
    ])
    .expect("all three are well formed");
    assert_eq!(
        settings.secret_key.as_ref().map(SecretKey::bytes),
        Some([0xab; 32])
    );
    let shown = format!("{settings:?}");
    for secret in [hex.as_str(), "171, 171", "metrics-token", "hunter2"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let prefixed = format!("0x{hex}");
    assert!(parse(&["--secret-key", &prefixed]).is_err());
    let args = SettingsArgs {
        secret_key: Some("not hex".into()),
        ..SettingsArgs::default()
    };
    assert!(!format!("{args:?}").contains("not hex"));
    let error = Settings::from_args(&args)
        .expect_err("this is not a key")
        .to_string();
    assert!(
        error.starts_with("--secret-key (or BILLSTACK_SECRET_KEY) must be"),
        "{error}"
    );
    assert!(!error.contains("not hex"), "{error}");
    for arg in SettingsArgs::augment_args(clap::Command::new("billstack")).get_arguments() {
        let secret = ["secret_key", "metrics_token", "database_url"];
        let expected = secret.contains(&arg.get_id().as_str());
        assert_eq!(arg.is_hide_env_values_set(), expected, "{}", arg.get_id());
    }
}

#[test]
fn flags_work_on_both_sides_of_a_subcommand() {
    let settings = parse(&["--rate-limit", "7", "serve", "--listen", "localhost:0"]);
    let settings = settings.expect("both are well formed");
    assert_eq!(
        settings.rate_limit,
        RateLimit::PerSecond(NonZeroU32::new(7).expect("not zero"))
    );
    assert_eq!(settings.listen, "localhost:0");
    let settings = parse(&["serve", "--trust-forwarded-for"]).expect("a bare flag means true");
    assert!(settings.trust_forwarded_for);
    let settings = parse(&["--trust-forwarded-for=false"]).expect("false is a value");
    assert!(!settings.trust_forwarded_for);
}

#[test]
fn empty_values_count_as_not_given() {
    let settings = parse(&["--base-url", "", "--secret-key", "", "--rate-limit", ""]);
    assert_eq!(settings, Ok(Settings::default()));
}

#[test]
fn base_url_is_an_origin_as_browsers_write_it() {
    let read = |url| parse(&["--base-url", url]).map(|settings| settings.base_url);
    assert_eq!(
        read("https://Ref.Example.com/"),
        Ok(Some("https://ref.example.com".into()))
    );
    assert_eq!(
        read("https://a.test:443"),
        Ok(Some("https://a.test".into()))
    );
    assert_eq!(
        read("http://localhost:8080"),
        Ok(Some("http://localhost:8080".into()))
    );
    for wrong in [
        "https://a.test/app",
        "ftp://a.test",
        "a.test",
        "https://u:p@a.test",
        "https://a.test/?q",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_public_url_is_another_origin_than_the_base_url() {
    let read = |base, public| {
        let settings = parse(&["--base-url", base, "--public-url", public]);
        settings.map(|settings| settings.public_url)
    };
    let (base, public) = ("https://app.test", "https://Refer.test/");
    assert_eq!(read(base, public), Ok(Some("https://refer.test".into())));
    assert_eq!(read("", public), Ok(Some("https://refer.test".into())));
    let other_port = "http://localhost:8081";
    assert_eq!(
        read("http://localhost:8080", other_port),
        Ok(Some(other_port.into()))
    );
    for wrong in [
        base,
        "https://app.test:443",
        "http://app.test",
        "https://a.test/x",
        "a.test",
    ] {
        assert!(read(base, wrong).is_err(), "{wrong}");
    }
}

#[test]
fn stripe_api_base_loses_its_last_slash() {
    let settings = parse(&["--stripe-api-base", "http://127.0.0.1:9/stripe/"]);
    assert_eq!(
        settings.expect("a fine address").stripe_api_base,
        "http://127.0.0.1:9/stripe"
    );
    assert_eq!(
        Settings::default().stripe_api_base,
        "https://api.stripe.com"
    );
}

#[test]
fn limits_can_be_off_but_not_zero() {
    let settings = parse(&[
        "--rate-limit",
        "off",
        "--apply-miss-budget-per-minute",
        "off",
    ]);
    let settings = settings.expect("off is a value");
    assert_eq!(settings.rate_limit, RateLimit::Off);
    assert_eq!(settings.apply_miss_budget_per_minute, None);
    assert_eq!(
        problem(&["--rate-limit", "0"]),
        "--rate-limit (or BILLSTACK_RATE_LIMIT) must be a whole number from 1 to 1000000, or `off`"
    );
}

#[test]
fn numbers_outside_their_bounds_are_refused_by_name() {
    assert_eq!(
        problem(&["--reader-threads", "0"]),
        "--reader-threads (or BILLSTACK_READER_THREADS) must be a whole number from 1 to 256"
    );
    for wrong in ["-1", "1.5", "ten", "99999999999999999999", "301"] {
        let flag = format!("--header-timeout-seconds={wrong}");
        assert!(problem(&[&flag]).contains("from 1 to 300"), "{wrong}");
    }
}

#[test]
fn other_malformed_values_are_refused_by_name() {
    for (flag, wrong) in [
        ("database-url", "mysql://localhost/x"),
        ("database-url", "sqlite://"),
        ("listen", "8080"),
        ("listen", ":8080"),
        ("listen", "127.0.0.1:99999"),
        ("metrics-token", "short"),
        ("log", "billstack=loud"),
        ("log", "inof"),
        ("log", "info,billstack"),
        ("log", "warn billstack=debug"),
        ("log", ","),
        ("log-format", "yaml"),
        ("trust-forwarded-for", "perhaps"),
        ("stripe-api-base", "api.stripe.com"),
        ("webhook-allowed-networks", "localhost"),
        ("webhook-allowed-networks", "10.0.0.1/8"),
    ] {
        let error = problem(&[&format!("--{flag}={wrong}")]);
        assert!(error.starts_with(&format!("--{flag} (or ")), "{error}");
    }
}

#[test]
fn levels_of_the_log_may_be_those_of_modules() {
    for (given, read) in [
        ("info", "info"),
        ("OFF", "OFF"),
        ("warn, billstack=debug", "warn,billstack=debug"),
        (
            "billstack::http[request]=trace",
            "billstack::http[request]=trace",
        ),
    ] {
        let settings = parse(&["--log", given]).expect("a filter");
        assert_eq!(settings.log, read);
    }
    let wrong = problem(&["--log", "inof"]);
    assert!(
        wrong.starts_with("--log (or BILLSTACK_LOG) must be a level"),
        "{wrong}"
    );
}
