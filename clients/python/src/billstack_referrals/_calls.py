"""What both clients know: how a call goes on after an answer, or after none."""

from __future__ import annotations

import json
import random
import re
import time
import uuid
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Mapping

import httpx

from ._request import canonical, check_place, checked_key, parameters
from .errors import BillStackError, Circumstances, NoAnswerError, UnexpectedAnswerError, refusal, shows_enough

#: Refusals that end by themselves, besides those that their status tells.
PASSING = {"idempotency_key_in_use", "customer_being_created"}

#: Errors of attempts for which no connection came about: nobody has been asked.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

#: No answer of BillStack in JSON is nearly as long, in bytes.
LONGEST = 64 * 1024 * 1024

#: Calls that no key makes safe to repeat, because an answer with a secret is not kept.
_WITHOUT_KEY = re.compile(r"/(webhook-endpoints|rotate-secret|test)$")


@dataclass(frozen=True)
class Retries:
    """How a call is repeated. Times are in seconds."""

    #: How often a call is tried at most, where 429 counts for nothing unless it is 1.
    max_attempts: int = 6
    #: No attempt begins later than this after the first.
    max_elapsed: float = 60.0
    #: The first pause between two attempts: each is twice the one before, less up to a half of it by chance.
    first_pause: float = 0.2
    #: The longest pause. What the server asks for comes on top.
    max_pause: float = 5.0


@dataclass(frozen=True)
class Answer:
    """What was answered, to its end or to `LONGEST`."""

    status: int
    text: str
    json: Any
    headers: Mapping[str, str]

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        return cls(status, content.decode("utf-8", "replace"), parsed(content), headers)

    def holds(self, member: str | None, kind: type) -> bool:
        """Whether it went well, and what it is about is there."""
        if not 200 <= self.status < 300 or not isinstance(self.json, dict):
            return False
        return member is None or isinstance(self.json.get(member), kind)

    @property
    def reason(self) -> str | None:
        """The reason of a refusal, if that is one: with a sentence, and with what it has to show."""
        if not isinstance(self.json, dict) or not isinstance(self.json.get("error"), str):
            return None
        reason = self.json.get("reason")
        return reason if isinstance(reason, str) and shows_enough(reason, self.json) else None


#: An answer, or why there is none.
Attempt = Answer | Exception


def parsed(content: bytes) -> Any:
    """What a stranger sent as JSON, or None."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


@dataclass
class Call:
    """A call and its attempts so far."""

    method: str
    path: str
    query: dict[str, str]
    content: bytes | None
    key: str | None
    retries: Retries
    began: float = field(default_factory=time.monotonic)
    attempts: int = 0
    #: Those that count against the limit.
    counted: int = 0
    defects: int = 0
    is_in_doubt: bool = False

    def headers(self) -> dict[str, str]:
        headers = {}
        if self.key is not None:
            headers["Idempotency-Key"] = self.key
        if self.content is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def pause_after(self, attempt: Attempt) -> float:
        """How long to wait before the next attempt. Raises what the call failed by, if there is to be none."""
        status = attempt.status if isinstance(attempt, Answer) else None
        self.attempts += 1
        # Whoever is to wait has been answered, and waits as long as the time allows.
        self.counted += status != 429 or self.retries.max_attempts <= 1
        self.defects += status == 500
        if self.method != "GET":
            self.is_in_doubt = _stays_in_doubt(attempt, self.is_in_doubt)
        error = self._error(attempt)
        asked = error.retry_after or 0.0
        # Many that wait for the same must not come back at the same moment.
        longest = min(self.retries.max_pause, self.retries.first_pause * 2.0 ** min(self.attempts - 1, 30))
        chance: float = longest * random.uniform(0.5, 1.0)
        left = self.retries.max_elapsed - (time.monotonic() - self.began)
        is_over = self.counted >= self.retries.max_attempts or (asked or chance) > left
        is_safe = self.method == "GET" or self.key is not None or not self.is_in_doubt
        if is_over or not is_safe or not _is_passing(attempt, self.defects):
            raise error from (attempt if isinstance(attempt, Exception) else None)
        return min(asked + chance, left)

    def broken_off(self, why: Exception) -> BillStackError:
        """What a call failed by whose answer broke off when part of it had been passed on."""
        self.attempts += 1
        return self._error(why)

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
    check_place(method, path)
    given = None if key is None else checked_key(key)
    takes_key = method != "GET" and not (method == "POST" and _WITHOUT_KEY.search(path))
    content = None if body is None else canonical(body)
    return Call(method, path, parameters(query), content, (given or str(uuid.uuid4())) if takes_key else None, retries)


def _is_passing(attempt: Attempt, defects: int) -> bool:
    """Whether a call that was answered like this may be answered otherwise when it is repeated."""
    if isinstance(attempt, Exception):
        return True
    if attempt.status == 500:
        return defects == 1
    return attempt.status in (408, 429, 502, 503, 504) or attempt.reason in PASSING


def _stays_in_doubt(attempt: Attempt, was_in_doubt: bool) -> bool:
    """Whether it is open after this attempt if the write has taken effect."""
    if isinstance(attempt, UNSENT):
        return was_in_doubt
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
    if re.fullmatch("[0-9]{1,15}", header):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):
        return None
