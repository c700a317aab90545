"""Client of BillStack Referrals: customers, codes, referrals, credits and webhooks.

Methods and their options have names as usual in Python. What goes over the wire, in either direction, is a dict with
the names of the API, and has its type in `billstack_referrals.types`.
"""

from ._async import AsyncBillStack
from ._calls import Retries
from ._sync import BillStack
from .errors import (
    ActiveCodeExistsError,
    AlreadyReferredError,
    BillStackError,
    CodeNotFoundError,
    CodeRefusedError,
    CustomerExistsError,
    CustomerNotFoundError,
    NoAnswerError,
    RateLimitedError,
    RefusedError,
    UnavailableError,
    UnexpectedAnswerError,
)
from .links import Click, forget_click, kept_click, share_url, take_click
from .results import Applied
from .webhooks import WebhookVerificationError, verify_webhook

__all__ = [
    "ActiveCodeExistsError",
    "AlreadyReferredError",
    "Applied",
    "AsyncBillStack",
    "BillStack",
    "BillStackError",
    "Click",
    "CodeNotFoundError",
    "CodeRefusedError",
    "CustomerExistsError",
    "CustomerNotFoundError",
    "NoAnswerError",
    "RateLimitedError",
    "RefusedError",
    "Retries",
    "UnavailableError",
    "UnexpectedAnswerError",
    "WebhookVerificationError",
    "forget_click",
    "kept_click",
    "share_url",
    "take_click",
    "verify_webhook",
]
