//! A customer's page as HTML. Nothing in it needs a script; what only a script can do is hidden until one shows it.

use billstack_core::portal::{Locale, Theme};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets;
use super::sight::{CodeForm, Figure, Line, Linked, Sharing, Sight};
use super::words::{Words, words};

/// What the page holds, without its head: what a frame shows too.
pub fn view(sight: &Sight) -> Markup {
    let words = words(sight.locale);
    html! {
        div.portal lang=(sight.locale.as_str()) {
            @if sight.is_sample {
                p.sample { (words.sample) }
            }
            h1 { (sight.title) }
            p.offer { (sight.offer) }
            @if let Some(share) = &sight.share { (sharing(words, share)) }
            @if let Some(form) = &sight.form { (code_form(words, form)) }
            ul.figures { @for of in &sight.figures { (figure(of)) } }
            section data-list="referrals" {
                h2 { (words.your_friends) }
                (list(words.no_friends, &sight.friends))
                (older(words, sight.older_friends.as_deref()))
            }
            section data-list="credits" {
                h2 { (words.your_credits) }
                (list(words.no_credits, &sight.credits))
                (older(words, sight.older_credits.as_deref()))
            }
            section.terms {
                h2 { (words.terms) }
                p { (sight.terms) }
            }
        }
    }
}

fn sharing(words: &Words, share: &Sharing) -> Markup {
    html! {
        section.share {
            @if let Some(link) = &share.link { (linked(words, link)) }
            p { (words.your_code) " " code { (share.code) } }
        }
    }
}

fn linked(words: &Words, link: &Linked) -> Markup {
    html! {
        label for="portal-link" { (words.your_link) }
        div.link {
            input id="portal-link" type="text" readonly value=(link.url);
            button type="button" hidden data-copy=(link.url) data-copied=(words.copied)
                data-by-hand=(words.copy_by_hand) { (words.copy) }
            button type="button" hidden data-share=(link.message) { (words.share) }
        }
        p.ways role="status" aria-live="polite" data-said="" {}
        p.ways {
            a.button href=(link.whatsapp) target="_blank" rel="noopener noreferrer" data-channel="whatsapp" { (words.by_whatsapp) }
            " "
            a.button href=(link.mail) data-channel="mail" { (words.by_mail) }
        }
        img.qr src=(link.qr_path) alt=(words.qr) width="160" height="160" loading="lazy";
    }
}

fn code_form(words: &Words, form: &CodeForm) -> Markup {
    html! {
        form.code method="post" action="/portal/code" data-refused=(words.name_refused) {
            @if form.takes_name {
                label for="portal-vanity" { (words.name_of_code) }
                @match &form.refused {
                    Some(typed) => {
                        p.error id="portal-refused" { (words.name_refused) }
                        input id="portal-vanity" name="vanity" value=(typed) maxlength="24" autocomplete="off"
                            aria-invalid="true" aria-describedby="portal-refused";
                    }
                    None => {
                        input id="portal-vanity" name="vanity" maxlength="24" autocomplete="off";
                    }
                }
            }
            button type="submit" {
                @if form.has_code { (words.save) } @else { (words.make_code) }
            }
        }
    }
}

fn figure(figure: &Figure) -> Markup {
    html! {
        li {
            strong { (figure.value) } " " span { (figure.name) }
            @if let Some(note) = &figure.note { " " small { (note) } }
        }
    }
}

fn list(empty: &str, lines: &[Line]) -> Markup {
    html! {
        @if lines.is_empty() {
            p.empty { (empty) }
        } @else {
            ul.lines { @for of in lines { (line(of)) } }
        }
    }
}

fn line(line: &Line) -> Markup {
    html! {
        li {
            span.name { (line.name) } " "
            time datetime=(line.day) { (line.day) } " "
            span.state data-state=(line.kind) { (line.state) }
            @if let Some(amount) = &line.amount { " " span.amount { (amount) } }
            @if let Some(note) = &line.note { " " span.note { (note) } }
        }
    }
}

fn older(words: &Words, query: Option<&str>) -> Markup {
    html! {
        @if let Some(query) = query {
            p { a href={ "?" (query) } { (words.older) } }
        }
    }
}

/// The whole page.
pub fn page(sight: &Sight, theme: &Theme) -> Markup {
    document(sight.locale, &sight.title, theme, &view(sight))
}

/// The page of somebody whom nothing lets in any more.
pub(super) fn over(locale: Locale) -> Markup {
    let words = words(locale);
    let body = html! {
        div.portal {
            h1 { (words.over_title) }
            p { (words.over) }
        }
    };
    document(locale, words.over_title, &Theme::default(), &body)
}

fn document(locale: Locale, title: &str, theme: &Theme, body: &PreEscaped<String>) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(locale.as_str()) {
            (head(title, theme, &html! {}))
            body { main { (body) } }
        }
    }
}

/// A page that is empty until its script has asked for what it shows: here, or where the sample is. Whoever sets it up
/// sees the sample at once, light or dark.
pub(super) fn frame(
    locale: Locale,
    theme: &Theme,
    sample_path: &str,
    (look, sample): (Option<&str>, Option<&Sight>),
) -> Markup {
    let script = html! { script type="module" src=(assets::script_address()) {} };
    html! {
        (DOCTYPE)
        html lang=(locale.as_str()) data-theme=[look] {
            (head(words(locale).title, theme, &script))
            body {
                main id="root" data-view="/portal/view" data-code="/api/portal/code" data-sample=(sample_path) {
                    @if let Some(sample) = sample { (view(sample)) }
                }
            }
        }
    }
}

fn head(title: &str, theme: &Theme, more: &Markup) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="robots" content="noindex";
            title { (title) }
            link rel="stylesheet" href=(assets::theme_address(theme));
            link rel="stylesheet" href=(assets::style_address());
            link rel="icon" href=(assets::icon_address()) type="image/svg+xml";
            (more)
        }
    }
}
