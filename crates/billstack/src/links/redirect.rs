//! `GET /r/{code}` and `GET /r/{slug}/{code}`.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::header::{HeaderName, HeaderValue, LOCATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use billstack_core::click::Click;
use billstack_core::link::{Baggage, Headers, Visit, channel, visit};
use billstack_core::time::DAY;
use billstack_core::vanity;
use billstack_store::links::{Counted, FIRST, Found};
use reqwest::Url;

use super::known::{self, Link};
use super::page;
use crate::app::{App, Shared};
use crate::http::visitor::client_address;
use crate::secrets::random_bytes;

/// The headers by which browsers say that nobody has asked for a page yet.
const PURPOSES: [HeaderName; 4] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-purpose"),
    HeaderName::from_static("x-moz"),
];

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// A link of the first project of the server.
pub async fn of_first(
    State(app): State<Shared>,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
    request: Request,
) -> Response {
    match path {
        Ok(Path(code)) => follow(&app, FIRST, &code, request).await,
        Err(_) => page::nowhere(),
    }
}

/// A link of the project with this short name.
pub async fn of_project(
    State(app): State<Shared>,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
    request: Request,
) -> Response {
    match path {
        // The name of links without one stands in no path.
        Ok(Path((slug, code))) if slug != FIRST => follow(&app, &slug, &code, request).await,
        _ => page::nowhere(),
    }
}

async fn follow(app: &Shared, slug: &str, typed: &str, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let (asked, followed) = (Asked::read(&parts), Followed::new(slug, typed));
    let link = known::find(app, slug, followed.read.as_deref()).await;
    let (answer, click) = answer(app, &followed, link, visit(&headers(&parts)), &asked);
    if let Some((found, good)) = click {
        count(app, &found, &good, asked.channel(), &parts);
    }
    answer
}

/// What whoever follows a link would get by what the database says now. Nothing is counted.
pub(crate) async fn tried(app: &Shared, slug: &str, typed: &str, who: Visit) -> Response {
    let followed = Followed::new(slug, typed);
    let link = known::ask_now(app, slug, followed.read.as_deref()).await;
    let (answer, _) = answer(app, &followed, link, who, &Asked(Vec::new()));
    answer
}

/// A link that somebody follows.
struct Followed<'l> {
    slug: &'l str,
    typed: &'l str,
    /// The code or name in it, where it can be one.
    read: Option<String>,
}

impl<'l> Followed<'l> {
    fn new(slug: &'l str, typed: &'l str) -> Followed<'l> {
        let read = vanity::read_any(typed).filter(|_| !slug.contains('\0'));
        Followed { slug, typed, read }
    }
}

/// The answer to whoever follows a link, and of what it is a click.
fn answer(
    app: &App,
    followed: &Followed<'_>,
    link: Link,
    who: Visit,
    asked: &Asked,
) -> (Response, Option<(Arc<Found>, Good)>) {
    let (found, good) = match link {
        Link::Known(found) => {
            let good = Good::known(&found);
            (found, good)
        }
        Link::CodeUnheard(found) => {
            let good = Good::unheard(&found, followed.read.clone());
            (found, good)
        }
        Link::Nowhere => return (page::nowhere(), None),
        Link::Unheard => return (page::unheard(), None),
    };
    if let (Visit::Preview, true, Some(card), Some(_)) = (
        who,
        found.settings.enabled,
        &found.settings.card,
        &found.settings.landing_url,
    ) {
        let address = address(app, followed.slug, followed.typed);
        return (page::card(card, &address), None);
    }
    let answer = send_on(app, &found, good.as_ref(), asked);
    let good = good.filter(|_| who == Visit::Person);
    (answer, good.map(|good| (found, good)))
}

/// A code that counts, as far as is known.
struct Good {
    code: String,
    shown: String,
    /// Whether the database has said so.
    is_known: bool,
}

impl Good {
    fn known(found: &Found) -> Option<Good> {
        let code = found.code.as_ref().filter(|code| code.is_active)?;
        let is_on = found.is_open && found.settings.enabled;
        is_on.then(|| Good {
            code: code.code.clone(),
            shown: code.names.0.first().unwrap_or(&code.code).clone(),
            is_known: true,
        })
    }

    /// Nobody can say whether there is such a code; whoever applies it looks again.
    fn unheard(found: &Found, read: Option<String>) -> Option<Good> {
        let is_on = found.is_open && found.settings.enabled;
        read.filter(|_| is_on).map(|code| Good {
            shown: code.clone(),
            code,
            is_known: false,
        })
    }
}

/// What of the query of a link is of use.
struct Asked(Vec<(String, String)>);

impl Asked {
    fn read(parts: &Parts) -> Asked {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = Url::parse(&format!("https://x/?{query}"));
        let pairs = pairs.map(|url| {
            let pairs = url.query_pairs();
            pairs
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect()
        });
        Asked(pairs.unwrap_or_default())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn channel(&self) -> &'static str {
        channel(self.get("s"))
    }
}

fn send_on(app: &App, found: &Found, good: Option<&Good>, asked: &Asked) -> Response {
    let settings = &found.settings;
    let Some(landing) = settings.landing() else {
        return page::nowhere();
    };
    let token = good.and_then(|good| token(app, found, good, asked.channel()));
    let baggage = Baggage {
        code: good.map(|good| (settings.code_parameter.as_str(), good.shown.as_str())),
        token: token
            .as_deref()
            .map(|token| (settings.click_parameter.as_str(), token)),
    };
    let all = asked.0.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let target = landing.target(asked.get("to"), baggage, all);
    match HeaderValue::from_str(&target) {
        Ok(target) => (StatusCode::FOUND, page::headers(), [(LOCATION, target)]).into_response(),
        Err(_) => page::nowhere(),
    }
}

fn token(app: &App, found: &Found, good: &Good, channel: &str) -> Option<String> {
    let click = Click {
        project: found.place.project_id.number(),
        code: good.code.clone(),
        at: app.now().plus(found.ahead),
        channel: channel.to_owned(),
        chance: random_bytes(),
    };
    click.token(found.key.as_ref()?)
}

/// Counts a click, if its code is known and the address has not clicked too often.
fn count(app: &Shared, found: &Found, good: &Good, channel: &str, parts: &Parts) {
    let is_sent_on = found.settings.landing_url.is_some();
    let address = client_address(parts, app).unwrap_or_default();
    if !good.is_known || !is_sent_on || !app.click_pace.counts(&address) {
        return;
    }
    let counted = Counted {
        code: good.code.clone(),
        day: app.now().plus(found.ahead).0.div_euclid(DAY),
        channel: channel.to_owned(),
    };
    app.clicks.add(&found.place, counted);
}

/// What a request tells of whoever follows a link.
pub(crate) fn headers(parts: &Parts) -> Headers<'_> {
    let text = |name: &HeaderName| parts.headers.get(name).map(HeaderValue::as_bytes);
    let text = |name| text(name).and_then(|bytes| std::str::from_utf8(bytes).ok());
    Headers {
        is_head: parts.method == Method::HEAD,
        agent: text(&USER_AGENT),
        fetch_mode: text(&FETCH_MODE),
        purposes: PURPOSES.each_ref().map(text),
    }
}

/// The link itself, without its query.
fn address(app: &App, slug: &str, typed: &str) -> String {
    let code = vanity::read_any(typed).unwrap_or_default();
    let base = app.public_url();
    match slug == FIRST {
        true => format!("{base}/r/{code}"),
        false => format!("{base}/r/{slug}/{code}"),
    }
}
