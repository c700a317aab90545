"""Webhooks that BillStack sends, signed as Standard Webhooks say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from typing import Mapping, Sequence, cast

from ._calls import parsed
from .types import Event


class WebhookVerificationError(Exception):
    """A webhook that must not be believed."""


def verify_webhook(
    headers: Mapping[str, str], body: bytes, secrets: str | Sequence[str], *, tolerance: float = 300.0
) -> Event:
    """The event that a webhook tells, once its signature is right.

    The body is that which came, byte for byte, and not JSON that was parsed and written again. With several secrets any
    one will do, as while one is rotated; blank ones count for nothing. A secret that is none is a `ValueError`: nothing
    could be believed. `tolerance` is by how many seconds its time may be off.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if not lower.get(name):
            raise WebhookVerificationError(f"{name} is missing")
    stamp = lower["webhook-timestamp"]
    if not re.fullmatch("[0-9]{1,12}", stamp) or abs(time.time() - int(stamp)) > tolerance:
        raise WebhookVerificationError("its time is too far off")
    # Whatever a header holds, it is compared as bytes.
    signed = f"{lower['webhook-id']}.{stamp}.".encode("utf-8", "surrogatepass") + body
    given = [one.encode("utf-8", "surrogatepass") for one in lower["webhook-signature"].split(" ")]
    right = [b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in _keys(secrets)]
    # All are compared, so that the time taken tells nothing of which was nearly right.
    if not any([hmac.compare_digest(one, other) for one in given for other in right]):
        raise WebhookVerificationError("no signature is right")
    event = parsed(body)
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise WebhookVerificationError("it is no event")
    return cast(Event, event)


def _keys(secrets: str | Sequence[str]) -> list[bytes]:
    stripped = [secret.strip() for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    given = [secret for secret in stripped if secret]
    # An empty key is everybody's.
    if not given:
        raise ValueError("no secret of the webhook endpoint is given")
    return [_key(secret.removeprefix("whsec_")) for secret in given]


def _key(secret: str) -> bytes:
    if len(secret) % 4 or not re.fullmatch("[A-Za-z0-9+/]+={0,2}", secret):
        raise ValueError("a secret of the webhook endpoint is cut short, or none")
    return base64.b64decode(secret)
