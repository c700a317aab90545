// What the client does by itself, against a server that says what it is told to.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";
import {
  BillStack, NoAnswerError, RefusedError, UnexpectedAnswerError, WebhookVerificationError,
  forgetClick, keptClick, shareUrl, takeClick, verifyWebhook,
} from "billstack-referrals";

const GOOD = [200, { customer: { id: "pc_1" } }];
const refusal = (status, reason, more = {}) => [status, { error: "A sentence.", reason, ...more }];

/** Runs calls against answers that are given one after the other; "cut" and "hang" are none. */
async function against(answers, use, options = {}) {
  const seen = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes) => (body += bytes));
    request.on("end", () => {
      const key = request.headers["idempotency-key"];
      seen.push({ url: request.url, key, body });
      const answer = answers[Math.min(seen.length, answers.length) - 1];
      if (answer === "hang") return;
      if (answer === "cut") return void request.socket.destroy();
      const [status, content, headers = {}] = answer;
      response.writeHead(status, { "content-type": "application/json", "x-request-id": "req_1", ...headers });
      response.end(typeof content === "string" ? content : JSON.stringify(content));
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const api = `http://127.0.0.1:${server.address().port}/p/`;
  const backoff = { firstMs: 1, maxMs: 4 };
  try {
    await use(new BillStack({ api, apiKey: "bsk_1", backoff, ...options }), seen);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("whatever passes is repeated under one key, and only that", async () => {
  const passing = [
    "cut", refusal(408, "request_timeout"), refusal(429, "rate_limited", {}), refusal(502, "stripe_unavailable"),
    refusal(503, "outcome_unknown"), refusal(409, "idempotency_key_in_use"), refusal(409, "customer_being_created"),
    [504, "<html>"], refusal(500, "internal"), [201, '{"customer":'],
  ];
  for (const first of passing) {
    await against([first, first === passing[8] ? GOOD : first, GOOD], async (billstack, seen) => {
      assert.equal((await billstack.createCustomer({ email: "a@example.com" })).id, "pc_1");
      assert.equal(new Set(seen.map((one) => one.key)).size, 1, JSON.stringify(first));
      assert.equal(new Set(seen.map((one) => one.body)).size, 1);
      assert.match(seen[0].key, /^[\w-]{36}$/);
      assert.equal(seen.length, first === passing[8] ? 2 : 3);
    });
  }
  const lasting = [
    refusal(400, "invalid_request", { field: "email" }), refusal(401, "invalid_api_key"), refusal(403, "forbidden"),
    refusal(404, "not_found"), refusal(409, "external_id_taken"), refusal(422, "idempotency_key_reused"),
  ];
  for (const only of lasting) {
    await against([only, GOOD], async (billstack, seen) => {
      const failed = await billstack.createCustomer({ email: "a@example.com" }).catch((error) => error);
      assert(failed instanceof RefusedError);
      assert.deepEqual([failed.status, failed.reason, failed.field], [only[0], only[1].reason, only[1].field]);
      assert.deepEqual([failed.requestId, failed.attempts, failed.mayHaveHappened], ["req_1", 1, false]);
      assert.equal(seen.length, 1);
    });
  }
});

test("what would make another secret is not repeated in doubt", async () => {
  for (const path of ["/webhook-endpoints", "/webhook-endpoints/whe_1/rotate-secret"]) {
    for (const first of ["cut", refusal(503, "outcome_unknown")]) {
      await against([first, [201, { secret: "whsec_1" }]], async (billstack, seen) => {
        const failed = await billstack.request("POST", path, { body: {} }).catch((error) => error);
        assert.deepEqual([failed.mayHaveHappened, failed.idempotencyKey, seen.length], [true, undefined, 1]);
      });
    }
    await against([refusal(503, "overloaded"), [201, { secret: "whsec_1" }]], async (billstack) => {
      assert.equal((await billstack.request("POST", path, { body: {} })).secret, "whsec_1");
    });
  }
});

test("a defect is tried once more", async () => {
  await against([refusal(500, "internal")], async (billstack, seen) => {
    const failed = await billstack.getCustomer("pc_1").catch((error) => error);
    assert.equal(failed.reason, "internal");
    assert.equal(seen.length, 2);
    assert.equal(seen[0].key, undefined);
  });
});

test("Retry-After is waited for, unless that is too long", async () => {
  const soon = refusal(429, "rate_limited").concat({ "retry-after": "1" });
  await against([soon, GOOD], async (billstack, seen) => {
    await billstack.getCustomer("pc_1");
    assert.equal(seen.length, 2);
  });
  const inTime = async (billstack, seen) => {
    const failed = await billstack.getCustomer("pc_1").catch((error) => error);
    assert.deepEqual([failed.reason, failed.retryAfter, seen.length], ["rate_limited", 1, 1]);
  };
  await against([soon, GOOD], inTime, { maxElapsedMs: 500 });
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  await against([refusal(429, "too_many_renames").concat({ "retry-after": date })], async (billstack, seen) => {
    const failed = await billstack.renameCode("K7M2QX9D", "ADA").catch((error) => error);
    assert(failed.retryAfter > 3_000);
    assert.equal(seen.length, 1);
  });
});

test("whoever gives up says whether it may have happened, and under which key to go on", async () => {
  const tries = [
    [["cut"], NoAnswerError, true],
    [["hang"], NoAnswerError, true],
    [[refusal(503, "outcome_unknown")], RefusedError, true],
    [[refusal(409, "idempotency_key_in_use")], RefusedError, true],
    [["cut", refusal(503, "overloaded")], RefusedError, true],
    [["cut", refusal(401, "api_key_revoked")], RefusedError, true],
    [[refusal(503, "overloaded")], RefusedError, false],
    [["cut", refusal(409, "self_referral")], RefusedError, false],
    [[[502, "<html>"]], UnexpectedAnswerError, true],
    [[[404, "<html>"]], UnexpectedAnswerError, false],
    [[[301, "", { location: "http://127.0.0.1:1/" }]], UnexpectedAnswerError, false],
  ];
  for (const [answers, kind, mayHaveHappened] of tries) {
    const use = async (billstack) => {
      const options = { idempotencyKey: "sign-up-1" };
      const failed = await billstack.createCustomer({ email: "a@example.com" }, options).catch((error) => error);
      assert(failed instanceof kind, `${JSON.stringify(answers)}: ${failed}`);
      assert.equal(failed.mayHaveHappened, mayHaveHappened, JSON.stringify(answers));
      assert.equal(failed.idempotencyKey, "sign-up-1");
    };
    await against(answers, use, { maxAttempts: 3, timeoutMs: answers[0] === "hang" ? 100 : 10_000 });
  }
});

test("whoever calls can end a call", async () => {
  await against(["hang"], async (billstack) => {
    const signal = AbortSignal.timeout(50);
    await assert.rejects(billstack.getCustomer("pc_1", { signal }), (error) => error === signal.reason);
  });
});

test("no name leads to another address", async () => {
  await against([GOOD], async (billstack, seen) => {
    for (const id of ["", ".", ".."]) await assert.rejects(billstack.getCustomer(id), TypeError);
    await billstack.getCustomer("../a b?c#d");
    assert.deepEqual(seen.map((one) => one.url), ["/p/customers/..%2Fa%20b%3Fc%23d"]);
  });
});

const SECRETS = ["whsec_" + btoa("the secret of today, 32 bytes lon"), "whsec_" + btoa("the secret of yesterday")];

function signed(body, { at = Math.floor(Date.now() / 1_000), secrets = SECRETS.slice(0, 1) } = {}) {
  const sign = (secret) => {
    const key = Buffer.from(secret.slice(6), "base64");
    return "v1," + createHmac("sha256", key).update(`evt_1.${at}.${body}`).digest("base64");
  };
  return {
    "webhook-id": "evt_1", "webhook-timestamp": String(at), "webhook-signature": secrets.map(sign).join(" "),
  };
}

test("webhooks are verified as Standard Webhooks say", () => {
  const body = '{"type":"ping","text":"Gr\u{fc}\u{df}e"}';
  const type = (...args) => verifyWebhook(...args).type;
  assert.equal(type(signed(body), body, SECRETS[0]), "ping");
  assert.equal(type(new Headers(signed(body)), Buffer.from(body), SECRETS[0]), "ping");
  assert.equal(type({ ...signed(body), "Webhook-Id": "evt_1" }, body, SECRETS[0]), "ping");
  // While a secret is rotated: two signatures, or two secrets here.
  for (const have of SECRETS) assert.equal(type(signed(body, { secrets: SECRETS }), body, have), "ping");
  assert.equal(type(signed(body), body, SECRETS.toReversed()), "ping");

  const now = Math.floor(Date.now() / 1_000);
  const refused = (headers, text, secret, options) =>
    assert.throws(() => verifyWebhook(headers, text, secret, options), WebhookVerificationError);
  refused(signed(body), body, SECRETS[1]);
  refused(signed(body), body + " ", SECRETS[0]);
  refused({ ...signed(body), "webhook-id": "evt_2" }, body, SECRETS[0]);
  for (const at of [now - 310, now + 310]) refused(signed(body, { at }), body, SECRETS[0]);
  refused(signed(body, { at: now - 30 }), body, SECRETS[0], { toleranceSeconds: 10 });
  assert.equal(type(signed(body, { at: now - 290 }), body, SECRETS[0]), "ping");
  for (const name of Object.keys(signed(body))) refused({ ...signed(body), [name]: undefined }, body, SECRETS[0]);
  refused({ ...signed(body), "webhook-timestamp": "soon" }, body, SECRETS[0]);
  for (const signature of ["", "v1,", "v2," + signed(body)["webhook-signature"].slice(3), "v1,AAAA"]) {
    refused({ ...signed(body), "webhook-signature": signature }, body, SECRETS[0]);
  }
  refused(signed("no JSON"), "no JSON", SECRETS[0]);
  assert.throws(() => verifyWebhook(signed(body), body, ""), TypeError);
});

test("a click is taken out of the address, kept, read and forgotten", () => {
  const click = takeClick("/welcome?a=b&ref_click=ct_x-_1&ref=ADA");
  assert.equal(click.clickToken, "ct_x-_1");
  assert.equal(click.location, "/welcome?a=b&ref=ADA");
  assert.match(click.setCookie, /^ref_click=ct_x-_1; Path=\/; Max-Age=5184000; HttpOnly; Secure; SameSite=Lax$/);
  assert.equal(keptClick("theme=dark; " + click.setCookie.split(";")[0]), "ct_x-_1");
  assert.match(forgetClick(), /^ref_click=; .*Max-Age=0/);
  assert.equal(takeClick("https://app.example.com/?c=ct_1", { parameter: "c" }).location, "/");
  for (const none of ["/welcome", "/?ref_click=", `/?ref_click=${"x".repeat(2_000)}`]) {
    assert.equal(takeClick(none), null);
  }
  // Nobody is sent to another host.
  for (const evil of ["//evil.example/a", "/\\evil.example/a", "\\\\evil.example/a", "/.//evil.example/a"]) {
    assert.match(takeClick(`${evil}?ref_click=ct_1`).location, /^\/[^/\\]/);
  }
  for (const none of [undefined, "", "ref_click=", "ref_click=%", "xref_click=1"]) assert.equal(keptClick(none), null);
});

test("a share link has the form that the settings say", () => {
  const settings = { shareUrls: ["https://referrals.example.com/r/k3m9qz/{code}"] };
  assert.equal(shareUrl(settings, "ADA-L"), "https://referrals.example.com/r/k3m9qz/ADA-L");
  assert.equal(shareUrl(settings, "ADA-L", "qr"), "https://referrals.example.com/r/k3m9qz/ADA-L?s=qr");
});
