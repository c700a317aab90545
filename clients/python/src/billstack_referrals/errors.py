"""What a call can fail by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from .types import Customer, Reason, Referral, ReferralCode


@dataclass(frozen=True)
class Circumstances:
    """What is known of a call that did not end well."""

    #: How often it was tried.
    attempts: int
    #: Whether a write may have taken effect all the same: an attempt had no answer, and no later one told.
    may_have_happened: bool
    #: Of a write. Under the same key the call can be repeated without taking effect twice.
    idempotency_key: str | None = None
    #: Of the answer, if there was one; it leads to the log of the server.
    request_id: str | None = None
    #: For how many seconds the server wants to be left alone.
    retry_after: float | None = None


class BillStackError(Exception):
    """Whatever a call can fail by."""

    def __init__(self, message: str, circumstances: Circumstances) -> None:
        super().__init__(message)
        self.circumstances = circumstances
        self.attempts = circumstances.attempts
        self.may_have_happened = circumstances.may_have_happened
        self.idempotency_key = circumstances.idempotency_key
        self.request_id = circumstances.request_id
        self.retry_after = circumstances.retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        # Queues of tasks and pools of processes hand errors on.
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[BillStackError], args: tuple[Any, ...]) -> BillStackError:
    """An error as it was, without what it is made from."""
    error = kind.__new__(kind)
    error.args = args
    return error


class NoAnswerError(BillStackError):
    """There was no answer, or none to the end; `__cause__` says why."""


class UnexpectedAnswerError(BillStackError):
    """An answer that is not BillStack's: of a proxy in between, or of whatever else is at the address."""

    def __init__(self, status: int, text: str, circumstances: Circumstances) -> None:
        super().__init__(f"an answer {status} that is not of BillStack", circumstances)
        self.status = status
        #: The beginning of what it said.
        self.text = text[:1_000]


class RefusedError(BillStackError):
    """The server refused, and says why in `reason`. Some reasons have a class of their own."""

    def __init__(self, status: int, body: dict[str, Any], circumstances: Circumstances) -> None:
        super().__init__(str(body["error"]), circumstances)
        self.status = status
        self.reason = cast(Reason, body["reason"])
        #: The one member, parameter or header at fault, where there is one.
        self.field: str | None = body.get("field")
        #: All that the server said.
        self.body = body

    def __str__(self) -> str:
        return f"{self.args[0]} ({self.status} {self.reason})"


class CustomerExistsError(RefusedError):
    """The address is taken in this project."""

    @property
    def customer(self) -> Customer:
        """Whose it is."""
        return cast(Customer, self.body["customer"])


class ActiveCodeExistsError(RefusedError):
    """The customer has an active code."""

    @property
    def code(self) -> ReferralCode:
        """The code."""
        return cast(ReferralCode, self.body["code"])


class AlreadyReferredError(RefusedError):
    """The customer has been referred already."""

    @property
    def referral(self) -> Referral:
        """By whom."""
        return cast(Referral, self.body["referral"])


class CustomerNotFoundError(RefusedError):
    """Not a customer of this project, or erased."""


class CodeRefusedError(RefusedError):
    """A code or click that counts for nothing here: the person goes on without, and reads the sentence."""


class CodeNotFoundError(CodeRefusedError):
    """Not a code of this project: let them check it."""


class RateLimitedError(RefusedError):
    """Too much of something; `retry_after` says for how long to wait."""


class UnavailableError(RefusedError):
    """The server, its database or Stripe did not work at the moment, and it may work later."""


#: The class of each reason that has one.
OF_REASON: dict[str, type[RefusedError]] = {
    "customer_exists": CustomerExistsError,
    "active_code_exists": ActiveCodeExistsError,
    "already_referred": AlreadyReferredError,
    "customer_not_found": CustomerNotFoundError,
    "code_not_found": CodeNotFoundError,
    "code_inactive": CodeRefusedError,
    "self_referral": CodeRefusedError,
    "reciprocal_referral": CodeRefusedError,
    "not_a_new_customer": CodeRefusedError,
    "referrals_disabled": CodeRefusedError,
    "invalid_click_token": CodeRefusedError,
    "click_expired": CodeRefusedError,
}

#: What these refusals show.
_SHOWN = {"customer_exists": "customer", "active_code_exists": "code", "already_referred": "referral"}

_OF_STATUS: dict[int, type[RefusedError]] = {429: RateLimitedError, 502: UnavailableError, 503: UnavailableError}


def shows_enough(reason: str, body: dict[str, Any]) -> bool:
    """Whether a refusal for this reason shows what is in the way, where it should."""
    return reason not in _SHOWN or isinstance(body.get(_SHOWN[reason]), dict)


def refusal(status: int, body: dict[str, Any], circumstances: Circumstances) -> RefusedError:
    """The error of a refusal."""
    kind = OF_REASON.get(str(body["reason"])) or _OF_STATUS.get(status, RefusedError)
    return kind(status, body, circumstances)
