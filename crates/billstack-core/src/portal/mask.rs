//! What a customer sees of a friend's name.

use super::Names;

/// The longest first name that is shown, in characters.
const LONGEST: usize = 40;

/// A friend, as far as the page names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By a first name, or by a letter and an ellipsis.
    Shown(String),
    /// Not at all: "a friend".
    Hidden,
    /// Not at all any more: "a former customer".
    Erased,
}

/// What is shown of a friend with this name. An address that stands in place of a name is none.
pub fn label(name: Option<&str>, is_erased: bool, names: Names) -> Named {
    if is_erased {
        return Named::Erased;
    }
    let name = name.map(str::trim).filter(|name| !name.contains('@'));
    let Some(first) = name.and_then(|name| name.split_whitespace().next()) else {
        return Named::Hidden;
    };
    let is_name = |text: &str| {
        text.chars().count() <= LONGEST
            && text
                .chars()
                .all(|c| (c.is_alphabetic() && !c.is_numeric()) || matches!(c, '\'' | '’' | '-'))
    };
    match names {
        Names::First if is_name(first) => Named::Shown(first.to_owned()),
        Names::First | Names::Initial => initial(first).map_or(Named::Hidden, Named::Shown),
        Names::Hidden | Names::Other(_) => Named::Hidden,
    }
}

fn initial(word: &str) -> Option<String> {
    let first = word.chars().next().filter(|c| c.is_alphabetic())?;
    Some(first.to_uppercase().chain(['…']).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(name: &str, names: Names) -> String {
        match label(Some(name), false, names) {
            Named::Shown(text) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_friend_is_a_letter_a_first_name_or_nobody() {
        assert_eq!(shown("grace Hopper", Names::Initial), "G…");
        assert_eq!(shown("Grace Hopper", Names::First), "Grace");
        assert_eq!(shown("  Zoë-Anne O’Neil", Names::First), "Zoë-Anne");
        assert_eq!(shown("ßa", Names::Initial), "SS…");
        assert_eq!(shown("Grace", Names::Hidden), "Hidden");
        assert_eq!(shown("grace@example.com", Names::First), "Hidden");
        assert_eq!(shown("Grace <grace@example.com>", Names::First), "Hidden");
        assert_eq!(shown("cus_123 x", Names::First), "C…");
        assert_eq!(shown("4711", Names::Initial), "Hidden");
        assert_eq!(shown("", Names::First), "Hidden");
        assert_eq!(shown("\"><img src=x>", Names::First), "Hidden");
        assert_eq!(label(None, false, Names::First), Named::Hidden);
        assert_eq!(label(Some("Grace"), true, Names::First), Named::Erased);
    }

    proptest! {
        #[test]
        fn nothing_but_a_letter_is_shown_by_default(name in "\\PC{0,40}") {
            if let Named::Shown(text) = label(Some(&name), false, Names::Initial) {
                prop_assert!(text.ends_with('…'));
                prop_assert!(text.chars().count() <= 4);
            }
        }

        #[test]
        fn a_first_name_is_one_word_of_letters(name in "\\PC{0,60}") {
            if let Named::Shown(text) = label(Some(&name), false, Names::First) {
                prop_assert!(!text.contains(|c: char| c.is_numeric() || c.is_whitespace() || "@.<>&\"_".contains(c)));
            }
        }
    }
}
