"""Judged by mypy, never run: what callers may write, and what it must refuse. A mark that refuses nothing is a fault."""

from billstack_referrals import AlreadyReferredError, AsyncBillStack, BillStack, CustomerExistsError, RefusedError
from billstack_referrals.types import Event, ReferralStatus


def refusals(billstack: BillStack) -> str:
    try:
        referral, is_repetition = billstack.apply({"refereeCustomerId": "pc_1", "code": "K7M2QX9D"})
        amount: int = referral["terms"]["refereeCreditAmount"]
        return f"{amount} {referral['terms']['currency']} {is_repetition}"
    except AlreadyReferredError as error:
        return error.referral["code"]
    except CustomerExistsError as error:
        return error.customer["id"]
    except RefusedError as error:
        if error.reason == "no_such_reason":  # type: ignore[comparison-overlap]
            return ""
        return error.referral  # type: ignore[attr-defined, no-any-return]


def events(event: Event) -> int:
    if event["type"] == "credit.granted":
        return event["data"]["credit"]["amount"]
    if event["type"] == "referral.converted":
        return event["data"]["credit"]["amount"]  # type: ignore[typeddict-item, no-any-return]
    return 0


# A newer server may say what this client does not know.
status: ReferralStatus = "postponed"


def credits(billstack: BillStack) -> None:
    billstack.give_credit(
        {"customerId": "pc_1", "amount": 500, "currency": "usd", "reason": "Goodwill"}, idempotency_key="goodwill-1"
    )
    billstack.give_credit(  # type: ignore[call-arg]
        {"customerId": "pc_1", "amount": 500, "currency": "usd", "reason": "Goodwill"}
    )
    billstack.ensure_customer({"email": "a@example.com", "external_id": "1"})  # type: ignore[typeddict-unknown-key]


async def asynchronous(billstack: AsyncBillStack) -> int:
    async for credit in billstack.credits({"status": "granted"}):
        return credit["amount"]
    return 0
