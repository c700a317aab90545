// What BillStack has to know.

import { isRefused, type RefusedError } from "billstack-referrals";
import { billstack } from "./services";
import { setting } from "./settings";
import { users, type User } from "./users";

/** Tells BillStack of a user. Done again from the beginning, it ends the same. */
async function introduce({ id, email, name, code, click, stripeId }: User) {
  const ours = { email, name, externalId: id, ...(stripeId && { stripeCustomerId: stripeId }) };
  const customer = await billstack().ensureCustomer(ours);
  const notice = code || click ? await apply({ refereeCustomerId: customer.id, code, clickToken: click }) : null;
  const own = await billstack().ensureCode(customer.id);
  // Still open, if somebody has become a customer of Stripe in between.
  const open = users.get(id)?.stripeId !== stripeId;
  users.put(id, { billstackId: customer.id, ownCode: own.code, notice, open });
}

/** A code that counts for nothing stops nobody. They read the sentence. */
async function apply(request: Parameters<ReturnType<typeof billstack>["apply"]>[0]): Promise<string | null> {
  try {
    await billstack().apply(request);
    return null;
  } catch (error) {
    if (!isRefused(error) || ![400, 404, 409].includes(error.status)) throw error;
    return error.message;
  }
}

export async function introduceIfPossible(user: User) {
  try {
    await introduce(user);
  } catch (error) {
    // As long as it may pass they stay open, and `introduceLater` tries again.
    const ends = isRefused(error) && isForGood(error);
    if (ends) users.put(user.id, { notice: error.message, open: users.get(user.id)?.stripeId !== user.stripeId });
    console.error(`user ${user.id} is not introduced${ends ? "" : " yet"}: ${error}`);
  }
}

/** What is refused for what a user is, such as an address that is none, is refused however often it is tried. */
function isForGood({ status, reason }: RefusedError): boolean {
  return [400, 409].includes(status) && !["customer_being_created", "idempotency_key_in_use"].includes(reason);
}

/** Looks after those who are open. Where no process stays, a scheduled route handler does the same. */
export async function introduceLater() {
  for (const user of users.rows().filter(({ open }) => open)) await introduceIfPossible(user);
  setTimeout(introduceLater, Number(setting("SHOP_PAUSE_SECONDS", "30")) * 1_000);
}
