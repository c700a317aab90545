"""What calls end with that is no shape of the API."""

from __future__ import annotations

from typing import NamedTuple

from .types import Referral


class Applied(NamedTuple):
    """What became of a code or a click."""

    referral: Referral
    #: Whether the same had been applied before: a repetition, and as good.
    is_repetition: bool
