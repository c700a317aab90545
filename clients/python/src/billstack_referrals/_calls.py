"""What both clients know: how a call is written, and what an answer, or none, means."""

from __future__ import annotations

import json
import random
import re
import time
import uuid
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Mapping
from urllib.parse import quote, urlsplit

import httpx

from .errors import BillStackError, Circumstances, NoAnswerError, UnexpectedAnswerError, refusal

#: Refusals that end by themselves, besides those that their status tells.
PASSING = {"idempotency_key_in_use", "customer_being_created"}


#: Calls that no key makes safe to repeat, because an answer with a secret is not kept.
_WITHOUT_KEY = re.compile(r"/(webhook-endpoints|rotate-secret|test)$")


@dataclass(frozen=True)
class Retries:
    """How a call is repeated. Times are in seconds."""

    #: How often a call is tried at most.
    max_attempts: int = 6
    #: No attempt begins later than this after the first.
    max_elapsed: float = 60.0
    #: The first pause between two attempts: each is twice the one before, less up to a half of it by chance.
    first_pause: float = 0.2
    #: The longest pause, unless the server asks for a longer one.
    max_pause: float = 5.0


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    text: str
    json: Any
    headers: Mapping[str, str]

    @classmethod
    def of(cls, response: httpx.Response) -> Answer:
        try:
            content = json.loads(response.content)
        except ValueError:
            content = None
        return cls(response.status_code, response.text, content, response.headers)

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300 and isinstance(self.json, dict)

    @property
    def reason(self) -> str | None:
        if isinstance(self.json, dict) and isinstance(self.json.get("error"), str):
            reason = self.json.get("reason")
            return reason if isinstance(reason, str) else None
        return None


#: An answer, or why there is none.
Attempt = Answer | Exception


@dataclass
class Call:
    """A call and its attempts so far."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    key: str | None
    retries: Retries
    began: float = field(default_factory=time.monotonic)
    attempts: int = 0
    defects: int = 0
    is_in_doubt: bool = False

    def headers(self) -> dict[str, str]:
        headers = {}
        if self.key is not None:
            headers["Idempotency-Key"] = self.key
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def content(self) -> bytes | None:
        return None if self.body is None else json.dumps(self.body).encode()

    def pause_after(self, attempt: Attempt) -> float:
        """How long to wait before the next attempt. Raises what the call failed by, if there is to be none."""
        self.attempts += 1
        if isinstance(attempt, Answer) and attempt.status == 500:
            self.defects += 1
        if self.method != "GET":
            self.is_in_doubt = _stays_in_doubt(attempt, self.is_in_doubt)
        error = self._error(attempt)
        longest = min(self.retries.max_pause, self.retries.first_pause * 2.0 ** (self.attempts - 1))
        pause: float = max(longest * random.uniform(0.5, 1.0), error.retry_after or 0.0)
        is_late = time.monotonic() + pause - self.began > self.retries.max_elapsed
        is_over = self.attempts >= self.retries.max_attempts or is_late
        is_safe = self.key is not None or not self.is_in_doubt
        if is_over or not is_safe or not _is_passing(attempt, self.defects):
            raise error from (attempt if isinstance(attempt, Exception) else None)
        return pause

    def _error(self, attempt: Attempt) -> BillStackError:
        if isinstance(attempt, Exception):
            known = Circumstances(self.attempts, self.is_in_doubt, self.key)
            return NoAnswerError(f"no answer: {attempt or type(attempt).__name__}", known)
        known = Circumstances(
            self.attempts,
            self.is_in_doubt,
            self.key,
            attempt.headers.get("x-request-id"),
            _seconds(attempt.headers.get("retry-after")),
        )
        if attempt.status < 400 or attempt.reason is None:
            return UnexpectedAnswerError(attempt.status, attempt.text, known)
        return refusal(attempt.status, attempt.json, known)


def new_call(
    method: str, path: str, query: Mapping[str, Any] | None, body: Any, key: str | None, retries: Retries
) -> Call:
    """A call that has not begun. A write gets a random key unless it has one."""
    if method == "GET" or (method == "POST" and _WITHOUT_KEY.search(path)):
        key = None
    elif key is None:
        key = str(uuid.uuid4())
    given = {name: _parameter(value) for name, value in (query or {}).items() if value is not None}
    return Call(method, path, given, body, key, retries)


def project_address(api: str) -> str:
    """The address of the project, as paths are put behind it."""
    if urlsplit(api).scheme not in ("http", "https"):
        raise ValueError("api is no address of the web")
    return api.rstrip("/")


def segment(text: str) -> str:
    """One segment of a path."""
    # An address with these means another one, however they are written.
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} names nothing")
    return quote(text, safe="")


def needed(key: str) -> str:
    """Repeated without a key, some calls would do as much once more, so nobody gets one that no other process has."""
    if not key:
        raise ValueError("this call needs an idempotency_key that belongs to the matter")
    return key


def _parameter(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_passing(attempt: Attempt, defects: int) -> bool:
    """Whether a call that was answered like this may be answered otherwise when it is repeated."""
    if isinstance(attempt, Exception) or 200 <= attempt.status < 300:
        return True
    if attempt.status == 500:
        return defects == 1
    return attempt.status in (408, 429, 502, 503, 504) or attempt.reason in PASSING


def _stays_in_doubt(attempt: Attempt, was_in_doubt: bool) -> bool:
    """Whether it is open after this attempt if the write has taken effect."""
    if isinstance(attempt, Exception):
        return True
    status, reason = attempt.status, attempt.reason
    if reason in ("outcome_unknown", "idempotency_key_in_use"):
        return True
    if reason is None and (status >= 500 or status < 300):
        return True
    # These are given before the key is looked at, so they tell nothing of what came before.
    return was_in_doubt and (status >= 500 or status in (401, 403, 408, 429) or reason in PASSING)


def _seconds(header: str | None) -> float | None:
    """A `Retry-After`, in seconds or as a time."""
    if header is None:
        return None
    if header.isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None
