// Compiled, never run: what callers may write, and what the compiler must refuse.

import { type BillStack, type Event, type Referral, isRefused } from "billstack-referrals";

export async function refusals(billstack: BillStack): Promise<string> {
  try {
    const { referral } = await billstack.apply({ refereeCustomerId: "pc_1", code: "K7M2QX9D" });
    const amount: number = referral.terms.refereeCreditAmount;
    return `${amount} ${referral.terms.currency}`;
  } catch (error) {
    if (isRefused(error, "already_referred")) return error.body.referral.code;
    if (isRefused(error, "customer_exists")) return error.body.customer.id;
    if (isRefused(error, "self_referral", "code_inactive")) {
      // @ts-expect-error These two show nothing that is in the way.
      error.body.referral;
      return error.reason === "self_referral" ? "your own code" : error.message;
    }
    // @ts-expect-error There is no such reason.
    if (isRefused(error, "already_refered")) return "";
    throw error;
  }
}

export function events(event: Event): number {
  switch (event.type) {
    case "credit.granted":
      return event.data.credit.amount;
    case "referral.converted":
      // @ts-expect-error A conversion tells no amount.
      return event.data.credit.amount;
    default:
      return 0;
  }
}

// A newer server may say what this client does not know.
export const status: Referral["status"] = "postponed";

export async function credits(billstack: BillStack): Promise<void> {
  const credit = { customerId: "pc_1", amount: 500, currency: "usd", reason: "Goodwill" };
  await billstack.giveCredit(credit, { idempotencyKey: "goodwill-4711" });
  // @ts-expect-error Without a key a repetition would be a second credit.
  await billstack.giveCredit(credit);
}
