//! By what a referral came about: a code that somebody typed, or a click on a share link.
//!
//! What was typed comes first, because somebody meant it. A click fills in where nothing was typed; beside a code it
//! never refuses anything, and tells at most by what way the code came.

use crate::click::{Click, Key};
use crate::time::Micros;

text_enum! {
    /// By what a referral came about.
    pub enum Source {
        /// A code was typed, or filled in.
        Code = "code",
        /// A share link was followed.
        Click = "click",
    }
}

text_enum! {
    /// Why the click that came with a code tells nothing.
    pub enum Ignored {
        /// Its token is none of ours.
        Invalid = "invalid",
        /// It was too long ago.
        Expired = "expired",
        /// It was a click on the link of another code.
        OtherCode = "other code",
    }
}

/// By what a referral came about, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    pub source: Source,
    /// By what way the link reached the customer.
    pub channel: Option<String>,
    pub clicked_at: Option<Micros>,
}

impl Attribution {
    /// A code, and nothing is known of a click.
    pub const CODE: Attribution = Attribution {
        source: Source::Code,
        channel: None,
        clicked_at: None,
    };

    fn of(source: Source, click: &Click) -> Attribution {
        Attribution {
            source,
            channel: Some(click.channel.clone()),
            clicked_at: Some(click.at),
        }
    }
}

/// What a click token turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// None of this project's.
    Invalid,
    /// A click that was too long ago.
    Expired(Click),
    /// A click that counts.
    Good(Click),
}

impl Token {
    /// Reads a token of a project, which has no key before it has links.
    pub fn read(
        token: &str,
        project: i64,
        key: Option<&Key>,
        now: Micros,
        window_days: i64,
    ) -> Token {
        match key.and_then(|key| Click::read(token, project, key)) {
            None => Token::Invalid,
            Some(click) if click.is_over(now, window_days) => Token::Expired(click),
            Some(click) => Token::Good(click),
        }
    }

    /// The click, when the token is one of ours.
    pub fn click(&self) -> Option<&Click> {
        match self {
            Token::Invalid => None,
            Token::Expired(click) | Token::Good(click) => Some(click),
        }
    }
}

/// What somebody sends who wants to be referred. A text and a token each come with the code that they lead to, if they
/// lead to one.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// What was typed; `None` when nothing was.
    pub typed: Option<Option<&'a str>>,
    /// The click token; `None` when there was none.
    pub token: Option<(&'a Token, Option<&'a str>)>,
}

/// Which code shall count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub code: String,
    pub attribution: Attribution,
    /// Whether the click that the code is taken from was too long ago. It is refused for that only after what no
    /// repetition changes.
    pub is_over: bool,
    /// Why the click beside a code tells nothing.
    pub ignored: Option<Ignored>,
}

/// Why no code can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCode {
    /// What was sent leads to none.
    Unknown,
    /// The token that came alone is none of this project's.
    InvalidToken,
}

/// Chooses the code that counts: the typed one, or else that of the click.
pub fn choose(sent: &Sent<'_>) -> Result<Chosen, NoCode> {
    let Some(typed) = sent.typed else {
        return by_click(sent);
    };
    let code = typed.ok_or(NoCode::Unknown)?;
    let (attribution, ignored) = match sent.token {
        None => (Attribution::CODE, None),
        Some((Token::Invalid, _)) => (Attribution::CODE, Some(Ignored::Invalid)),
        Some((Token::Expired(_), _)) => (Attribution::CODE, Some(Ignored::Expired)),
        Some((Token::Good(click), of)) if of == Some(code) => {
            (Attribution::of(Source::Code, click), None)
        }
        Some((Token::Good(_), _)) => (Attribution::CODE, Some(Ignored::OtherCode)),
    };
    Ok(Chosen {
        code: code.to_owned(),
        attribution,
        is_over: false,
        ignored,
    })
}

fn by_click(sent: &Sent<'_>) -> Result<Chosen, NoCode> {
    let (token, code) = sent.token.ok_or(NoCode::Unknown)?;
    let click = token.click().ok_or(NoCode::InvalidToken)?;
    Ok(Chosen {
        code: code.ok_or(NoCode::Unknown)?.to_owned(),
        attribution: Attribution::of(Source::Click, click),
        is_over: matches!(token, Token::Expired(_)),
        ignored: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DAY;

    const KEY: Key = [7; 32];
    const ADA: &str = "AB2CD3EF";
    const BOB: &str = "ZY2XW3VU";

    fn click() -> Click {
        Click {
            project: 5,
            code: "ADA".to_owned(),
            at: Micros::from_secs(1_795_900_000),
            channel: "qr".to_owned(),
            chance: [1; 10],
        }
    }

    fn choice(
        typed: Option<Option<&str>>,
        token: Option<(&Token, Option<&str>)>,
    ) -> Result<Chosen, NoCode> {
        choose(&Sent { typed, token })
    }

    fn typed(code: &str, attribution: Attribution, ignored: Option<Ignored>) -> Chosen {
        Chosen {
            code: code.to_owned(),
            attribution,
            is_over: false,
            ignored,
        }
    }

    #[test]
    fn a_typed_code_comes_first_and_no_token_refuses_it() {
        let ada = || Some(Some(ADA));
        let code = |ignored| Ok(typed(ADA, Attribution::CODE, ignored));
        let (good, old) = (Token::Good(click()), Token::Expired(click()));
        assert_eq!(choice(ada(), None), code(None));
        let invalid = Some((&Token::Invalid, None));
        assert_eq!(choice(ada(), invalid), code(Some(Ignored::Invalid)));
        let expired = Some((&old, Some(ADA)));
        assert_eq!(choice(ada(), expired), code(Some(Ignored::Expired)));
        for other in [Some(BOB), None] {
            let other = Some((&good, other));
            assert_eq!(choice(ada(), other), code(Some(Ignored::OtherCode)));
        }
        let same = Attribution::of(Source::Code, &click());
        let expected = Ok(typed(ADA, same, None));
        assert_eq!(choice(ada(), Some((&good, Some(ADA)))), expected);
    }

    #[test]
    fn a_typed_text_that_is_no_code_is_refused_whatever_was_clicked() {
        let good = Token::Good(click());
        for token in [
            None,
            Some((&good, Some(ADA))),
            Some((&Token::Invalid, None)),
        ] {
            assert_eq!(choice(Some(None), token), Err(NoCode::Unknown));
        }
    }

    #[test]
    fn a_click_alone_brings_its_code() {
        let by = |token: &Token, code| choice(None, Some((token, code)));
        let chosen = |is_over| Chosen {
            code: ADA.to_owned(),
            attribution: Attribution::of(Source::Click, &click()),
            is_over,
            ignored: None,
        };
        assert_eq!(by(&Token::Good(click()), Some(ADA)), Ok(chosen(false)));
        assert_eq!(by(&Token::Expired(click()), Some(ADA)), Ok(chosen(true)));
        assert_eq!(by(&Token::Invalid, None), Err(NoCode::InvalidToken));
        assert_eq!(by(&Token::Good(click()), None), Err(NoCode::Unknown));
        assert_eq!(choice(None, None), Err(NoCode::Unknown));
    }

    #[test]
    fn a_token_is_good_until_its_window_ends() {
        let token = click().token(&KEY).unwrap();
        let at = |days: i64, key: Option<&Key>| {
            let now = click().at.plus(days * DAY);
            Token::read(&token, 5, key, now, 60)
        };
        assert_eq!(at(60, Some(&KEY)), Token::Good(click()));
        assert_eq!(at(61, Some(&KEY)), Token::Expired(click()));
        assert_eq!(at(1, Some(&[8; 32])), Token::Invalid);
        assert_eq!(at(1, None), Token::Invalid);
    }
}
