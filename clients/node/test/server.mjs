// What the client does against a server. REFERRALS_CODE is the code of Ada, the only customer.

import assert from "node:assert/strict";
import { BillStack, isRefused, keptClick, shareUrl, takeClick } from "billstack-referrals";

const { REFERRALS_API: api, REFERRALS_API_KEY: apiKey, REFERRALS_CODE: code } = process.env;
const billstack = new BillStack({ api, apiKey });
const all = async (list) => {
  const rows = [];
  for await (const row of list) rows.push(row);
  return rows;
};
const refused = async (call, reason) => {
  const error = await call.then(() => assert.fail("it went well"), (failed) => failed);
  assert(isRefused(error, reason), String(error));
  return error;
};

// A customer is the same one however often it is ensured, and what was missing is added.
const grace = await billstack.ensureCustomer({ email: "grace@example.com", name: "Grace" });
const known = { email: " GRACE@example.com", externalId: "user-1", stripeCustomerId: "cus_Grace" };
const linked = await billstack.ensureCustomer(known);
assert.deepEqual([linked.id, linked.externalId, linked.stripeCustomerId, linked.name],
  [grace.id, "user-1", "cus_Grace", "Grace"]);
assert.deepEqual(await billstack.ensureCustomer(known), linked);
const taken = await refused(billstack.ensureCustomer({ ...known, externalId: "user-2" }), "customer_exists");
assert.equal(taken.body.customer.id, grace.id);
assert.equal((await billstack.findCustomer({ externalId: "user-1" })).id, grace.id);
assert.equal(await billstack.findCustomer({ externalId: "user-9" }), null);
assert.equal((await billstack.updateCustomer(grace.id, { name: "G" })).name, "G");
assert.equal((await billstack.getCustomer(grace.id)).name, "G");

// A code, its name, and whoever applies either.
const own = await billstack.ensureCode(grace.id);
assert.equal((await billstack.ensureCode(grace.id)).code, own.code);
const named = await billstack.renameCode(code, "ADA-L");
assert.deepEqual([named.code, named.vanity], [code, "ADA-L"]);
const applied = await billstack.apply({ refereeCustomerId: grace.id, code: "ada l" });
assert.deepEqual([applied.isRepetition, applied.referral.code], [false, code]);
for (const same of ["ADA-L", "ada_l", code, ` ${code.toLowerCase()} `]) {
  const again = await billstack.apply({ refereeCustomerId: grace.id, code: same });
  assert.deepEqual([again.isRepetition, again.referral.id], [true, applied.referral.id], same);
}
const frank = await billstack.ensureCustomer({ email: "frank@example.com" });
const other = await billstack.ensureCode(frank.id);
const before = await refused(billstack.apply({ refereeCustomerId: grace.id, code: other.code }), "already_referred");
assert.equal(before.body.referral.id, applied.referral.id);
await refused(billstack.apply({ refereeCustomerId: frank.id, code: other.code }), "self_referral");
await refused(billstack.apply({ refereeCustomerId: frank.id, code: "NOTACODE" }), "code_not_found");
assert.equal((await billstack.getReferral(applied.referral.id)).status, "pending");
const story = await all(billstack.referralEvents(applied.referral.id));
assert.equal(story[0].type, "referral.applied");

// Share links: whoever follows one comes with a click, which brings the referrer.
const landingUrl = "http://127.0.0.1:9/welcome";
const settings = await billstack.putLinkSettings({ enabled: true, landingUrl });
assert.deepEqual(await billstack.linkSettings(), settings);
const link = new URL(shareUrl(settings, "ADA-L", "qr"));
const followed = await fetch(new URL(api).origin + link.pathname + link.search, {
  redirect: "manual",
  headers: { "user-agent": "Mozilla/5.0 Firefox/140.0" },
});
const click = takeClick(new URL(followed.headers.get("location")));
assert.match(click.location, /^\/welcome\?ref=/);
const clickToken = keptClick(click.setCookie.split(";")[0]);
const ivan = await billstack.ensureCustomer({ email: "ivan@example.com" });
const byClick = await billstack.apply({ refereeCustomerId: ivan.id, clickToken });
assert.deepEqual([byClick.referral.code, byClick.referral.attribution.source], [code, "click"]);
assert((await billstack.apply({ refereeCustomerId: ivan.id, clickToken })).isRepetition);
await refused(billstack.apply({ refereeCustomerId: frank.id, clickToken: "ct_forged" }), "invalid_click_token");

// A short time in the portal.
const portal = await billstack.createPortalSession(grace.id, { expiresInSeconds: 60, readOnly: true });
assert.match(portal.token, /^bp_/);

// Credits by hand: under one key there is one.
const goodwill = { customerId: grace.id, amount: 1_234, currency: "usd", reason: "Goodwill" };
const key = { idempotencyKey: "goodwill-1" };
const credit = await billstack.giveCredit(goodwill, key);
assert.equal((await billstack.giveCredit(goodwill, key)).id, credit.id);
await refused(billstack.giveCredit({ ...goodwill, amount: 1 }, key), "idempotency_key_reused");
await assert.rejects(billstack.settleCredit(credit.id, { reason: "Paid out" }), TypeError);
assert.deepEqual(await billstack.balances(grace.id), [{ currency: "usd", amount: 1_234 }]);
const paid = { amount: 234, reason: "Paid out", reference: "PAY-1" };
for (let time = 0; time < 2; time += 1) {
  const settled = await billstack.settleCredit(credit.id, paid, { idempotencyKey: "PAY-1" });
  assert.deepEqual([settled.amounts.settled, settled.amounts.available], [234, 1_000]);
}
await billstack.reverseCredit(credit.id, { reason: "A mistake" }, { idempotencyKey: "mistake-1" });
assert.equal((await billstack.getCredit(credit.id)).amounts.reversed, 1_000);
const [statement] = await billstack.statements(grace.id, { currency: "usd" });
assert.deepEqual([statement.lines.length, statement.closing], [3, 0]);
assert.equal((await all(billstack.credits({ customerId: grace.id }))).length, 1);

// Lists go on by cursor.
for (let number = 0; number < 5; number += 1) {
  await billstack.createCustomer({ email: `many-${number}@example.com` });
}
const ids = (await all(billstack.customers({}))).map((customer) => customer.id);
assert.equal(new Set(ids).size, 9);
const first = await billstack.request("GET", "/customers", { query: { limit: 2 } });
assert.equal(first.customers.length, 2);
assert.equal((await all(billstack.referrals({ code, status: "pending" }))).length, 2);
assert.equal((await all(billstack.codes({ customerId: frank.id }))).length, 1);
assert.equal((await billstack.config()).referrerCreditAmount, 1_000);
await all(billstack.events());

// Exports come as files.
const csv = Buffer.concat(await all(billstack.download("/referrals/exports/credits", { query: { format: "csv" } })));
assert.match(csv.toString(), new RegExp(`^id,kind,[^]*\n${credit.id},manual,`));
const lines = Buffer.concat(await all(billstack.download("/referrals/exports/referrals", { query: { format: "ndjson" } })));
assert.equal(lines.toString().trim().split("\n").map(JSON.parse).length, 2);
await refused(all(billstack.download("/referrals/exports/credits", { query: { format: "xls" } })), "invalid_request");
await billstack.deactivateCode(other.code);
await billstack.eraseCustomer(frank.id);
await refused(billstack.getCustomer(frank.id), "customer_not_found");
