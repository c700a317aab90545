"""Attempts that are bounded as a whole. httpx bounds each wait alone, so a peer that drips would never end."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import Any, Awaitable, Callable, Iterator, TypeVar

import httpx

T = TypeVar("T")

#: What is not packed cannot be larger than it looks.
_HEADERS = {"Accept-Encoding": "identity"}


def new_http_async(
    authorization: str, timeout: float, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    return httpx.AsyncClient(headers={**_HEADERS, "Authorization": authorization}, timeout=timeout, transport=transport)


async def in_time_async(timeout: float, what: Callable[..., Awaitable[T]], *args: Any) -> T:
    """What comes of it, if it comes within so many seconds."""
    try:
        return await asyncio.wait_for(what(*args), timeout)
    except asyncio.TimeoutError:
        raise _late() from None


def new_http(authorization: str, timeout: float, transport: httpx.BaseTransport | None) -> httpx.Client:
    headers = {**_HEADERS, "Authorization": authorization}
    return httpx.Client(headers=headers, timeout=timeout, transport=transport, event_hooks={"request": [_watch]})


def in_time(timeout: float, what: Callable[..., T], *args: Any) -> T:
    """What comes of it, if it comes within so many seconds; looking up the name of the host comes on top."""
    with _until(time.monotonic() + timeout):
        return what(*args)


class _Ends(threading.local):
    """When what this thread waits for is to end."""

    at: float | None = None


_ends = _Ends()


@contextmanager
def _until(moment: float) -> Iterator[None]:
    _ends.at = moment
    try:
        yield
    finally:
        _ends.at = None


def _watch(request: httpx.Request) -> None:
    request.extensions["trace"] = _bound


def _bound(event: str, info: dict[str, Any]) -> None:
    """Bounds all reading from a connection as soon as there is one."""
    stream: Any = info.get("return_value")
    read = getattr(stream, "read", None)
    if read is None or not event.endswith(("connect_tcp.complete", "start_tls.complete")):
        return

    def read_in_time(max_bytes: int, timeout: float | None = None) -> Any:
        if _ends.at is None:
            return read(max_bytes, timeout)
        left = _ends.at - time.monotonic()
        if left <= 0:
            raise _late()
        return read(max_bytes, left if timeout is None else min(timeout, left))

    stream.read = read_in_time


def _late() -> httpx.ReadTimeout:
    return httpx.ReadTimeout("it took too long")
