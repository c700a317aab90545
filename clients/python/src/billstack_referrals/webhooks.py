"""Webhooks that BillStack sends, signed as Standard Webhooks say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from typing import Mapping, Sequence, cast

from .types import Event


class WebhookVerificationError(Exception):
    """A webhook that must not be believed."""


def verify_webhook(
    headers: Mapping[str, str], body: bytes, secrets: str | Sequence[str], *, tolerance: float = 300.0
) -> Event:
    """The event that a webhook tells, once its signature is right.

    The body is that which came, byte for byte, and not JSON that was parsed and written again. With several secrets any
    one will do, as while one is rotated. `tolerance` is by how many seconds its time may be off.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if not lower.get(name):
            raise WebhookVerificationError(f"{name} is missing")
    stamp = lower["webhook-timestamp"]
    if not re.fullmatch("[0-9]{1,12}", stamp) or abs(time.time() - int(stamp)) > tolerance:
        raise WebhookVerificationError("its time is too far off")
    signed = f"{lower['webhook-id']}.{stamp}.".encode() + body
    given = [one.encode() for one in lower["webhook-signature"].split(" ")]
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    right = [b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    # All are compared, so that the time taken tells nothing of which was nearly right.
    if not any([hmac.compare_digest(one, other) for one in given for other in right]):
        raise WebhookVerificationError("no signature is right")
    try:
        return cast(Event, json.loads(body))
    except ValueError as error:
        raise WebhookVerificationError("it is not JSON") from error


def _key(secret: str) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    # An empty key is everybody's.
    if not key:
        raise ValueError("the secret of the webhook endpoint is empty")
    return key
