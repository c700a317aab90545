"""What the client does by itself, against a server that says what it is told to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
import unittest
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from billstack_referrals import (
    AsyncBillStack, BillStack, CodeRefusedError, CustomerExistsError, NoAnswerError, RateLimitedError, RefusedError,
    Retries, UnavailableError, UnexpectedAnswerError, WebhookVerificationError,
    forget_click, kept_click, share_url, take_click, verify_webhook,
)

GOOD: Any = (200, {"customer": {"id": "pc_1"}})
QUICK = {"first_pause": 0.001, "max_pause": 0.004}


def refusal(status: int, reason: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
    return status, {"error": "A sentence.", "reason": reason, **more}, headers or {}


class Server:
    """Gives answers one after the other, the last one for ever; "cut" and "hang" are none."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers, self.seen, self.over = answers, [], threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                server.seen.append((self.path, self.headers.get("idempotency-key"), body))
                answer = server.answers[min(len(server.seen), len(server.answers)) - 1]
                self.close_connection = True
                if answer == "hang":
                    server.over.wait(30)
                if answer in ("hang", "cut"):
                    return
                status, content, *headers = answer
                text = content if isinstance(content, str) else json.dumps(content)
                self.send_response(status)
                for name, value in {"x-request-id": "req_1", **(headers[0] if headers else {})}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_PATCH = answer

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.api = f"http://127.0.0.1:{self.http.server_port}/p/"

    def __enter__(self) -> Server:
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        self.http.shutdown()
        self.http.server_close()

    def client(self, timeout: float = 10.0, **retries: Any) -> BillStack:
        return BillStack(self.api, "bsk_1", timeout=timeout, retries=Retries(**{**QUICK, **retries}))


class Repetitions(unittest.TestCase):
    def test_whatever_passes_is_repeated_under_one_key_and_only_that(self) -> None:
        passing = [
            "cut", refusal(408, "request_timeout"), refusal(429, "rate_limited"), refusal(502, "stripe_unavailable"),
            refusal(503, "outcome_unknown"), refusal(409, "idempotency_key_in_use"),
            refusal(409, "customer_being_created"), (504, "<html>"), (201, '{"customer":'),
        ]
        for first in passing:
            with self.subTest(first), Server([first, first, GOOD]) as server, server.client() as billstack:
                self.assertEqual(billstack.create_customer({"email": "a@example.com"})["id"], "pc_1")
                self.assertEqual((len(server.seen), len(set(server.seen))), (3, 1))
                self.assertRegex(server.seen[0][1], r"^[\w-]{36}$")
        lasting = [
            refusal(400, "invalid_request", field="email"), refusal(401, "invalid_api_key"), refusal(403, "forbidden"),
            refusal(404, "not_found"), refusal(409, "external_id_taken"), refusal(422, "idempotency_key_reused"),
        ]
        for only in lasting:
            with self.subTest(only), Server([only, GOOD]) as server, server.client() as billstack:
                with self.assertRaises(RefusedError) as raised:
                    billstack.create_customer({"email": "a@example.com"})
                error = raised.exception
                expected = (only[0], only[1]["reason"], only[1].get("field"), "req_1", 1, False)
                told = (error.status, error.reason, error.field, error.request_id, error.attempts)
                self.assertEqual((*told, error.may_have_happened), expected)
                self.assertEqual(len(server.seen), 1)

    def test_the_client_for_asyncio_repeats_as_well(self) -> None:
        async def use(api: str) -> str:
            async with AsyncBillStack(api, "bsk_1", retries=Retries(**QUICK)) as billstack:
                return (await billstack.create_customer({"email": "a@example.com"}))["id"]

        with Server(["cut", refusal(503, "overloaded"), GOOD]) as server:
            self.assertEqual(asyncio.run(use(server.api)), "pc_1")
            self.assertEqual((len(server.seen), len(set(server.seen))), (3, 1))

    def test_what_would_make_another_secret_is_not_repeated_in_doubt(self) -> None:
        made = (201, {"secret": "whsec_1"})
        for path in ("/webhook-endpoints", "/webhook-endpoints/whe_1/rotate-secret"):
            for first in ("cut", refusal(503, "outcome_unknown")):
                with self.subTest(first), Server([first, made]) as server, server.client() as billstack:
                    with self.assertRaises((NoAnswerError, UnavailableError)) as raised:
                        billstack.request("POST", path, body={})
                    told = (raised.exception.may_have_happened, raised.exception.idempotency_key, len(server.seen))
                    self.assertEqual(told, (True, None, 1))
            with Server([refusal(503, "overloaded"), made]) as server, server.client() as billstack:
                self.assertEqual(billstack.request("POST", path, body={})["secret"], "whsec_1")

    def test_a_defect_is_tried_once_more(self) -> None:
        with Server([refusal(500, "internal")]) as server, server.client() as billstack:
            self.assertRaises(RefusedError, billstack.get_customer, "pc_1")
            self.assertEqual([key for _, key, _ in server.seen], [None, None])

    def test_retry_after_is_waited_for_unless_that_is_too_long(self) -> None:
        soon = refusal(429, "rate_limited", {"retry-after": "1"})
        with Server([soon, GOOD]) as server, server.client() as billstack:
            billstack.get_customer("pc_1")
            self.assertEqual(len(server.seen), 2)
        with Server([soon, GOOD]) as server, server.client(max_elapsed=0.5) as billstack:
            with self.assertRaises(RateLimitedError) as raised:
                billstack.get_customer("pc_1")
            self.assertEqual((raised.exception.retry_after, len(server.seen)), (1.0, 1))
        date = {"retry-after": formatdate(time.time() + 3_600, usegmt=True)}
        with Server([refusal(429, "too_many_renames", date)]) as server, server.client() as billstack:
            with self.assertRaises(RateLimitedError) as raised:
                billstack.rename_code("K7M2QX9D", "ADA")
            self.assertGreater(raised.exception.retry_after or 0, 3_000)

    def test_whoever_gives_up_says_whether_it_may_have_happened(self) -> None:
        tries: list[tuple[list[Any], type[Exception], bool]] = [
            (["cut"], NoAnswerError, True),
            (["hang"], NoAnswerError, True),
            ([refusal(503, "outcome_unknown")], UnavailableError, True),
            ([refusal(409, "idempotency_key_in_use")], RefusedError, True),
            (["cut", refusal(503, "overloaded")], UnavailableError, True),
            (["cut", refusal(401, "api_key_revoked")], RefusedError, True),
            ([refusal(503, "overloaded")], UnavailableError, False),
            (["cut", refusal(409, "self_referral")], CodeRefusedError, False),
            ([(502, "<html>")], UnexpectedAnswerError, True),
            ([(404, "<html>")], UnexpectedAnswerError, False),
            ([(301, "", {"location": "http://127.0.0.1:1/"})], UnexpectedAnswerError, False),
        ]
        for answers, kind, may_have_happened in tries:
            timeout = 0.1 if answers[0] == "hang" else 10.0
            with self.subTest(answers), Server(answers) as server:
                with server.client(timeout, max_attempts=3) as billstack, self.assertRaises(kind) as raised:
                    billstack.create_customer({"email": "a@example.com"}, idempotency_key="sign-up-1")
                told = (raised.exception.may_have_happened, raised.exception.idempotency_key)
                self.assertEqual(told, (may_have_happened, "sign-up-1"))

    def test_what_is_in_the_way_is_shown(self) -> None:
        exists = refusal(409, "customer_exists", customer={"id": "pc_2", "externalId": "1", "stripeCustomerId": None})
        with Server([exists]) as server, server.client() as billstack:
            self.assertEqual(billstack.ensure_customer({"email": "a@example.com", "externalId": "1"})["id"], "pc_2")
            with self.assertRaises(CustomerExistsError) as raised:
                billstack.ensure_customer({"email": "a@example.com", "externalId": "2"})
            self.assertEqual(raised.exception.customer["id"], "pc_2")

    def test_no_name_leads_to_another_address(self) -> None:
        with Server([GOOD]) as server, server.client() as billstack:
            for name in ("", ".", ".."):
                self.assertRaises(ValueError, billstack.get_customer, name)
            billstack.get_customer("../a b?c#d")
            self.assertEqual(server.seen[0][0], "/p/customers/..%2Fa%20b%3Fc%23d")


SECRETS = ["whsec_" + base64.b64encode(text).decode() for text in (b"the secret of today", b"that of yesterday, longer")]


def signed(body: bytes, at: int | None = None, secrets: list[str] = SECRETS[:1]) -> dict[str, str]:
    at = int(time.time()) if at is None else at

    def sign(secret: str) -> str:
        key = base64.b64decode(secret[6:])
        return "v1," + base64.b64encode(hmac.digest(key, f"evt_1.{at}.".encode() + body, hashlib.sha256)).decode()

    signatures = " ".join(map(sign, secrets))
    return {"Webhook-Id": "evt_1", "webhook-timestamp": str(at), "webhook-signature": signatures}


class Webhooks(unittest.TestCase):
    body = '{"type":"ping","text":"Gr\u00fc\u00dfe"}'.encode()

    def test_what_is_signed_right_is_believed(self) -> None:
        def kind(headers: dict[str, str], secrets: Any) -> str:
            return verify_webhook(headers, self.body, secrets)["type"]

        self.assertEqual(kind(signed(self.body), SECRETS[0]), "ping")
        self.assertEqual(kind(signed(self.body, int(time.time()) - 290), SECRETS[0]), "ping")
        # While a secret is rotated: two signatures, or two secrets here.
        for have in SECRETS:
            self.assertEqual(kind(signed(self.body, secrets=SECRETS), have), "ping")
        self.assertEqual(kind(signed(self.body), SECRETS[::-1]), "ping")

    def test_nothing_else_is(self) -> None:
        good, now = signed(self.body), int(time.time())
        tries: list[Any] = [
            (good, self.body, SECRETS[1]),
            (good, self.body + b" ", SECRETS[0]),
            ({**good, "Webhook-Id": "evt_2"}, self.body, SECRETS[0]),
            (signed(self.body, now - 310), self.body, SECRETS[0]),
            (signed(self.body, now + 310), self.body, SECRETS[0]),
            ({**good, "webhook-timestamp": "soon"}, self.body, SECRETS[0]),
            ({**good, "webhook-timestamp": "9" * 40}, self.body, SECRETS[0]),
            (signed(b"no JSON"), b"no JSON", SECRETS[0]),
        ]
        tries += [({**good, name: ""}, self.body, SECRETS[0]) for name in good]
        for signature in ("v1,", "v2," + good["webhook-signature"][3:], "v1,AAAA", "\u00e9"):
            tries.append(({**good, "webhook-signature": signature}, self.body, SECRETS[0]))
        for headers, body, secret in tries:
            with self.subTest(headers), self.assertRaises(WebhookVerificationError):
                verify_webhook(headers, body, secret)
        with self.assertRaises(WebhookVerificationError):
            verify_webhook(signed(self.body, now - 30), self.body, SECRETS[0], tolerance=10)
        self.assertRaises(ValueError, verify_webhook, good, self.body, "")


class Links(unittest.TestCase):
    def test_a_click_is_taken_out_of_the_address_kept_read_and_forgotten(self) -> None:
        click = take_click("/welcome?a=b&ref_click=ct_x-_1&ref=ADA")
        assert click
        self.assertEqual(click[:2], ("ct_x-_1", "/welcome?a=b&ref=ADA"))
        cookie = "ref_click=ct_x-_1; Path=/; Max-Age=5184000; HttpOnly; Secure; SameSite=Lax"
        self.assertEqual(click.set_cookie, cookie)
        self.assertEqual(kept_click('odd={"a":1}; ' + click.set_cookie.split(";")[0]), "ct_x-_1")
        self.assertRegex(forget_click(), "^ref_click=; .*Max-Age=0")
        other = take_click("https://app.example.com?c=ct_1", parameter="c")
        self.assertEqual(other and other.location, "/")
        for none in ("/welcome", "/?ref_click=", f"/?ref_click={'x' * 2_000}"):
            self.assertIsNone(take_click(none))
        # Nobody is sent to another host.
        for evil in ("//evil.example/a", "/\\evil.example/a", "\\\\evil.example/a", "https:////evil.example/a"):
            to = take_click(f"{evil}?ref_click=ct_1")
            self.assertRegex(to.location if to else "", r"^/[^/\\]")
        for cookies in (None, "", "ref_click=", "xref_click=1"):
            self.assertIsNone(kept_click(cookies))

    def test_a_share_link_has_the_form_that_the_settings_say(self) -> None:
        settings: Any = {"shareUrls": ["https://referrals.example.com/r/k3m9qz/{code}"]}
        self.assertEqual(share_url(settings, "ADA-L"), "https://referrals.example.com/r/k3m9qz/ADA-L")
        self.assertEqual(share_url(settings, "ADA-L", "qr"), "https://referrals.example.com/r/k3m9qz/ADA-L?s=qr")


if __name__ == "__main__":
    unittest.main()
