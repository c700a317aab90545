"""What the client does against a server. REFERRALS_CODE is the code of Ada, the only customer."""

from __future__ import annotations

import json
import os
from typing import Any, Callable
from urllib.parse import urlsplit

import httpx
from billstack_referrals import (
    AlreadyReferredError, BillStack, CodeNotFoundError, CodeRefusedError, CustomerExistsError, CustomerNotFoundError,
    RefusedError, kept_click, share_url, take_click,
)

api, code = os.environ["REFERRALS_API"], os.environ["REFERRALS_CODE"]
billstack = BillStack(api, os.environ["REFERRALS_API_KEY"])


def refused(kind: type[RefusedError], call: Callable[[], Any], reason: str | None = None) -> Any:
    try:
        call()
    except kind as error:
        assert reason in (None, error.reason), error
        return error
    raise AssertionError(f"no {kind}")


# A customer is the same one however often it is ensured, and what was missing is added.
grace = billstack.ensure_customer({"email": "grace@example.com", "name": "Grace"})
known: Any = {"email": " GRACE@example.com", "externalId": "user-1", "stripeCustomerId": "cus_Grace"}
linked = billstack.ensure_customer(known)
assert linked == {**grace, "externalId": "user-1", "stripeCustomerId": "cus_Grace", "updatedAt": linked["updatedAt"]}
assert billstack.ensure_customer(known) == linked
taken = refused(CustomerExistsError, lambda: billstack.ensure_customer({**known, "externalId": "user-2"}))
assert taken.customer["id"] == grace["id"]
found = billstack.find_customer({"externalId": "user-1"})
assert found and found["id"] == grace["id"]
assert billstack.find_customer({"externalId": "user-9"}) is None
assert billstack.update_customer(grace["id"], {"name": "G"})["name"] == "G"
assert billstack.get_customer(grace["id"])["name"] == "G"

# A code, its name, and whoever applies either.
own = billstack.ensure_code(grace["id"])
assert billstack.ensure_code(grace["id"])["code"] == own["code"]
named = billstack.rename_code(code, "ADA-L")
assert (named["code"], named["vanity"]) == (code, "ADA-L")
applied = billstack.apply({"refereeCustomerId": grace["id"], "code": "ada l"})
assert not applied.is_repetition and applied.referral["code"] == code
for same in ("ADA-L", "ada_l", code, f" {code.lower()} "):
    again = billstack.apply({"refereeCustomerId": grace["id"], "code": same})
    assert again.is_repetition and again.referral["id"] == applied.referral["id"], same
frank = billstack.ensure_customer({"email": "frank@example.com"})
other = billstack.ensure_code(frank["id"])
before = refused(
    AlreadyReferredError, lambda: billstack.apply({"refereeCustomerId": grace["id"], "code": other["code"]})
)
assert before.referral["id"] == applied.referral["id"]
by_self: Any = {"refereeCustomerId": frank["id"], "code": other["code"]}
refused(CodeRefusedError, lambda: billstack.apply(by_self), "self_referral")
refused(CodeNotFoundError, lambda: billstack.apply({**by_self, "code": "NOTACODE"}))
assert billstack.get_referral(applied.referral["id"])["status"] == "pending"
assert next(iter(billstack.referral_events(applied.referral["id"])))["type"] == "referral.applied"

# Share links: whoever follows one comes with a click, which brings the referrer.
settings = billstack.put_link_settings({"enabled": True, "landingUrl": "http://127.0.0.1:9/welcome"})
assert billstack.link_settings() == settings
link = urlsplit(share_url(settings, "ADA-L", "qr"))
address = httpx.URL(api).join(f"{link.path}?{link.query}")
followed = httpx.get(address, headers={"user-agent": "Mozilla/5.0 Firefox/140.0"})
click = take_click(followed.headers["location"])
assert click and click.location.startswith("/welcome?ref="), followed.headers
ivan = billstack.ensure_customer({"email": "ivan@example.com"})
with_click: Any = {"refereeCustomerId": ivan["id"], "clickToken": kept_click(click.set_cookie.split(";")[0])}
by_click = billstack.apply(with_click)
assert (by_click.referral["code"], by_click.referral["attribution"]["source"]) == (code, "click")
assert billstack.apply(with_click).is_repetition
forged: Any = {"refereeCustomerId": frank["id"], "clickToken": "ct_forged"}
refused(CodeRefusedError, lambda: billstack.apply(forged), "invalid_click_token")

# A short time in the portal.
portal = billstack.create_portal_session(grace["id"], {"expiresInSeconds": 60, "readOnly": True})
assert portal["token"].startswith("bp_")

# Credits by hand: under one key there is one.
goodwill: Any = {"customerId": grace["id"], "amount": 1_234, "currency": "usd", "reason": "Goodwill"}
credit = billstack.give_credit(goodwill, idempotency_key="goodwill-1")
assert billstack.give_credit(goodwill, idempotency_key="goodwill-1")["id"] == credit["id"]
less = {**goodwill, "amount": 1}
refused(RefusedError, lambda: billstack.give_credit(less, idempotency_key="goodwill-1"), "idempotency_key_reused")
assert billstack.balances(grace["id"]) == [{"currency": "usd", "amount": 1_234}]
for _ in range(2):
    paid: Any = {"amount": 234, "reason": "Paid out", "reference": "PAY-1"}
    settled = billstack.settle_credit(credit["id"], paid, idempotency_key="PAY-1")
    assert (settled["amounts"]["settled"], settled["amounts"]["available"]) == (234, 1_000)
billstack.reverse_credit(credit["id"], {"reason": "A mistake"}, idempotency_key="mistake-1")
assert billstack.get_credit(credit["id"])["amounts"]["reversed"] == 1_000
(statement,) = billstack.statements(grace["id"], {"currency": "usd"})
assert (len(statement["lines"]), statement["closing"]) == (3, 0)
assert len(list(billstack.credits({"customerId": grace["id"]}))) == 1

# Lists go on by cursor.
for number in range(5):
    billstack.create_customer({"email": f"many-{number}@example.com"})
assert len({customer["id"] for customer in billstack.customers()}) == 9
assert len(billstack.request("GET", "/customers", query={"limit": 2})["customers"]) == 2
assert len(list(billstack.referrals({"code": code, "status": "pending"}))) == 2
assert len(list(billstack.codes({"customerId": frank["id"], "activeOnly": True}))) == 1
assert billstack.config()["referrerCreditAmount"] == 1_000
list(billstack.events())

# Exports come as files.
csv = b"".join(billstack.download("/referrals/exports/credits", query={"format": "csv"})).decode()
assert csv.startswith("id,kind,") and f"\n{credit['id']},manual," in csv, csv
lines = b"".join(billstack.download("/referrals/exports/referrals", query={"format": "ndjson"}))
assert len([json.loads(line) for line in lines.splitlines()]) == 2
no_such = {"format": "xls"}
refused(RefusedError, lambda: list(billstack.download("/referrals/exports/credits", query=no_such)), "invalid_request")

billstack.deactivate_code(other["code"])
billstack.erase_customer(frank["id"])
refused(CustomerNotFoundError, lambda: billstack.get_customer(frank["id"]))
billstack.close()
