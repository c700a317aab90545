//! All that a customer's page shows, as texts: made of what there is, or of a sample.

use billstack_core::credit::{CreditStatus, Side};
use billstack_core::money::Currency;
use billstack_core::portal::{Locale, Named, Settings, State, WaitingFor, Wording, label};
use billstack_core::program::{ConversionTrigger, Program};
use billstack_store::credits::Credit;
use billstack_store::portal::{Friend, Overview};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::words::{Words, filled, words};
use crate::api::portal::day;

/// All that the page shows.
#[derive(Clone, Debug)]
pub struct Sight {
    pub locale: Locale,
    pub title: String,
    /// What is promised, or that nothing is at the moment.
    pub offer: String,
    /// What to share; none without a code, and while the program is off.
    pub share: Option<Sharing>,
    /// How to get a code, or to name it.
    pub form: Option<CodeForm>,
    pub figures: [Figure; 3],
    pub friends: Vec<Line>,
    pub credits: Vec<Line>,
    /// Where the lists go on, as queries.
    pub older_friends: Option<String>,
    pub older_credits: Option<String>,
    pub terms: String,
    /// Whether nothing of it is real.
    pub is_sample: bool,
}

/// What a customer shares.
#[derive(Clone, Debug)]
pub struct Sharing {
    pub code: String,
    pub link: Option<Linked>,
}

/// A link, and by what ways it is sent.
#[derive(Clone, Debug)]
pub struct Linked {
    pub url: String,
    /// Of the QR code, on this server.
    pub qr_path: String,
    pub message: String,
    pub whatsapp: String,
    pub mail: String,
}

/// How a customer gets a code, or names it.
#[derive(Clone, Debug)]
pub struct CodeForm {
    pub has_code: bool,
    pub takes_name: bool,
    /// What was typed before, and is refused.
    pub refused: Option<String>,
}

/// A figure and what it counts.
#[derive(Clone, Debug)]
pub struct Figure {
    pub value: String,
    pub name: &'static str,
    pub note: Option<String>,
}

/// A friend, or something that was earned.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: String,
    /// What is missing.
    pub note: Option<String>,
    pub state: &'static str,
    /// The word of the API for the state, which the style goes by.
    pub kind: &'static str,
    pub day: String,
    pub amount: Option<String>,
}

/// What of a customer is shown, and how.
#[derive(Debug)]
pub struct Seen<'a> {
    pub settings: &'a Settings,
    pub overview: &'a Overview,
    pub friends: &'a [Friend],
    pub credits: &'a [Credit],
    /// The link to share, and the path of its QR code.
    pub link: Option<(String, String)>,
    pub read_only: bool,
}

impl Sight {
    /// What there is to see.
    pub fn new(locale: Locale, seen: &Seen<'_>) -> Sight {
        let words = words(locale);
        let own = seen.settings.texts.of(locale).cloned().unwrap_or_default();
        let program = &seen.overview.program;
        let (mine, theirs) = promised(program);
        let link = seen.link.as_ref().map(|(url, _)| url.as_str());
        let offer = match program.enabled {
            true => offer(words, &own, mine.as_deref(), theirs.as_deref(), link),
            false => words.closed.to_owned(),
        };
        let terms = terms(
            words,
            program.terms.conversion_trigger,
            program.terms.hold_days,
        );
        let fill = |text: &str| fill(text, mine.as_deref(), link);
        let friend = |friend| of_friend(words, friend, seen.settings);
        Sight {
            locale,
            title: own.title.as_deref().map_or(words.title.to_owned(), fill),
            offer,
            share: sharing(words, &own, seen, theirs.as_deref()),
            form: form(seen),
            figures: figures(words, seen.overview),
            friends: seen.friends.iter().map(friend).collect(),
            credits: seen
                .credits
                .iter()
                .map(|credit| of_credit(words, credit))
                .collect(),
            older_friends: None,
            older_credits: None,
            terms: own.terms.as_deref().map_or(terms, fill),
            is_sample: false,
        }
    }

    /// What a page would show, for whoever sets it up: nothing of it is real.
    pub fn sample(locale: Locale, settings: &Settings) -> Sight {
        let words = words(locale);
        let own = settings.texts.of(locale).cloned().unwrap_or_default();
        let (mine, theirs) = (Currency::USD.text(1000), Currency::USD.text(500));
        // A code that nobody has: it is reserved.
        let url = "https://example.com/r/EXAMPLE";
        let fill = |text: &str| fill(text, Some(&mine), Some(url));
        let line = |name: &str, note: Option<&str>, (state, kind), amount: Option<&String>| Line {
            name: name.to_owned(),
            note: note.map(str::to_owned),
            state,
            kind,
            day: "2026-01-15".to_owned(),
            amount: amount.cloned(),
        };
        let waiting = (words.waiting, "waiting");
        let earned = (words.earned, "earned");
        let terms = terms(words, ConversionTrigger::SubscriptionCreated, 0);
        Sight {
            locale,
            title: own.title.as_deref().map_or(words.title.to_owned(), fill),
            offer: offer(words, &own, Some(&mine), Some(&theirs), Some(url)),
            share: Some(Sharing {
                code: "EXAMPLE".to_owned(),
                link: Some(linked(words, &own, Some(&theirs), url, "/r/EXAMPLE/qr.svg")),
            }),
            form: None,
            figures: [
                (words.friends, "3"),
                (words.waiting, "1"),
                (words.earned, "20.00 USD"),
            ]
            .map(|(name, value)| Figure {
                value: value.to_owned(),
                name,
                note: None,
            }),
            friends: vec![
                line("G…", Some(words.for_subscription), waiting, Some(&mine)),
                line("M…", None, earned, Some(&mine)),
                line("L…", None, earned, Some(&mine)),
            ],
            credits: vec![line(words.for_friend, None, earned, Some(&mine)); 2],
            older_friends: None,
            older_credits: None,
            terms: own.terms.as_deref().map_or(terms, fill),
            is_sample: true,
        }
    }
}

/// What a program promises whoever recommends, and the friend; nothing where that is 0.
fn promised(program: &Program) -> (Option<String>, Option<String>) {
    let terms = &program.terms;
    let credit = |amount: i64| (amount > 0).then(|| terms.currency.text(amount));
    (
        credit(terms.referrer_credit_amount.get()),
        credit(terms.referee_credit_amount.get()),
    )
}

/// What a customer reads of this program while it is on.
pub(crate) fn offer_of(locale: Locale, settings: &Settings, program: &Program) -> String {
    let own = settings.texts.of(locale).cloned().unwrap_or_default();
    let (mine, theirs) = promised(program);
    offer(
        words(locale),
        &own,
        mine.as_deref(),
        theirs.as_deref(),
        None,
    )
}

/// A text of the project with what it names; without a link or an amount nothing stands there.
fn fill(text: &str, amount: Option<&str>, link: Option<&str>) -> String {
    let values = [
        ("amount", amount.unwrap_or_default()),
        ("link", link.unwrap_or_default()),
    ];
    filled(text, &values)
}

fn offer(
    words: &Words,
    own: &Wording,
    mine: Option<&str>,
    theirs: Option<&str>,
    link: Option<&str>,
) -> String {
    if let Some(own) = &own.offer {
        return fill(own, mine, link);
    }
    let sentence = match (mine, theirs) {
        (Some(_), Some(_)) => words.offer_both,
        (Some(_), None) => words.offer_customer,
        (None, Some(_)) => words.offer_friend,
        (None, None) => words.offer_nothing,
    };
    let values = [
        ("amount", mine.unwrap_or_default()),
        ("friend", theirs.unwrap_or_default()),
    ];
    filled(sentence, &values)
}

fn terms(words: &Words, trigger: ConversionTrigger, hold_days: i64) -> String {
    let when = match trigger {
        ConversionTrigger::FirstPaidInvoice => words.on_payment,
        _ => words.on_subscription,
    };
    match hold_days {
        0 => when.to_owned(),
        days => format!(
            "{when} {}",
            filled(words.held, &[("days", &days.to_string())])
        ),
    }
}

fn sharing(words: &Words, own: &Wording, seen: &Seen<'_>, theirs: Option<&str>) -> Option<Sharing> {
    let code = seen.overview.code.as_ref();
    let code = code.filter(|_| seen.overview.program.enabled)?;
    let link = seen.link.as_ref();
    let link = link.map(|(url, qr_path)| linked(words, own, theirs, url, qr_path));
    Some(Sharing {
        code: code.names.0.first().unwrap_or(&code.code).clone(),
        link,
    })
}

fn linked(words: &Words, own: &Wording, theirs: Option<&str>, url: &str, qr_path: &str) -> Linked {
    let usual = match theirs {
        Some(_) => words.message_with_amount,
        None => words.message,
    };
    let text = own.message.as_deref().unwrap_or(usual);
    let by = |channel: &str| {
        let text = fill(text, theirs, Some(&format!("{url}?s={channel}")));
        utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
    };
    Linked {
        url: url.to_owned(),
        qr_path: qr_path.to_owned(),
        message: fill(text, theirs, Some(url)),
        whatsapp: format!("https://wa.me/?text={}", by("whatsapp")),
        mail: format!("mailto:?body={}", by("mail")),
    }
}

fn form(seen: &Seen<'_>) -> Option<CodeForm> {
    let form = CodeForm {
        has_code: seen.overview.code.is_some(),
        takes_name: seen.settings.allow_vanity,
        refused: None,
    };
    let is_open = seen.overview.program.enabled && !seen.read_only;
    (is_open && (!form.has_code || form.takes_name)).then_some(form)
}

fn figures(words: &Words, overview: &Overview) -> [Figure; 3] {
    let count = |name: &'static str, number: i64| Figure {
        value: number.to_string(),
        name,
        note: None,
    };
    // Amounts of different currencies are never added up.
    let amounts = |of: fn(&billstack_store::portal::Earned) -> i64| {
        let amounts = overview.earned.iter().filter(|earned| of(earned) != 0);
        let texts: Vec<String> = amounts
            .map(|earned| earned.currency.text(of(earned)))
            .collect();
        (!texts.is_empty()).then(|| texts.join(" · "))
    };
    let awaited = amounts(|of| of.pending);
    [
        count(words.friends, overview.counts.friends),
        count(words.waiting, overview.counts.waiting),
        Figure {
            value: amounts(|of| of.earned).unwrap_or("0".to_owned()),
            name: words.earned,
            note: awaited.map(|amount| filled(words.awaited, &[("amount", &amount)])),
        },
    ]
}

fn of_friend(words: &Words, friend: &Friend, settings: &Settings) -> Line {
    let named = label(friend.name.as_deref(), friend.is_erased, settings.names);
    let (state, note) = match friend.state {
        State::Waiting(WaitingFor::Subscription) => (words.waiting, Some(words.for_subscription)),
        State::Waiting(WaitingFor::Payment) => (words.waiting, Some(words.for_payment)),
        State::Waiting(WaitingFor::Hold) => (words.waiting, Some(words.for_hold)),
        State::Earned => (words.earned, None),
        State::NotCounted => (words.not_counted, None),
        State::Ended => (words.ended, None),
    };
    let until = friend.held_until.map(day).unwrap_or_default();
    let is_open = matches!(friend.state, State::Waiting(_) | State::Earned);
    let reward = friend.reward.get();
    Line {
        name: match named {
            Named::Shown(name) => name,
            Named::Hidden => words.a_friend.to_owned(),
            Named::Erased => words.former.to_owned(),
        },
        note: note.map(|note| filled(note, &[("day", &until)])),
        state,
        kind: friend.state.as_str(),
        day: day(friend.applied_at),
        amount: (is_open && reward > 0).then(|| friend.currency.text(reward)),
    }
}

fn of_credit(words: &Words, credit: &Credit) -> Line {
    let is_held = credit.status == CreditStatus::Held;
    let until = credit.held_until.filter(|_| is_held).map(day);
    let kind = crate::api::portal::credits::state(credit.status);
    Line {
        name: match credit.side {
            Some(Side::Referrer) => words.for_friend,
            Some(Side::Referee) => words.welcome,
            Some(Side::Other(_)) | None => words.other,
        }
        .to_owned(),
        note: until.map(|until| filled(words.for_hold, &[("day", &until)])),
        state: match kind {
            "waiting" => words.waiting,
            "earned" => words.earned,
            _ => words.not_counted,
        },
        kind,
        day: day(credit.created_at),
        amount: Some(
            credit
                .currency
                .text(credit.amount.get() - credit.parts.reversed),
        ),
    }
}
