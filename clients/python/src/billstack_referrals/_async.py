"""The client for asyncio. The blocking one is made from it by clients/generate.py."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, AsyncIterator, Mapping, cast

import httpx

from . import types as t
from ._calls import Answer, Attempt, Retries, needed, new_call, project_address, segment
from .errors import ActiveCodeExistsError, AlreadyReferredError, CodeNotFoundError, CustomerExistsError
from .results import Applied

_CUSTOMERS = "/customers"
_CODES = "/referrals/codes"
_CREDITS = "/referrals/credits"


class AsyncBillStack:
    """One project of a BillStack server, as an API key may use it.

    `api` is the address of the project: `https://referrals.example.com/api/billstack/teams/team_…/projects/proj_…`.
    `timeout` is for how many seconds an attempt waits for a connection, and for each part of an answer.
    """

    def __init__(
        self,
        api: str,
        api_key: str,
        *,
        timeout: float = 10.0,
        retries: Retries = Retries(),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not api_key:
            raise ValueError("api_key is needed")
        self._api = project_address(api)
        self._retries = retries
        headers = {"Authorization": f"Bearer {api_key}"}
        self._http = httpx.AsyncClient(headers=headers, timeout=timeout, transport=transport)

    async def __aenter__(self) -> AsyncBillStack:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Any other call: with a path below the project, and its JSON answer. Repeated as all others are."""
        call = new_call(method, path, query, body, idempotency_key, self._retries)
        while True:
            attempt: Attempt
            try:
                response = await self._http.request(
                    call.method,
                    self._api + call.path,
                    params=call.query or None,
                    content=call.content(),
                    headers=call.headers(),
                )
                attempt = Answer.of(response)
                if attempt.is_good:
                    return attempt.json
            except (httpx.TransportError, httpx.DecodingError) as error:
                attempt = error
            await asyncio.sleep(call.pause_after(attempt))

    # Customers

    async def ensure_customer(
        self, customer: t.CreateCustomerRequest, *, idempotency_key: str | None = None
    ) -> t.Customer:
        """The customer with this address, made if there is none.

        What is known of `externalId` and `stripeCustomerId` here and not there is added. If there they are others, the
        address is somebody else's: `customer_exists`.
        """
        try:
            return await self.create_customer(customer, idempotency_key=idempotency_key)
        except CustomerExistsError as error:
            there = cast(Mapping[str, Any], error.customer)
            missing = {}
            for name in ("externalId", "stripeCustomerId"):
                wanted = cast(Mapping[str, Any], customer).get(name)
                if wanted is None or wanted == there[name]:
                    continue
                if there[name] is not None:
                    raise
                missing[name] = wanted
            if not missing:
                return error.customer
            # Another write has another key, and a random one is as good: it says the same however often it is sent.
            return await self.update_customer(error.customer["id"], cast(t.UpdateCustomerRequest, missing))

    async def create_customer(
        self, customer: t.CreateCustomerRequest, *, idempotency_key: str | None = None
    ) -> t.Customer:
        answer = await self.request("POST", _CUSTOMERS, body=customer, idempotency_key=idempotency_key)
        return cast(t.Customer, answer["customer"])

    async def get_customer(self, customer_id: str) -> t.Customer:
        answer = await self.request("GET", f"{_CUSTOMERS}/{segment(customer_id)}")
        return cast(t.Customer, answer["customer"])

    async def find_customer(self, by: t.ListCustomersQuery) -> t.Customer | None:
        """The customer with exactly this `externalId`, `email` or `stripeCustomerId`, if there is one."""
        if not by:
            raise ValueError("by what?")
        answer = await self.request("GET", _CUSTOMERS, query={**by, "limit": 1})
        found: list[t.Customer] = answer["customers"]
        return found[0] if found else None

    async def update_customer(
        self, customer_id: str, changes: t.UpdateCustomerRequest, *, idempotency_key: str | None = None
    ) -> t.Customer:
        path = f"{_CUSTOMERS}/{segment(customer_id)}"
        answer = await self.request("PATCH", path, body=changes, idempotency_key=idempotency_key)
        return cast(t.Customer, answer["customer"])

    async def erase_customer(self, customer_id: str, *, idempotency_key: str | None = None) -> None:
        """Erases a person for ever."""
        path = f"{_CUSTOMERS}/{segment(customer_id)}"
        await self.request("DELETE", path, idempotency_key=idempotency_key)

    def customers(self, query: t.ListCustomersQuery | None = None) -> AsyncIterator[t.Customer]:
        return self._all(_CUSTOMERS, "customers", query)

    async def create_portal_session(
        self,
        customer_id: str,
        session: t.CreatePortalSessionRequest | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> t.PortalSession:
        """A short time in the portal for a customer: a token for the widget, and an address to send them to at once."""
        path = f"{_CUSTOMERS}/{segment(customer_id)}/portal-sessions"
        answer = await self.request("POST", path, body=session or {}, idempotency_key=idempotency_key)
        return cast(t.PortalSession, answer["portalSession"])

    # Codes and referrals

    async def ensure_code(self, customer_id: str, *, idempotency_key: str | None = None) -> t.ReferralCode:
        """The active code of a customer, made if there is none."""
        try:
            return await self.create_code({"customerId": customer_id}, idempotency_key=idempotency_key)
        except ActiveCodeExistsError as error:
            return error.code

    async def create_code(self, code: t.CreateCodeRequest, *, idempotency_key: str | None = None) -> t.ReferralCode:
        answer = await self.request("POST", _CODES, body=code, idempotency_key=idempotency_key)
        return cast(t.ReferralCode, answer["code"])

    async def get_code(self, code: str) -> t.ReferralCodeDetail:
        """A code by itself or by a name of it, in any form that people type."""
        answer = await self.request("GET", f"{_CODES}/{segment(code)}", query={"limit": 1})
        return cast(t.ReferralCodeDetail, answer["code"])

    async def rename_code(self, code: str, vanity: str, *, idempotency_key: str | None = None) -> t.ReferralCode:
        """Gives a code a name that is easier to say."""
        path, body = f"{_CODES}/{segment(code)}", {"vanity": vanity}
        answer = await self.request("PATCH", path, body=body, idempotency_key=idempotency_key)
        return cast(t.ReferralCode, answer["code"])

    async def deactivate_code(self, code: str, *, idempotency_key: str | None = None) -> None:
        """Switches a code off. What was applied before is honoured."""
        await self.request("DELETE", f"{_CODES}/{segment(code)}", idempotency_key=idempotency_key)

    def codes(self, query: t.ListCodesQuery | None = None) -> AsyncIterator[t.ReferralCode]:
        return self._all(_CODES, "codes", query)

    async def apply(self, request: t.ApplyCodeRequest, *, idempotency_key: str | None = None) -> Applied:
        """Records that a new customer came with a code, or by a click on a share link.

        Whoever applied the same before gets that referral; whoever applied another code is refused:
        `already_referred`. Of a click alone nobody but the server knows the code, so any referral by a click counts as
        the same.
        """
        try:
            answer = await self.request("POST", "/referrals/apply", body=request, idempotency_key=idempotency_key)
            return Applied(cast(t.Referral, answer["referral"]), False)
        except AlreadyReferredError as error:
            if await self._is_same(request.get("code"), error.referral):
                return Applied(error.referral, True)
            raise

    async def _is_same(self, code: str | None, referral: t.Referral) -> bool:
        if code is None:
            return referral["attribution"]["source"] == "click"
        if code.strip().upper() == referral["code"]:
            return True
        try:
            # Typed in another form, or a name of it; the server knows them all.
            return (await self.get_code(code))["code"] == referral["code"]
        except CodeNotFoundError:
            return False

    async def get_referral(self, referral_id: str) -> t.Referral:
        answer = await self.request("GET", f"/referrals/{segment(referral_id)}")
        return cast(t.Referral, answer["referral"])

    def referrals(self, query: t.ListReferralsQuery | None = None) -> AsyncIterator[t.Referral]:
        return self._all("/referrals", "referrals", query)

    def referral_events(self, referral_id: str) -> AsyncIterator[t.ReferralEvent]:
        """The story of a referral, the oldest first."""
        return self._all(f"/referrals/{segment(referral_id)}/events", "events", None)

    # Credits. Amounts are whole numbers of the smallest unit of their currency.

    async def balances(self, customer_id: str) -> list[t.CreditBalance]:
        """What a customer has, one amount for each currency."""
        answer = await self.request("GET", f"{_CUSTOMERS}/{segment(customer_id)}/credit-balance")
        return cast("list[t.CreditBalance]", answer["balances"])

    async def statements(
        self, customer_id: str, query: t.GetCreditStatementQuery | None = None
    ) -> list[t.CreditStatement]:
        """Every movement of what a customer has, by currency."""
        answer = await self.request("GET", f"{_CUSTOMERS}/{segment(customer_id)}/credit-statement", query=query)
        return cast("list[t.CreditStatement]", answer["statements"])

    def credits(self, query: t.ListCreditsQuery | None = None) -> AsyncIterator[t.Credit]:
        return self._all(_CREDITS, "credits", query)

    async def get_credit(self, credit_id: str) -> t.Credit:
        answer = await self.request("GET", f"{_CREDITS}/{segment(credit_id)}")
        return cast(t.Credit, answer["credit"])

    async def give_credit(self, credit: t.CreateCreditRequest, *, idempotency_key: str) -> t.Credit:
        """Gives a customer a credit by hand."""
        answer = await self.request("POST", _CREDITS, body=credit, idempotency_key=needed(idempotency_key))
        return cast(t.Credit, answer["credit"])

    async def release_credit(
        self, credit_id: str, request: t.ReleaseCreditRequest, *, idempotency_key: str
    ) -> t.Credit:
        """Makes what is held the customer's."""
        return await self._move(credit_id, "release", request, idempotency_key)

    async def reverse_credit(
        self, credit_id: str, request: t.ReverseCreditRequest, *, idempotency_key: str
    ) -> t.Credit:
        """Takes it back."""
        return await self._move(credit_id, "reverse", request, idempotency_key)

    async def settle_credit(self, credit_id: str, request: t.SettleCreditRequest, *, idempotency_key: str) -> t.Credit:
        """Notes that you have paid it."""
        return await self._move(credit_id, "settle", request, idempotency_key)

    async def _move(self, credit_id: str, move: str, body: Any, key: str) -> t.Credit:
        path = f"{_CREDITS}/{segment(credit_id)}/{move}"
        answer = await self.request("POST", path, body=body, idempotency_key=needed(key))
        return cast(t.Credit, answer["credit"])

    # The program, links, and what happened

    async def config(self) -> t.ReferralConfig:
        answer = await self.request("GET", "/referrals/config")
        return cast(t.ReferralConfig, answer["config"])

    async def put_config(self, config: t.PutConfigRequest, *, idempotency_key: str | None = None) -> t.ReferralConfig:
        answer = await self.request("PUT", "/referrals/config", body=config, idempotency_key=idempotency_key)
        return cast(t.ReferralConfig, answer["config"])

    async def link_settings(self) -> t.LinkSettings:
        """How share links look and where they lead; for `share_url`, and worth keeping for minutes."""
        answer = await self.request("GET", "/links/settings")
        return cast(t.LinkSettings, answer["settings"])

    async def put_link_settings(
        self, settings: t.PutLinkSettingsRequest, *, idempotency_key: str | None = None
    ) -> t.LinkSettings:
        answer = await self.request("PUT", "/links/settings", body=settings, idempotency_key=idempotency_key)
        return cast(t.LinkSettings, answer["settings"])

    def events(self, after: str | None = None) -> AsyncIterator[t.Event]:
        """What happened in the project after this event, in order, to its present end; without one, from the start."""
        return self._all("/events", "events", None, "after", after)

    async def _all(
        self, path: str, member: str, query: Mapping[str, Any] | None, place: str = "cursor", begin: str | None = None
    ) -> AsyncIterator[Any]:
        while True:
            page = await self.request("GET", path, query={"limit": 100, **(query or {}), place: begin})
            for row in page[member]:
                yield row
            begin = page.get("nextCursor")
            if begin is None:
                return
