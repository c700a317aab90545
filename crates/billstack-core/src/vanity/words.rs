//! Words that are nobody's name of a code.
//!
//! A name is printed in a link to somebody's product, in mails and on posters. The lists are short on purpose and our
//! own: what reviewers of this project would not want to see there, in the five languages of the customer's page.
//! They keep out what is typed without a thought, not what is meant as a riddle.

/// What software reads in its own way, or what speaks in the name of the product.
const RESERVED: &[&str] = &[
    "ABUSE",
    "ACCOUNT",
    "ADMIN",
    "ANONYMOUS",
    "API",
    "APP",
    "APPLY",
    "BILLING",
    "BILLSTACK",
    "CODE",
    "CODES",
    "CREDIT",
    "CREDITS",
    "DELETE",
    "DEMO",
    "EMBED",
    "EXAMPLE",
    "FALSE",
    "FREE",
    "HELP",
    "HOME",
    "INDEX",
    "INFO",
    "INVITE",
    "LEGAL",
    "LINK",
    "LINKS",
    "LOGIN",
    "LOGOUT",
    "MAIL",
    "NONE",
    "NULL",
    "OFFER",
    "OFFICIAL",
    "PORTAL",
    "PRIVACY",
    "PROMO",
    "REF",
    "REFERRAL",
    "REFERRALS",
    "REFUND",
    "REGISTER",
    "ROOT",
    "SALES",
    "SECURITY",
    "SIGNIN",
    "SIGNUP",
    "STAFF",
    "STATUS",
    "STRIPE",
    "SUPPORT",
    "SYSTEM",
    "TEAM",
    "TEST",
    "TRUE",
    "UNDEFINED",
    "UNKNOWN",
    "USER",
    "VERIFY",
    "WEBHOOK",
    "WEBHOOKS",
    "WWW",
];

/// Rude wherever they stand: no ordinary name holds them.
const ANYWHERE: &[&str] = &[
    "ARSCHLOCH",
    "ASSHOLE",
    "BITCH",
    "BLOWJOB",
    "BOLLOCKS",
    "CABRON",
    "CARALHO",
    "CONNARD",
    "COJONES",
    "FAGGOT",
    "FICKEN",
    "FUCK",
    "GILIPOLLAS",
    "HEILHITLER",
    "HITLER",
    "HURENSOHN",
    "MERDE",
    "MIERDA",
    "MOTHERF",
    "NAZI",
    "NEGER",
    "NIGGA",
    "NIGGER",
    "NUTTE",
    "PENDEJO",
    "PORNO",
    "PUTAIN",
    "RETARD",
    "SALOPE",
    "SCHEISS",
    "SCHLAMPE",
    "SHIT",
    "SIEGHEIL",
    "VAGINA",
    "VIADO",
    "WANKER",
    "WHORE",
    "WICHSER",
];

/// Rude as a word of their own.
const ALONE: &[&str] = &[
    "ANAL", "ANUS", "ARSCH", "ARSE", "ASS", "BITE", "BUCETA", "CACA", "COCK", "CON", "CONO",
    "CRAP", "CUL", "CULO", "CUM", "CUNT", "CUNTS", "DAMN", "DICK", "DICKS", "FAG", "FDP", "FICK",
    "FOTZE", "HURE", "ISIS", "KKK", "MERDA", "NIGGAS", "PAKI", "PD", "PENIS", "PISS", "POLLA",
    "PORN", "PUSSY", "PUTA", "PUTAS", "PUTO", "RAPE", "RAPIST", "SEX", "SLUT", "SLUTS", "SPIC",
    "TIT", "TITS", "TWAT",
];

/// Whether a name without signs means something else.
pub(super) fn is_reserved(folded: &str) -> bool {
    RESERVED.contains(&folded)
}

/// Whether a name in capital letters, with its signs, is or holds a rude word.
pub(super) fn is_rude(shown: &str) -> bool {
    let parts = || shown.split(['-', '_']).map(as_letters);
    let whole: String = parts().collect();
    ANYWHERE.iter().any(|word| whole.contains(word))
        || ALONE.contains(&whole.as_str())
        || parts().any(|part| ALONE.contains(&part.as_str()))
}

/// Digits as the letters that they are used for.
fn as_letters(part: &str) -> String {
    part.chars()
        .map(|c| match c {
            '0' => 'O',
            '1' => 'I',
            '3' => 'E',
            '4' => 'A',
            '5' => 'S',
            '7' => 'T',
            other => other,
        })
        .collect()
}
