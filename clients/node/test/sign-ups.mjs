// So many people sign up, eight at a time, and tells what each of them got.

import { BillStack } from "billstack-referrals";

const { REFERRALS_API: api, REFERRALS_API_KEY: apiKey, REFERRALS_CODE: code } = process.env;
const backoff = { firstMs: 5, maxMs: 50 };
const billstack = new BillStack({ api, apiKey, maxAttempts: 20, backoff });

async function signUp(number) {
  const customer = await billstack.ensureCustomer({
    email: `user-${number}@example.com`,
    externalId: `user-${number}`,
  });
  const own = await billstack.ensureCode(customer.id);
  const { referral } = await billstack.apply({ refereeCustomerId: customer.id, code });
  const welcome = { customerId: customer.id, amount: 100, currency: "usd", reason: "Welcome" };
  const credit = await billstack.giveCredit(welcome, { idempotencyKey: `welcome-${number}` });
  return { customer: customer.id, code: own.code, referral: referral.id, credit: credit.id };
}

// Whoever hangs fails.
setTimeout(() => process.exit(1), 300_000).unref();
const signedUp = [];
const numbers = Array.from({ length: Number(process.env.REFERRALS_SIGN_UPS) }, (_, number) => number).values();
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (const number of numbers) signedUp.push(await signUp(number));
  }),
);
// Whoever lost track of it and begins anew ends with the same.
for (const one of signedUp.slice(0, 20)) {
  const { externalId } = await billstack.getCustomer(one.customer);
  const again = await signUp(Number(externalId.slice("user-".length)));
  if (JSON.stringify(again) !== JSON.stringify(one)) throw new Error(`${JSON.stringify([one, again])} differ`);
}
console.log(JSON.stringify(signedUp));
