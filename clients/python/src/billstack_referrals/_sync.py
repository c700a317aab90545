"""The blocking client. Made from _async.py by clients/generate.py; change nothing here."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Generator, Iterator, Mapping, cast

import httpx

from . import types as t
from ._calls import LONGEST, Answer, Attempt, Call, Retries, new_call
from ._http import in_time, new_http
from ._request import authorization, needed, project_address, segment
from .errors import ActiveCodeExistsError, AlreadyReferredError, CodeNotFoundError, CustomerExistsError
from .results import Applied

_CUSTOMERS = "/customers"
_CODES = "/referrals/codes"
_CREDITS = "/referrals/credits"


class BillStack:
    """One project of a BillStack server, as an API key may use it.

    `api` is the address of the project: `https://referrals.example.com/api/billstack/teams/team_…/projects/proj_…`.
    `timeout` is for how many seconds an attempt waits for its whole answer.
    """

    def __init__(
        self,
        api: str,
        api_key: str,
        *,
        timeout: float = 10.0,
        retries: Retries = Retries(),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._api = project_address(api)
        self._retries = retries
        self._timeout = timeout
        self._http = new_http(authorization(api_key), timeout, transport)

    def __enter__(self) -> BillStack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Any other call: with a path below the project, and its JSON answer. Repeated as all others are."""
        return self._send(method, path, None, dict, query=query, body=body, key=idempotency_key)

    def download(self, path: str, *, query: Mapping[str, Any] | None = None) -> Generator[bytes, None, None]:
        """An export, as the bytes of a file: `/referrals/exports/credits`, for one.

        It is repeated until it begins; what breaks off later is a `NoAnswerError`, and is begun anew by whoever wants it.
        """
        call = new_call("GET", path, query, None, None, self._retries)
        while True:
            attempt: Attempt
            try:
                response = in_time(self._timeout, self._open, call)
                if response.is_success and not response.headers.get("content-type", "").startswith("text/html"):
                    break
                attempt = in_time(self._timeout, self._read, response)
            except (httpx.TransportError, httpx.DecodingError) as error:
                attempt = error
            time.sleep(call.pause_after(attempt))
        parts = response.iter_bytes()
        try:
            while True:
                try:
                    part = parts.__next__()
                except (httpx.TransportError, httpx.DecodingError) as error:
                    raise call.broken_off(error) from error
                except StopIteration:
                    return
                yield part
        finally:
            response.close()

    def _answer(self, method: str, path: str, member: str, kind: type = dict, **call: Any) -> Any:
        """What the answer to a call is about."""
        return (self._send(method, path, member, kind, **call))[member]

    def _send(
        self,
        method: str,
        path: str,
        member: str | None,
        kind: type,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
    ) -> Any:
        """The answer to a call, once there is one, with this member of this kind."""
        call = new_call(method, path, query, body, key, self._retries)
        while True:
            attempt: Attempt
            try:
                attempt = in_time(self._timeout, self._attempt, call)
                if attempt.holds(member, kind):
                    return attempt.json
            except (httpx.TransportError, httpx.DecodingError) as error:
                attempt = error
            time.sleep(call.pause_after(attempt))

    def _attempt(self, call: Call) -> Answer:
        return self._read(self._open(call))

    def _open(self, call: Call) -> httpx.Response:
        request = self._http.build_request(
            call.method,
            self._api + call.path,
            params=call.query or None,
            content=call.content,
            headers=call.headers(),
        )
        return self._http.send(request, stream=True)

    def _read(self, response: httpx.Response) -> Answer:
        content = bytearray()
        try:
            for part in response.iter_bytes():
                content += part
                if len(content) > LONGEST:
                    break
        finally:
            response.close()
        return Answer.of(response.status_code, response.headers, bytes(content))

    # Customers

    def ensure_customer(
        self, customer: t.CreateCustomerRequest, *, idempotency_key: str | None = None
    ) -> t.Customer:
        """The customer with this address, made if there is none.

        What is known of `externalId` and `stripeCustomerId` here and not there is added. If there they are others, the
        address is somebody else's: `customer_exists`.
        """
        try:
            return self.create_customer(customer, idempotency_key=idempotency_key)
        except CustomerExistsError as error:
            there = cast(Mapping[str, Any], error.customer)
            missing = {}
            for name in ("externalId", "stripeCustomerId"):
                wanted = cast(Mapping[str, Any], customer).get(name)
                if wanted is None or wanted == there.get(name):
                    continue
                if there.get(name) is not None:
                    raise
                missing[name] = wanted
            if not missing:
                return error.customer
            # Another write has another key, and a random one is as good: it says the same however often it is sent.
            return self.update_customer(error.customer["id"], cast(t.UpdateCustomerRequest, missing))

    def create_customer(
        self, customer: t.CreateCustomerRequest, *, idempotency_key: str | None = None
    ) -> t.Customer:
        answer = self._answer("POST", _CUSTOMERS, "customer", body=customer, key=idempotency_key)
        return cast(t.Customer, answer)

    def get_customer(self, customer_id: str) -> t.Customer:
        answer = self._answer("GET", f"{_CUSTOMERS}/{segment(customer_id)}", "customer")
        return cast(t.Customer, answer)

    def find_customer(self, by: t.ListCustomersQuery) -> t.Customer | None:
        """The customer with exactly this `externalId`, `email` or `stripeCustomerId`, if there is one."""
        if not by:
            raise ValueError("by what?")
        found: list[t.Customer] = self._answer("GET", _CUSTOMERS, "customers", list, query={**by, "limit": 1})
        return found[0] if found else None

    def update_customer(
        self, customer_id: str, changes: t.UpdateCustomerRequest, *, idempotency_key: str | None = None
    ) -> t.Customer:
        path = f"{_CUSTOMERS}/{segment(customer_id)}"
        answer = self._answer("PATCH", path, "customer", body=changes, key=idempotency_key)
        return cast(t.Customer, answer)

    def erase_customer(self, customer_id: str, *, idempotency_key: str | None = None) -> None:
        """Erases a person for ever."""
        path = f"{_CUSTOMERS}/{segment(customer_id)}"
        self._answer("DELETE", path, "customer", key=idempotency_key)

    def customers(self, query: t.ListCustomersQuery | None = None) -> Iterator[t.Customer]:
        return self._all(_CUSTOMERS, "customers", query)

    def create_portal_session(
        self,
        customer_id: str,
        session: t.CreatePortalSessionRequest | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> t.PortalSession:
        """A short time in the portal for a customer: a token for the widget, and an address to send them to at once."""
        path = f"{_CUSTOMERS}/{segment(customer_id)}/portal-sessions"
        answer = self._answer("POST", path, "portalSession", body=session or {}, key=idempotency_key)
        return cast(t.PortalSession, answer)

    # Codes and referrals

    def ensure_code(self, customer_id: str, *, idempotency_key: str | None = None) -> t.ReferralCode:
        """The active code of a customer, made if there is none."""
        try:
            return self.create_code({"customerId": customer_id}, idempotency_key=idempotency_key)
        except ActiveCodeExistsError as error:
            return error.code

    def create_code(self, code: t.CreateCodeRequest, *, idempotency_key: str | None = None) -> t.ReferralCode:
        answer = self._answer("POST", _CODES, "code", body=code, key=idempotency_key)
        return cast(t.ReferralCode, answer)

    def get_code(self, code: str) -> t.ReferralCodeDetail:
        """A code by itself or by a name of it, in any form that people type."""
        answer = self._answer("GET", f"{_CODES}/{segment(code)}", "code", query={"limit": 1})
        return cast(t.ReferralCodeDetail, answer)

    def rename_code(self, code: str, vanity: str, *, idempotency_key: str | None = None) -> t.ReferralCode:
        """Gives a code a name that is easier to say."""
        path, body = f"{_CODES}/{segment(code)}", {"vanity": vanity}
        answer = self._answer("PATCH", path, "code", body=body, key=idempotency_key)
        return cast(t.ReferralCode, answer)

    def deactivate_code(self, code: str, *, idempotency_key: str | None = None) -> None:
        """Switches a code off. What was applied before is honoured."""
        self._answer("DELETE", f"{_CODES}/{segment(code)}", "code", key=idempotency_key)

    def codes(self, query: t.ListCodesQuery | None = None) -> Iterator[t.ReferralCode]:
        return self._all(_CODES, "codes", query)

    def apply(self, request: t.ApplyCodeRequest, *, idempotency_key: str | None = None) -> Applied:
        """Records that a new customer came with a code, or by a click on a share link.

        Whoever applied the same before gets that referral; whoever applied another code is refused:
        `already_referred`. Of a click alone nobody but the server knows the code, so any referral by a click counts as
        the same.
        """
        try:
            referral = self._answer("POST", "/referrals/apply", "referral", body=request, key=idempotency_key)
            return Applied(cast(t.Referral, referral), False)
        except AlreadyReferredError as error:
            if self._is_same(request.get("code"), error.referral):
                return Applied(error.referral, True)
            raise

    def _is_same(self, code: str | None, referral: t.Referral) -> bool:
        if code is None:
            return referral["attribution"]["source"] == "click"
        if code.strip().upper() == referral["code"]:
            return True
        try:
            # Typed in another form, or a name of it; the server knows them all.
            return (self.get_code(code))["code"] == referral["code"]
        except CodeNotFoundError:
            return False

    def get_referral(self, referral_id: str) -> t.Referral:
        answer = self._answer("GET", f"/referrals/{segment(referral_id)}", "referral")
        return cast(t.Referral, answer)

    def referrals(self, query: t.ListReferralsQuery | None = None) -> Iterator[t.Referral]:
        return self._all("/referrals", "referrals", query)

    def referral_events(self, referral_id: str) -> Iterator[t.ReferralEvent]:
        """The story of a referral, the oldest first."""
        return self._all(f"/referrals/{segment(referral_id)}/events", "events", None)

    # Credits. Amounts are whole numbers of the smallest unit of their currency.

    def balances(self, customer_id: str) -> list[t.CreditBalance]:
        """What a customer has, one amount for each currency."""
        answer = self._answer("GET", f"{_CUSTOMERS}/{segment(customer_id)}/credit-balance", "balances", list)
        return cast("list[t.CreditBalance]", answer)

    def statements(
        self, customer_id: str, query: t.GetCreditStatementQuery | None = None
    ) -> list[t.CreditStatement]:
        """Every movement of what a customer has, by currency."""
        answer = self._answer("GET", f"{_CUSTOMERS}/{segment(customer_id)}/credit-statement", "statements", list, query=query)
        return cast("list[t.CreditStatement]", answer)

    def credits(self, query: t.ListCreditsQuery | None = None) -> Iterator[t.Credit]:
        return self._all(_CREDITS, "credits", query)

    def get_credit(self, credit_id: str) -> t.Credit:
        answer = self._answer("GET", f"{_CREDITS}/{segment(credit_id)}", "credit")
        return cast(t.Credit, answer)

    def give_credit(self, credit: t.CreateCreditRequest, *, idempotency_key: str) -> t.Credit:
        """Gives a customer a credit by hand."""
        answer = self._answer("POST", _CREDITS, "credit", body=credit, key=needed(idempotency_key))
        return cast(t.Credit, answer)

    def release_credit(
        self, credit_id: str, request: t.ReleaseCreditRequest, *, idempotency_key: str
    ) -> t.Credit:
        """Makes what is held the customer's."""
        return self._move(credit_id, "release", request, idempotency_key)

    def reverse_credit(
        self, credit_id: str, request: t.ReverseCreditRequest, *, idempotency_key: str
    ) -> t.Credit:
        """Takes it back."""
        return self._move(credit_id, "reverse", request, idempotency_key)

    def settle_credit(self, credit_id: str, request: t.SettleCreditRequest, *, idempotency_key: str) -> t.Credit:
        """Notes that you have paid it."""
        return self._move(credit_id, "settle", request, idempotency_key)

    def _move(self, credit_id: str, move: str, body: Any, key: str) -> t.Credit:
        path = f"{_CREDITS}/{segment(credit_id)}/{move}"
        answer = self._answer("POST", path, "credit", body=body, key=needed(key))
        return cast(t.Credit, answer)

    # The program, links, and what happened

    def config(self) -> t.ReferralConfig:
        answer = self._answer("GET", "/referrals/config", "config")
        return cast(t.ReferralConfig, answer)

    def put_config(self, config: t.PutConfigRequest, *, idempotency_key: str | None = None) -> t.ReferralConfig:
        answer = self._answer("PUT", "/referrals/config", "config", body=config, key=idempotency_key)
        return cast(t.ReferralConfig, answer)

    def link_settings(self) -> t.LinkSettings:
        """How share links look and where they lead; for `share_url`, and worth keeping for minutes."""
        answer = self._answer("GET", "/links/settings", "settings")
        return cast(t.LinkSettings, answer)

    def put_link_settings(
        self, settings: t.PutLinkSettingsRequest, *, idempotency_key: str | None = None
    ) -> t.LinkSettings:
        answer = self._answer("PUT", "/links/settings", "settings", body=settings, key=idempotency_key)
        return cast(t.LinkSettings, answer)

    def events(self, after: str | None = None) -> Iterator[t.Event]:
        """What happened in the project after this event, in order, to its present end; without one, from the start."""
        return self._all("/events", "events", None, "after", after)

    def _all(
        self, path: str, member: str, query: Mapping[str, Any] | None, place: str = "cursor", begin: str | None = None
    ) -> Iterator[Any]:
        while True:
            asked = {"limit": 100, **(query or {}), place: begin}
            page = self._send("GET", path, member, list, query=asked)
            for row in page[member]:
                yield row
            begin = page.get("nextCursor")
            if begin is None:
                return
