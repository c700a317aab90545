"""A shop in FastAPI with Stripe Checkout, whose customers recommend it. README.md goes through it."""

from __future__ import annotations

import html
import logging
import os
import secrets
import sqlite3
import threading
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any, AsyncIterator, Iterator
from urllib.parse import quote, urlsplit

import stripe
from billstack_referrals import (
    AlreadyReferredError, BillStack, BillStackError, CodeRefusedError, RefusedError, Retries, WebhookVerificationError,
    forget_click, kept_click, share_url, take_click, verify_webhook,
)
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

URL = os.environ["SHOP_URL"]  # where people reach the shop: https://app.example.com
DATABASE = os.environ.get("SHOP_DATABASE", "shop.db")
PAUSE = float(os.environ.get("SHOP_PAUSE_SECONDS", "30"))
API = os.environ["REFERRALS_API"]  # https://referrals.example.com/api/billstack/teams/team_…/projects/proj_…
WEBHOOK_SECRETS = os.environ["REFERRALS_WEBHOOK_SECRETS"].split()  # two while one is rotated

# Somebody waits for the answer; what does not work soon is done later.
billstack = BillStack(API, os.environ["REFERRALS_API_KEY"], timeout=5, retries=Retries(max_elapsed=3))
to_stripe = stripe.StripeClient(
    os.environ["STRIPE_SECRET_KEY"], base_addresses={"api": os.environ.get("STRIPE_API_BASE", "https://api.stripe.com")}
)

# Where the element comes from, and whose it is.
ORIGIN = os.environ.get("REFERRALS_PUBLIC_URL") or "{0.scheme}://{0.netloc}".format(urlsplit(API))
PROJECT = "/".join(API.rstrip("/").split("/")[-3::2])

# A user is `open` as long as BillStack may not know all that we know.
TABLES = """
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, session TEXT NOT NULL UNIQUE,
    code TEXT, click TEXT, open INTEGER NOT NULL DEFAULT 1,
    billstack_id TEXT, own_code TEXT, stripe_id TEXT, notice TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS webhooks (id TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS news (user_id TEXT NOT NULL, text TEXT NOT NULL) STRICT;
"""


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(DATABASE, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        with connection:
            yield connection


def user_by(column: str, value: str | None) -> sqlite3.Row | None:
    with transaction() as db:
        found: sqlite3.Row | None = db.execute(f"SELECT * FROM users WHERE {column} = ?", [value]).fetchone()
        return found


def update(user_id: str, **changes: Any) -> None:
    names = ", ".join(f"{name} = ?" for name in changes)
    with transaction() as db:
        db.execute(f"UPDATE users SET {names} WHERE id = ?", [*changes.values(), user_id])


# What BillStack has to know


def introduce(user: sqlite3.Row) -> None:
    """Tells BillStack of a user. Done again from the beginning, it ends the same."""
    customer: Any = {"email": user["email"], "name": user["name"], "externalId": user["id"]}
    if user["stripe_id"]:
        customer["stripeCustomerId"] = user["stripe_id"]
    known = billstack.ensure_customer(customer)
    notice = None
    if user["code"] or user["click"]:
        try:
            billstack.apply({"refereeCustomerId": known["id"], "code": user["code"], "clickToken": user["click"]})
        except (CodeRefusedError, AlreadyReferredError) as refused:
            # It stops nobody. They read the sentence.
            notice = refused.body["error"]
    own = billstack.ensure_code(known["id"])
    with transaction() as db:
        # Still open, if somebody has become a customer of Stripe in between.
        db.execute(
            "UPDATE users SET billstack_id = ?, own_code = ?, notice = ?, open = (stripe_id IS NOT ?) WHERE id = ?",
            [known["id"], own["code"], notice, user["stripe_id"], user["id"]],
        )


def introduce_if_possible(user: sqlite3.Row) -> None:
    try:
        introduce(user)
    except BillStackError as error:
        # As long as it may pass they stay open, and `introduce_later` tries again.
        ends = isinstance(error, RefusedError) and is_for_good(error)
        if ends:
            end = "UPDATE users SET notice = ?, open = (stripe_id IS NOT ?) WHERE id = ?"
            with transaction() as db:
                db.execute(end, [error.args[0], user["stripe_id"], user["id"]])
        logging.warning("user %s is not introduced%s: %s", user["id"], "" if ends else " yet", error)


def is_for_good(error: RefusedError) -> bool:
    """What is refused for what a user is, such as an address that is none, is refused however often it is tried."""
    return error.status in (400, 409) and error.reason not in ("customer_being_created", "idempotency_key_in_use")


def introduce_later(stop: threading.Event) -> None:
    while not stop.wait(PAUSE):
        last = ""
        # Everybody has a turn in each round, however many there are.
        while (user := next_open(last)) is not None and not stop.is_set():
            try:
                introduce_if_possible(user)
            except Exception:
                logging.exception("user %s is not introduced yet", user["id"])
            last = user["id"]


def next_open(last: str) -> sqlite3.Row | None:
    with transaction() as db:
        waiting = "SELECT * FROM users WHERE open AND id > ? ORDER BY id LIMIT 1"
        found: sqlite3.Row | None = db.execute(waiting, [last]).fetchone()
        return found


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    with transaction() as db:
        db.executescript(TABLES)
    stop = threading.Event()
    later = threading.Thread(target=introduce_later, args=[stop])
    later.start()
    yield
    stop.set()
    later.join()


app = FastAPI(lifespan=lifespan)


# The way of a visitor


def cookie(text: str) -> str:
    # On your own machine there is no HTTPS.
    return text if URL.startswith("https:") else text.replace("; Secure", "")


@app.middleware("http")
async def keep_click(request: Request, go_on: Any) -> Response:
    """Whoever comes by a share link brings `ref`, a code, and `ref_click`, which goes out of the address."""
    if request.method != "GET":
        return await go_on(request)  # type: ignore[no-any-return]
    click = take_click(str(request.url))
    if click is not None:
        return RedirectResponse(click.location, 302, {"set-cookie": cookie(click.set_cookie)})
    answer: Response = await go_on(request)
    code = request.query_params.get("ref", "")
    if 0 < len(code) <= 64:
        kept = f"ref={quote(code, safe='')}; Path=/; Max-Age=5184000; HttpOnly; Secure; SameSite=Lax"
        answer.headers.append("set-cookie", cookie(kept))
    return answer


# Scripts and frames of BillStack Referrals are all that comes from elsewhere.
POLICY = (
    f"default-src 'none'; script-src {ORIGIN}; frame-src {ORIGIN}; connect-src 'self'; img-src data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def page(body: str) -> HTMLResponse:
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">'
    return HTMLResponse(f"{head}{body}</html>", headers={"content-security-policy": POLICY})


@app.get("/sign-up")
def sign_up_form(request: Request, ref: str | None = None) -> HTMLResponse:
    # A link that is followed now means more than one of yesterday.
    code = ref or kept_click(request.headers.get("cookie"), cookie="ref") or ""
    return page(
        f"""<form method="post"><p>Name <input name="name"><p>Email <input name="email" type="email">
        <p>Code <input name="code" value="{html.escape(code)}"><p><button>Sign up</button></form>"""
    )


@app.post("/sign-up")
def sign_up(request: Request, name: str = Form(), email: str = Form(), code: str = Form("")) -> Response:
    # Both are passed on: what was typed counts, and the click tells how they came.
    click = kept_click(request.headers.get("cookie"))
    user_id, session = f"user-{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    try:
        with transaction() as db:
            values = [user_id, email.strip().lower(), name, session, code.strip()[:64] or None, click]
            db.execute("INSERT INTO users (id, email, name, session, code, click) VALUES (?, ?, ?, ?, ?, ?)", values)
    except sqlite3.IntegrityError:
        raise HTTPException(409, "There is an account with this address.") from None
    # The account is there, whatever becomes of the rest.
    introduce_if_possible(user_by("id", user_id))  # type: ignore[arg-type]
    answer = RedirectResponse("/account", 303)
    for kept in ("ref", "ref_click"):
        answer.headers.append("set-cookie", cookie(forget_click(cookie=kept)))
    answer.set_cookie("session", session, httponly=True, secure=URL.startswith("https:"), samesite="lax")
    return answer


def signed_in(request: Request) -> sqlite3.Row:
    user = user_by("session", request.cookies.get("session"))
    if user is None:
        raise HTTPException(401, "Sign in.")
    return user


@app.get("/account")
def account(request: Request) -> HTMLResponse:
    user = signed_in(request)
    lines = [user["name"], user["notice"] or ""]
    with transaction() as db:
        lines += [row["text"] for row in db.execute("SELECT text FROM news WHERE user_id = ?", [user["id"]])]
    try:
        if user["own_code"]:
            lines.append(f"Recommend us: {share_url(billstack.link_settings(), user['own_code'])}")
            lines += [f"You have {money(**balance)}" for balance in billstack.balances(user["billstack_id"])]
    except BillStackError:
        lines.append(f"Recommend us: your code is {user['own_code']}")
    body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    body += '<form method="post" action="/checkout"><button>Subscribe</button></form>'
    return page(body + (MY_REFERRALS if user["own_code"] else ""))


# The page of BillStack Referrals inside of ours. It asks for a token, and comes back for more.
MY_REFERRALS = f"""<h2>My referrals</h2><script type="module" src="{ORIGIN}/embed/v1.js"></script>
<billstack-referrals project="{PROJECT}" token-url="/my/referral-token"></billstack-referrals>"""


@app.get("/my/referral-token")
def referral_token(request: Request, response: Response) -> Any:
    """Whose page it shows is a matter of our session, never of the request."""
    user = signed_in(request)
    if user["billstack_id"] is None:
        raise HTTPException(404, "There is no page yet.")
    response.headers["cache-control"] = "no-store"
    return billstack.create_portal_session(user["billstack_id"])


def money(amount: int, currency: str) -> str:
    # This shop sells in USD alone; other currencies have other smallest units.
    return f"{amount // 100}.{amount % 100:02} {currency.upper()}"


@app.post("/checkout")
def checkout(request: Request) -> Response:
    user = signed_in(request)
    if not user["stripe_id"]:
        customer = to_stripe.v1.customers.create(
            {"email": user["email"], "name": user["name"]}, {"idempotency_key": f"customer-{user['id']}"}
        )
        # Events of Stripe find our customer by it, so BillStack has to know.
        update(user["id"], stripe_id=customer.id, open=1)
        introduce_if_possible(user_by("id", user["id"]))  # type: ignore[arg-type]
        user = signed_in(request)
    ours = {"billstackCustomerId": user["billstack_id"]} if user["billstack_id"] else {}
    session = to_stripe.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": user["stripe_id"],
            "line_items": [{"price": os.environ["STRIPE_PRICE"], "quantity": 1}],
            "success_url": f"{URL}/account",
            # Stripe does not copy the one to the other, and either event will do.
            "metadata": ours,
            "subscription_data": {"metadata": ours},
        }
    )
    return RedirectResponse(str(session.url), 303)


@app.post("/webhooks/billstack")
async def webhook(request: Request) -> dict[str, bool]:
    try:
        event = verify_webhook(request.headers, await request.body(), WEBHOOK_SECRETS)
    except WebhookVerificationError as error:
        raise HTTPException(400, str(error)) from None
    with transaction() as db:
        # The same event may come twice; it counts in the transaction that remembers it.
        if db.execute("INSERT OR IGNORE INTO webhooks VALUES (?)", [event["id"]]).rowcount == 1:
            tell(db, event)
    return {"received": True}


def tell(db: sqlite3.Connection, event: Any) -> None:
    """Types that we do not know change nothing."""
    # Nor do customers who are no users of ours.
    if event["type"] == "credit.granted" and event["data"]["customer"]["externalId"]:
        credit, user_id = event["data"]["credit"], event["data"]["customer"]["externalId"]
        text = f"You have earned {money(credit['amount'], credit['currency'])}"
        db.execute("INSERT INTO news VALUES (?, ?)", [user_id, text])
