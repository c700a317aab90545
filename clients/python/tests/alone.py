"""What the client does by itself, against a server that says what it is told to."""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import hmac
import json
import pickle
import threading
import time
import unittest
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from billstack_referrals import (
    AsyncBillStack, BillStack, BillStackError, CodeRefusedError, CustomerExistsError, NoAnswerError, RateLimitedError, RefusedError,
    Retries, UnavailableError, UnexpectedAnswerError, WebhookVerificationError,
    forget_click, kept_click, share_url, take_click, verify_webhook,
)
from billstack_referrals._calls import Answer, new_call

GOOD: Any = (200, {"customer": {"id": "pc_1"}})
QUICK = {"first_pause": 0.001, "max_pause": 0.004}


def refusal(status: int, reason: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
    return status, {"error": "A sentence.", "reason": reason, **more}, headers or {}


class Server:
    """Gives answers one after the other, the last one for ever; a function writes one as it likes."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers, self.seen, self.over = answers, [], threading.Event()
        self.authorization: str | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                server.seen.append((self.path, self.headers.get("idempotency-key"), body))
                server.authorization = self.headers.get("authorization")
                answer = server.answers[min(len(server.seen), len(server.answers)) - 1]
                self.close_connection = True
                if answer == "hang":
                    server.over.wait(30)
                if answer in ("hang", "cut"):
                    return
                if callable(answer):
                    try:
                        return answer(self.wfile, server.over)
                    except OSError:
                        return  # whoever asked has gone
                status, content, *headers = answer
                text = content if isinstance(content, str) else json.dumps(content)
                self.send_response(status)
                # Without a word of it, a client that is quicker than this ends a call on a connection that is closing.
                always = {"connection": "close", "x-request-id": "req_1"}
                for name, value in {**always, **(headers[0] if headers else {})}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_PATCH = do_DELETE = answer

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


def drip(to: Any, over: threading.Event, first: bytes) -> None:
    """Keeps whoever reads waiting, a byte at a time."""
    to.write(first)
    while not over.wait(0.02):
        to.write(b" ")


def read_all(server: Server) -> bytes:
    with server.client(1) as billstack:
        return b"".join(billstack.download("/e", query={"format": "csv"}))


class Repetitions(unittest.TestCase):
    def test_whatever_passes_is_repeated_under_one_key_and_only_that(self) -> None:
        passing = [
            "cut", refusal(408, "request_timeout"), refusal(429, "rate_limited"), refusal(502, "stripe_unavailable"),
            refusal(503, "outcome_unknown"), refusal(409, "idempotency_key_in_use"),
            refusal(409, "customer_being_created"), (504, "<html>"),
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

    def test_whoever_is_to_wait_waits_longer_by_chance_and_it_is_no_attempt(self) -> None:
        busy, soon = (refusal(429, "rate_limited", {"retry-after": after}) for after in ("0", "1"))
        with Server([busy] * 12 + [GOOD]) as server, server.client() as billstack:
            self.assertEqual(billstack.get_customer("pc_1")["id"], "pc_1")
            self.assertEqual(len(server.seen), 13)
        # Whoever wants one attempt gets one.
        with Server([busy, GOOD]) as server, server.client(max_attempts=1) as billstack:
            self.assertRaises(RateLimitedError, billstack.get_customer, "pc_1")
            self.assertEqual(len(server.seen), 1)
        call = new_call("GET", "/a", None, None, None, Retries(first_pause=0.4, max_pause=0.4))
        pauses = {call.pause_after(Answer.of(429, soon[2], b"{}")) for _ in range(50)}
        self.assertGreater(len(pauses), 40)
        self.assertTrue(all(1.2 <= pause <= 1.4 for pause in pauses), pauses)
        with Server([busy]) as server, server.client(max_elapsed=2) as billstack:
            with self.assertRaises(RateLimitedError) as raised:
                billstack.get_customer("pc_1")
            self.assertGreater(raised.exception.attempts, 6)

    def test_a_success_that_is_none_of_ours_is_told_at_once(self) -> None:
        answers: list[Any] = [
            (200, {}), (200, {"customer": None}), (200, {"customer": []}), (201, '{"customer":'), (200, [1]), (204, ""),
            (200, "id,code\n"), (200, "[" * 200_000),
        ]
        for answer in answers:
            with self.subTest(str(answer)[:80]), Server([answer, GOOD]) as server, server.client() as billstack:
                with self.assertRaises(UnexpectedAnswerError) as raised:
                    billstack.create_customer({"email": "a@example.com"})
                told = (raised.exception.status, raised.exception.attempts, raised.exception.may_have_happened)
                self.assertEqual((*told, len(server.seen)), (answer[0], 1, True, 1))
        with Server([(200, {})]) as server, server.client() as billstack:
            self.assertRaises(UnexpectedAnswerError, billstack.balances, "pc_1")
            self.assertRaises(UnexpectedAnswerError, billstack.find_customer, {"externalId": "1"})
            self.assertRaises(UnexpectedAnswerError, lambda: next(iter(billstack.customers())))
            self.assertRaises(UnexpectedAnswerError, billstack.erase_customer, "pc_1")
            self.assertEqual(billstack.request("GET", "/anything"), {})
        # A refusal that does not show what it should is no refusal of ours.
        deep = (400, '{"error":"x","reason":' + "[" * 200_000)
        for odd in (refusal(409, "customer_exists"), deep):
            with Server([odd]) as server, server.client() as billstack:
                self.assertRaises(UnexpectedAnswerError, billstack.ensure_customer, {"email": "a@example.com"})

    def test_an_attempt_is_bounded_as_a_whole_and_an_answer_in_its_length(self) -> None:
        def head(to: Any, over: threading.Event) -> None:
            drip(to, over, b"HTTP/1.1 200 OK\r\nx: ")

        def body(to: Any, over: threading.Event) -> None:
            drip(to, over, b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")

        async def use(api: str) -> None:
            async with AsyncBillStack(api, "bsk_1", timeout=0.5, retries=Retries(**QUICK, max_attempts=2)) as billstack:
                await billstack.get_customer("pc_1")

        for slow in (head, body):
            with self.subTest(slow.__name__), Server([slow]) as server:
                with server.client(0.5, max_attempts=2) as billstack:
                    self.assertRaises(NoAnswerError, billstack.get_customer, "pc_1")
                self.assertRaises(NoAnswerError, asyncio.run, use(server.api))
                self.assertEqual(len(server.seen), 4)

        def endless(to: Any, _: threading.Event) -> None:
            to.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                to.write(b" " * 1_000_000)

        with Server([endless]) as server, server.client() as billstack:
            self.assertRaises(UnexpectedAnswerError, billstack.get_customer, "pc_1")
            self.assertEqual(len(server.seen), 1)

    def test_an_export_comes_as_it_is_and_is_begun_again_until_it_has_begun(self) -> None:
        text = "id,name\n1,Gr\u00fcn\n"

        def slow(to: Any, over: threading.Event) -> None:
            to.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: 16\r\n\r\n")
            for byte in text.encode():
                to.write(bytes([byte]))
                over.wait(0.1)

        def broken(to: Any, _: threading.Event) -> None:
            to.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nid\n")

        def stuck(to: Any, over: threading.Event) -> None:
            broken(to, over)
            over.wait(30)

        async def use(api: str) -> bytes:
            async with AsyncBillStack(api, "bsk_1", timeout=1, retries=Retries(**QUICK)) as billstack:
                return b"".join([part async for part in billstack.download("/e", query={"format": "csv"})])

        for read in (lambda server: asyncio.run(use(server.api)), read_all):
            with Server(["cut", refusal(503, "overloaded"), slow]) as server:
                self.assertEqual(read(server), text.encode())
                self.assertEqual([path for path, _, _ in server.seen], ["/p/e?format=csv"] * 3)
            for half in (broken, stuck):
                with self.subTest(half.__name__), Server([half]) as server:
                    with self.assertRaises(NoAnswerError) as raised:
                        read(server)
                    told = (raised.exception.attempts, raised.exception.may_have_happened, len(server.seen))
                    self.assertEqual(told, (1, False, 1))
            with Server([refusal(403, "insufficient_scope")]) as server:
                self.assertRaises(RefusedError, read, server)
            with Server([(200, "<html>", {"content-type": "text/html; charset=utf-8"})]) as server:
                self.assertRaises(UnexpectedAnswerError, read, server)

    def test_what_could_never_arrive_is_refused_at_once_without_a_word_of_the_secret(self) -> None:
        api, odd = "http://127.0.0.1:1/p", []
        odd += [(api, key) for key in ("bsk_\u00e9SECRET", "bsk_\nSECRET", " \n", None)]
        places = ("ftp://a/SECRET", "SECRET", "http://[SECRET", "https://", "http://a:SECRET/", "http://a b/SECRET")
        odd += [(place, "k") for place in places]
        odd += [(place, "k") for place in ("https://ada:SECRET@a.example/p", "https://a.example/p?SECRET")]
        for place, key in odd:
            for kind in (BillStack, AsyncBillStack):
                with self.subTest((place, key)), self.assertRaises(ValueError) as raised:
                    kind(place, key)  # type: ignore[arg-type]
                shown = str(raised.exception) + str(raised.exception.__context__ or "")
                self.assertNotIn("SECRET", shown)
        with Server([GOOD]) as server, server.client() as billstack:
            for bad in ("", " ", "   ", "a\nb", "a\n", "\u00e9", " a", "a ", "k" * 256):
                with self.subTest(bad):
                    self.assertRaises(ValueError, billstack.create_customer, {"email": "a"}, idempotency_key=bad)
                    self.assertRaises(ValueError, billstack.give_credit, {}, idempotency_key=bad)
            for method, path in (("get\n", "/a"), ("GET", "a"), ("GET", "/a b"), ("GET", "/a\n"), ("TRACE", "/a")):
                self.assertRaises(ValueError, billstack.request, method, path)
            for body in ({"amount": float("nan")}, {"amount": float("inf")}, {1: 2}):
                self.assertRaises(ValueError, billstack.request, "POST", "/a", body=body)
            self.assertRaises(ValueError, billstack.get_customer, "\ud800")
            self.assertEqual(server.seen, [])
            billstack.create_customer({"email": "a"}, idempotency_key="ticket 118 ~")
        # What stands in a file often ends with a line break.
        with Server([GOOD]) as server, BillStack(f" {server.api}\n", " bsk_1\n") as billstack:
            billstack.get_customer("pc_1")
            self.assertEqual(server.authorization, "Bearer bsk_1")

    def test_the_same_matter_is_the_same_bytes(self) -> None:
        matters = json.loads(Path(__file__).with_name("matters.json").read_text())
        with Server([GOOD]) as server, server.client() as billstack:
            for matter in matters:
                billstack.request("POST", "/a", body=matter["value"])
                self.assertEqual(server.seen[-1][2], matter["text"].encode())

    def test_errors_are_handed_on_as_they_are(self) -> None:
        exists = refusal(409, "customer_exists", customer={"id": "pc_2"})
        for answers, options in ([exists], {}), ([(404, "<html>")], {}), (["cut"], {"max_attempts": 1}):
            with Server(answers) as server, server.client(**options) as billstack:
                with self.assertRaises(BillStackError) as raised:
                    billstack.create_customer({"email": "a@example.com"}, idempotency_key="sign-up-1")
            error = raised.exception
            for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
                told = (type(other), str(other), other.args, other.__dict__)
                self.assertEqual(told, (type(error), str(error), error.args, error.__dict__))

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

    def test_whoever_was_never_reached_has_done_nothing(self) -> None:
        with Server([GOOD]) as server:
            free = server.client(max_attempts=2)
        with free as billstack, self.assertRaises(NoAnswerError) as raised:
            billstack.create_customer({"email": "a@example.com"})
        self.assertEqual((raised.exception.attempts, raised.exception.may_have_happened), (2, False))

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
        # A list out of a setting has blanks about it, and a file a line break at its end.
        for secrets in (["", SECRETS[0], " "], [f"{SECRETS[0]}\n"]):
            self.assertEqual(kind(signed(self.body), secrets), "ping")

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
        ]
        odd_bodies = (b"no JSON", b"[1]", b"1", b"null", b"{}", b"\xff", b"[" * 200_000)
        tries += [(signed(odd), odd, SECRETS[0]) for odd in odd_bodies]
        tries += [({**good, name: ""}, self.body, SECRETS[0]) for name in good]
        for signature in ("v1,", "v2," + good["webhook-signature"][3:], "v1,AAAA", "\u00e9", "v1,\udce9", "v1,\ud800"):
            tries.append(({**good, "webhook-signature": signature}, self.body, SECRETS[0]))
        for headers, body, secret in tries:
            with self.subTest(headers), self.assertRaises(WebhookVerificationError):
                verify_webhook(headers, body, secret)
        with self.assertRaises(WebhookVerificationError):
            verify_webhook(signed(self.body, now - 30), self.body, SECRETS[0], tolerance=10)
        for none in ("", " ", [], ["", "  "], "whsec_", SECRETS[0][:-1], "whsec_\u00e9", "whsec_a b="):
            with self.subTest(none), self.assertRaisesRegex(ValueError, "secret of the webhook endpoint"):
                verify_webhook(good, self.body, none)


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
        # Whatever a stranger may write into the line of a request.
        odd = [
            "http://[", "http://a:b/", "http://x:99999/", "http:///?ref_click=a", "x:", "*", "", "//[?ref_click=1",
            "%zz?ref_click=%zz", "/\ud800?ref_click=\ud800", "?ref_click=ct_1", "/\u20ac?ref_click=ct_1",
        ]
        for address in odd:
            place = take_click(address)
            self.assertRegex(place.location if place else "/", r"^/([!-.0-~]|$)")
        self.assertIsNone(take_click("http://[?ref_click=ct_1"))
        for cookies in (None, "", "ref_click=", "xref_click=1"):
            self.assertIsNone(kept_click(cookies))

    def test_a_share_link_has_the_form_that_the_settings_say(self) -> None:
        settings: Any = {"shareUrls": ["https://referrals.example.com/r/k3m9qz/{code}"]}
        self.assertEqual(share_url(settings, "ADA-L"), "https://referrals.example.com/r/k3m9qz/ADA-L")
        self.assertEqual(share_url(settings, "ADA-L", "qr"), "https://referrals.example.com/r/k3m9qz/ADA-L?s=qr")


if __name__ == "__main__":
    unittest.main()
