//! Whether whoever follows a link is a visitor.
//!
//! Much that follows a link is none: programs that draw a preview of it in a chat, browsers that load a page before
//! anybody wants it, scanners of mail. All of them are sent on like everybody, but a click that nobody made is not
//! counted. It is about counts alone: whether a referral counts never hangs on what a browser says of itself.

/// What a request tells of whoever follows a link. Names and values as they were sent.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    /// Whether it is a `HEAD`.
    pub is_head: bool,
    /// `User-Agent`.
    pub agent: Option<&'a str>,
    /// `Sec-Fetch-Mode`.
    pub fetch_mode: Option<&'a str>,
    /// `Sec-Purpose`, `Purpose`, `X-Purpose` and `X-Moz`, where they are.
    pub purposes: [Option<&'a str>; 4],
}

/// Who follows a link.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Visit {
    /// Somebody, as far as can be told.
    Person,
    /// A program that shows a picture and a title of the page, for people who may follow the link later.
    Preview,
    /// Another program, or a browser that nobody has asked to.
    Nobody,
}

/// Words in the agents of programs that draw previews, in small letters. Their makers publish them; Apple's iMessage
/// calls itself by those of Facebook and Twitter, and Signal by that of WhatsApp. The browsers inside of the
/// applications of the same names have none of them.
const PREVIEWS: &[&str] = &[
    "bitlybot",
    "bluesky cardyb",
    "discordbot",
    "embedly",
    "facebookexternalhit",
    "facebot",
    "flipboardproxy",
    "google-pagerenderer",
    "iframely",
    "kakaotalk-scrap",
    "linespider",
    "linkedinbot",
    "mastodon/",
    "mattermost-bot",
    "meta-externalfetcher",
    "microsoftpreview",
    "misskey/",
    "nextcloud server crawler",
    "pinterestbot",
    "pleroma",
    "quora link preview",
    "redditbot",
    "rocket.chat",
    "skypeuripreview",
    "slack-imgproxy",
    "slackbot",
    "snap url preview",
    "synapse (bot",
    "telegrambot",
    "tumblr/",
    "twitterbot",
    "vkshare",
    "whatsapp/",
    "xing-contenttabreceiver",
    "zoombot",
    "zulipurlpreview",
];

/// Words in the agents of other programs. The first ones are in most of them.
const PROGRAMS: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "slurp",
    "scan",
    "preview",
    "fetch",
    "monitor",
    "headless",
    "lighthouse",
    "http-client",
    "httpclient",
    "http_request",
    "python",
    "curl/",
    "wget/",
    "go-http",
    "java/",
    "okhttp",
    "axios",
    "node",
    "undici",
    "ruby",
    "perl",
    "php",
    "postman",
    "insomnia",
    "libwww",
    "feed",
    "archive",
    "validator",
    "proofpoint",
    "barracuda",
    "mimecast",
    "safelinks",
    "symantec",
    "phantomjs",
    "puppeteer",
    "playwright",
    "selenium",
];

/// Who follows a link with these headers.
pub fn visit(headers: &Headers<'_>) -> Visit {
    let agent = headers.agent.unwrap_or_default().to_ascii_lowercase();
    // The phones of a maker have "bot" in their name.
    let agent = agent.replace("cubot", "");
    let is_one_of = |words: &[&str]| words.iter().any(|word| agent.contains(word));
    if is_one_of(PREVIEWS) {
        return Visit::Preview;
    }
    let is_early = is_early(headers);
    let is_no_page = headers.fetch_mode.is_some_and(|mode| mode != "navigate");
    let is_program = agent.trim().is_empty() || is_one_of(PROGRAMS);
    match headers.is_head || is_early || is_no_page || is_program {
        true => Visit::Nobody,
        false => Visit::Person,
    }
}

/// Whether somebody wants the page now, whatever they call themselves: no browser that loads it ahead, and no program
/// that draws a preview.
pub fn is_wanted(headers: &Headers<'_>) -> bool {
    !headers.is_head && !is_early(headers) && visit(headers) != Visit::Preview
}

fn is_early(headers: &Headers<'_>) -> bool {
    let mut purposes = headers.purposes.iter().flatten();
    purposes.any(|purpose| is_ahead(purpose))
}

/// Whether a page is loaded before anybody wants it: `prefetch`, `prefetch;prerender`, `preview`.
fn is_ahead(purpose: &str) -> bool {
    let purpose = purpose.to_ascii_lowercase();
    purpose.contains("prefetch") || purpose.contains("preview")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(agent: &str) -> Visit {
        visit(&Headers {
            agent: Some(agent),
            fetch_mode: Some("navigate"),
            ..Headers::default()
        })
    }

    #[test]
    fn browsers_are_persons_also_inside_of_applications() {
        for agent in [
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21A329 Instagram 300.0.0.0 (iPhone14,5; iOS 17_0)",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/430.0]",
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36 [LinkedInApp]/4.1",
            "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36 Snapchat/12.50",
            "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
        ] {
            assert_eq!(by(agent), Visit::Person, "{agent}");
        }
    }

    #[test]
    fn chats_draw_previews() {
        for agent in [
            "WhatsApp/2.23.20.0 A",
            "TelegramBot (like TwitterBot)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
            "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
            "http.rb/5.1.1 (Mastodon/4.2.0; +https://mastodon.social/) Bot",
            "Synapse (bot; +https://github.com/matrix-org/synapse)",
        ] {
            assert_eq!(by(agent), Visit::Preview, "{agent}");
        }
    }

    #[test]
    fn programs_are_nobody() {
        for agent in [
            "",
            "  ",
            "curl/8.5.0",
            "Wget/1.21.4",
            "python-requests/2.32.0",
            "Go-http-client/2.0",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
            "Mozilla/5.0 (compatible; YandexBot/3.0)",
            "node",
            "axios/1.7.2",
            "Feedfetcher-Google; (+http://www.google.com/feedfetcher.html)",
        ] {
            assert_eq!(by(agent), Visit::Nobody, "{agent}");
        }
        assert_eq!(visit(&Headers::default()), Visit::Nobody);
    }

    #[test]
    fn what_nobody_has_asked_for_is_no_visit() {
        let person = Headers {
            agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            ..Headers::default()
        };
        // Safari before 16.4 sends no mode.
        assert_eq!(visit(&person), Visit::Person);
        for mode in ["no-cors", "cors", "same-origin", "websocket"] {
            let fetch_mode = Some(mode);
            let headers = Headers {
                fetch_mode,
                ..person
            };
            assert_eq!(visit(&headers), Visit::Nobody, "{mode}");
        }
        for (at, purpose) in ["prefetch;prerender", "prefetch", "PREVIEW", "prefetch"]
            .iter()
            .enumerate()
        {
            let mut headers = person;
            headers.purposes[at] = Some(purpose);
            assert_eq!(visit(&headers), Visit::Nobody, "{purpose}");
        }
        let is_head = true;
        assert_eq!(visit(&Headers { is_head, ..person }), Visit::Nobody);
    }
}
