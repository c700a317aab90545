"""What the API document cannot say about a request, for requests that are meant to be good."""

import hashlib
import hmac
import itertools
import json
import os
import time

import schemathesis

KNOWN = json.loads(os.environ["KNOWN"])
fresh = itertools.count(1)


def sign(request):
    """Signs the very bytes that are sent, at the time at which they are."""
    body = request.body or b""
    body = body if isinstance(body, bytes) else body.encode()
    now = str(int(time.time()))
    code = hmac.new(KNOWN["webhookSecret"].encode(), now.encode() + b"." + body, hashlib.sha256)
    request.headers["Stripe-Signature"] = f"t={now},v1={code.hexdigest()}"
    return request


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    number = next(fresh)
    headers = case.headers or {}
    if "Idempotency-Key" in headers:
        # Under the example's key there is an answer already.
        headers["Idempotency-Key"] = f"request-{number}"
    if "Stripe-Signature" in headers:
        kwargs["auth"] = sign
    point_at_what_is_there(case, number)
    if case.operation.path.endswith("/offer") and not {"code", "clickToken"} & set(case.query or {}):
        # One of them is needed.
        case.query = {**(case.query or {}), "code": KNOWN["codes"]}
    mend_query(case.query or {})
    if case.operation.path.endswith(("/activity", "/activity.csv", "/deliveries")) and "type" in (case.query or {}):
        # The document lists the types under `webhooks`, and there are some that no webhook tells.
        case.query["type"] = "customer.created"
    if isinstance(case.body, dict):
        mend(case.body, number)


def point_at_what_is_there(case, number):
    """Every other call is about something that exists, unless it would be gone afterwards."""
    if number % 2 or case.method == "DELETE":
        return
    for name, place in (("id", "/customers/{id}"), ("id", "/referrals/{id}"), ("code", "/codes/{code}")):
        if place in case.operation.path:
            case.path_parameters[name] = KNOWN[place.split("/")[1]]


def mend_query(query):
    if "currency" in query:
        # Which codes are currencies is no pattern.
        query["currency"] = "usd"
    if "from" in query and "to" in query:
        # Which of two times comes first is none either.
        query["from"], query["to"] = "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"


def mend(body, number):
    email = body.get("email")
    if isinstance(email, str) and not (email.isascii() and email.isprintable() and email.replace("@", "").isalnum()):
        # The pattern is what is easily said of an address; the last word has the rule for domains.
        body["email"] = f"person-{number}@example.com"
    if isinstance(body.get("url"), str):
        # Whether a name is found, and whether it leads where webhooks may go, hangs on the network.
        body["url"] = f"http://127.0.0.1:9/{number}"
    if isinstance(body.get("redirectHosts"), list):
        # Which names are hosts takes more than a pattern to say (IDNA).
        body["redirectHosts"] = [f"host-{number}.example.com" for _ in body["redirectHosts"]]
    if isinstance(body.get("landingUrl"), str) and 1 <= len(body["landingUrl"]) <= 2048:
        # So it is with addresses.
        body["landingUrl"] = f"https://example.com/{number}"
    if body.get("enabled") is True and "landingUrl" in body and body["landingUrl"] is None:
        # Links that are on need one.
        body["enabled"] = False
    if body.get("clawback") == "within_hold" and body.get("holdDays") == 0:
        # Without a hold there is nothing within it.
        body["holdDays"] = 14
    card = body.get("card") if isinstance(body.get("card"), dict) else {}
    for name, most in (("title", 200), ("text", 500)):
        if isinstance(card.get(name), str) and 1 <= len(card[name]) <= most:
            # There is something to read in it, and no control characters.
            card[name] = f"Card {number}"
    if isinstance(card.get("imageUrl"), str):
        card["imageUrl"] = f"https://example.com/{number}.png"
    if body.get("allowedOrigins"):
        # Origins have more rules than a pattern can say, and texts are by language.
        body["allowedOrigins"] = [f"https://app-{number}.example.com"]
    if isinstance(body.get("texts"), dict):
        body["texts"] = {"en": {"title": f"Title {number}"}}
    if isinstance(body.get("theme"), dict) and isinstance(body["theme"].get("font"), str):
        body["theme"]["font"] = "system"
    if "refereeCustomerId" in body and body.get("code") is None:
        # One of them is needed, and no token is good that the server has not made.
        body["code"] = KNOWN["codes"]
    if body.get("types") and "since" not in body:
        # The document lists the types under `webhooks`, so that a new one changes no schema of a call.
        body["types"] = ["*"]
    if isinstance(body.get("vanity"), str):
        # Some words are reserved, and each name is somebody's.
        body["vanity"] = f"LONG-NAME-{number}"
    if body.get("since") and body.get("until"):
        body["since"], body["until"] = "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"
    elif body.get("since"):
        # It must be past.
        body["since"] = "2020-01-31T09:30:00Z"
    if body.get("expiresAt"):
        body["expiresAt"] = "2046-01-31T09:30:00Z"
    if "webhookSecret" in body:
        # Or no later event would be signed right.
        body["webhookSecret"] = KNOWN["webhookSecret"]
    if number % 2:
        for name in ("customerId", "refereeCustomerId"):
            if name in body:
                body[name] = KNOWN["customers"]
