"""What share links leave with a visitor."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from .types import LinkSettings

#: No token is nearly as long; what is longer is somebody's joke.
_LONGEST = 1_024


class Click(NamedTuple):
    """A click that has to be kept until the visitor signs up."""

    click_token: str
    #: The address without the token: send the visitor there.
    location: str
    #: The value of `Set-Cookie` to send along.
    set_cookie: str


def take_click(
    address: str, *, parameter: str = "ref_click", cookie: str = "ref_click", days: int = 60
) -> Click | None:
    """The click that a page was called with, if any, whatever somebody sends for an address. It may be a path.

    `parameter` and `days` are `clickParameter` and `windowDays` of the link settings. Without HTTPS, as on your own
    machine, take `; Secure` out of the cookie.
    """
    try:
        # A path that begins with two slashes would lead to another host.
        parts = urlsplit(re.sub(r"^[\\/]+", "/", address))
        query = parse_qsl(parts.query, keep_blank_values=True)
        token = next((value for name, value in query if name == parameter), "")
        if not token or len(token) > _LONGEST:
            return None
        rest = urlencode([(name, value) for name, value in query if name != parameter])
        kept = quote(token, safe="")
        path = quote(re.sub(r"^[\\/]*", "/", parts.path), safe="/%:@!$&'()*+,;=~")
    except ValueError:
        return None
    location = path + (f"?{rest}" if rest else "")
    age = f"Max-Age={days * 86_400}"
    return Click(token, location, f"{cookie}={kept}; Path=/; {age}; HttpOnly; Secure; SameSite=Lax")


def kept_click(cookies: str | None, *, cookie: str = "ref_click") -> str | None:
    """The token that was kept, from the header `Cookie`, if any."""
    begin = f"{cookie}="
    found = next((one for one in re.split("; *", cookies or "") if one.startswith(begin)), "")
    return unquote(found.removeprefix(begin)) or None


def forget_click(*, cookie: str = "ref_click") -> str:
    """The value of `Set-Cookie` that removes the token once the account is made."""
    return f"{cookie}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"


def share_url(settings: LinkSettings, code: str, via: str | None = None) -> str:
    """The link that a customer shares: by a code or a name of it; `via` tells clicks apart (`qr`, `whatsapp`, `mail`)."""
    url = settings["shareUrls"][0].replace("{code}", quote(code, safe=""))
    return url if via is None else f"{url}?s={quote(via, safe='')}"
