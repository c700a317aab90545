"""So many people sign up, half of them by each client, and tells what each of them got."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

from billstack_referrals import AsyncBillStack, BillStack, Retries
from billstack_referrals.types import CreateCreditRequest

api, key, code = (os.environ[name] for name in ("REFERRALS_API", "REFERRALS_API_KEY", "REFERRALS_CODE"))
sign_ups = int(os.environ["REFERRALS_SIGN_UPS"])
retries = Retries(max_attempts=20, first_pause=0.005, max_pause=0.05)


def welcome(customer_id: str) -> CreateCreditRequest:
    return {"customerId": customer_id, "amount": 100, "currency": "usd", "reason": "Welcome"}


def sign_up(billstack: BillStack, number: int) -> dict[str, str]:
    name = f"user-{number}"
    customer = billstack.ensure_customer({"email": f"{name}@example.com", "externalId": name})
    own = billstack.ensure_code(customer["id"])
    applied = billstack.apply({"refereeCustomerId": customer["id"], "code": code})
    credit = billstack.give_credit(welcome(customer["id"]), idempotency_key=f"welcome-{number}")
    return {"code": own["code"], "referral": applied.referral["id"], "credit": credit["id"]}


async def sign_up_async(billstack: AsyncBillStack, number: int) -> dict[str, str]:
    name = f"user-{number}"
    customer = await billstack.ensure_customer({"email": f"{name}@example.com", "externalId": name})
    own = await billstack.ensure_code(customer["id"])
    applied = await billstack.apply({"refereeCustomerId": customer["id"], "code": code})
    credit = await billstack.give_credit(welcome(customer["id"]), idempotency_key=f"welcome-{number}")
    return {"code": own["code"], "referral": applied.referral["id"], "credit": credit["id"]}


async def all_async(numbers: range) -> list[dict[str, str]]:
    waiting, done = iter(numbers), []
    async with AsyncBillStack(api, key, retries=retries) as billstack:

        async def some() -> None:
            for number in waiting:
                done.append(await sign_up_async(billstack, number))

        await asyncio.gather(*(some() for _ in range(8)))
    return done


# Whoever hangs fails.
signal.alarm(300)
with BillStack(api, key, retries=retries) as client, ThreadPoolExecutor(8) as pool:
    half = sign_ups // 2
    first = list(pool.map(lambda number: sign_up(client, number), range(half)))
    second = asyncio.run(all_async(range(half, sign_ups)))
    # Whoever lost track of it and begins anew ends with the same.
    again = [sign_up(client, number) for number in range(20)]
    assert again == first[:20]
print(json.dumps(first + second))
