"""What is sent. Whatever could never arrive is refused before anything is tried, in words that hold no secret."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Mapping
from urllib.parse import quote, urlsplit


def project_address(api: str) -> str:
    """The address of the project, as paths are put behind it."""
    text = api.strip() if isinstance(api, str) else ""
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_web = False
    if not is_web or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError("api is no address of the web") from None
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError("api is an address alone: no user, password, query or fragment")
    return text.rstrip("/")


def authorization(api_key: str) -> str:
    """The value of `Authorization`. What is read from a file often ends with a line break."""
    key = api_key.strip() if isinstance(api_key, str) else ""
    if not key:
        raise ValueError("api_key is needed")
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise ValueError("api_key is no API key: it holds what a header cannot")
    return f"Bearer {key}"


def checked_key(key: str) -> str:
    """A key as the server takes it. Blanks at its ends would be lost on the way."""
    if not isinstance(key, str) or not re.fullmatch(r"(?! )[\x20-\x7e]{1,255}(?<! )", key):
        raise ValueError("idempotency_key has 1 to 255 printable ASCII characters, none of those at its ends a blank")
    return key


def needed(key: str) -> str:
    """Repeated without a key, some calls would do as much once more, so nobody gets one that no other process has."""
    if key is None:
        raise ValueError("this call needs an idempotency_key that belongs to the matter")
    return key


def check_place(method: str, path: str) -> None:
    if method not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        raise ValueError("method is GET, POST, PUT, PATCH or DELETE")
    if not re.fullmatch(r"/[^\s\x00-\x1f\x7f]*", path):
        raise ValueError("path begins with a slash, and holds neither blanks nor control characters")


def segment(text: str) -> str:
    """One segment of a path."""
    # An address with these means another one, however they are written.
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} names nothing")
    # Signs are written as by the client for Node, so that the same matter has the same address.
    return quote(text, safe="!'()*")


def parameters(query: Mapping[str, Any] | None) -> dict[str, str]:
    """The query, as texts."""
    return {name: _parameter(value) for name, value in (query or {}).items() if value is not None}


def _parameter(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def canonical(value: Any) -> bytes:
    """The one text of a value in JSON, as RFC 8785 has it: members by name, no blanks.

    The client for Node writes the same bytes, so that the same matter under the same key is the same request.
    """
    # Half a character, which no other text has, is written as in a program.
    return _ordered(value).encode("utf-8", "backslashreplace")


def _ordered(value: Any) -> str:
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("a member of an object in JSON has a text for its name")
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_ordered(name)}:{_ordered(value[name])}" for name in names) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_ordered, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """As JavaScript writes it: the fewest digits that tell the number."""
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    written = (whole + fraction).lstrip("0")
    point = len(written) - len(fraction) + int(exponent or 0)
    digits = written.rstrip("0")
    if 0 < point <= 21:
        rest = digits[point:]
        text = digits.ljust(point, "0")[:point] + (f".{rest}" if rest else "")
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + (f".{digits[1:]}" if digits[1:] else "") + f"e{point - 1:+d}"
    return f"-{text}" if value < 0 else text
