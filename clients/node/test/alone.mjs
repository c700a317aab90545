// What the client does by itself, against a server that says what it is told to.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import {
  BillStack, NoAnswerError, RefusedError, UnexpectedAnswerError, WebhookVerificationError,
  forgetClick, keptClick, shareUrl, takeClick, verifyWebhook,
} from "billstack-referrals";

const GOOD = [200, { customer: { id: "pc_1" } }];
const refusal = (status, reason, more = {}) => [status, { error: "A sentence.", reason, ...more }];

/** Runs calls against answers that are given one after the other; a function writes one as it likes. */
async function against(answers, use, options = {}) {
  const seen = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes) => (body += bytes));
    request.on("end", () => {
      const { "idempotency-key": key, authorization } = request.headers;
      seen.push({ url: request.url, key, body, authorization });
      const answer = answers[Math.min(seen.length, answers.length) - 1];
      if (answer === "hang") return;
      if (answer === "cut") return void request.socket.destroy();
      if (typeof answer === "function") return void answer(response);
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
    [504, "<html>"], refusal(500, "internal"),
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

test("whoever is to wait waits longer than that by chance, as long as the time allows, and it is no attempt", async () => {
  const busy = refusal(429, "rate_limited").concat({ "retry-after": "0" });
  await against([...Array(12).fill(busy), GOOD], async (billstack, seen) => {
    assert.equal((await billstack.getCustomer("pc_1")).id, "pc_1");
    assert.equal(seen.length, 13);
  });
  // Whoever wants one attempt gets one.
  await against([busy, GOOD], async (billstack, seen) => {
    await assert.rejects(billstack.getCustomer("pc_1"), RefusedError);
    assert.equal(seen.length, 1);
  }, { maxAttempts: 1 });
  const soon = refusal(429, "rate_limited").concat({ "retry-after": "1" });
  await against([...Array(8).fill(soon), ...Array(8).fill(GOOD)], async (billstack) => {
    const began = performance.now();
    const ends = Array.from({ length: 8 }, () => billstack.getCustomer("pc_1").then(() => performance.now() - began));
    const waited = (await Promise.all(ends)).sort((one, other) => one - other);
    assert(waited[0] >= 1_000, String(waited));
    assert(waited[7] - waited[0] > 20, String(waited));
  }, { backoff: { firstMs: 400, maxMs: 400 } });
  await against([busy], async (billstack) => {
    const failed = await billstack.getCustomer("pc_1").catch((error) => error);
    assert.equal(failed.reason, "rate_limited");
    assert(failed.attempts > 6, String(failed.attempts));
  }, { maxElapsedMs: 2_000 });
});

test("a success that is none of ours is told at once, and never taken for an answer", async () => {
  const answers = [
    [200, {}], [200, { customer: null }], [200, { customer: [] }], [201, '{"customer":'], [200, [1]], [204, ""],
    [200, "id,code\n"], [200, "[".repeat(200_000)],
  ];
  for (const answer of answers) {
    await against([answer, GOOD], async (billstack, seen) => {
      const failed = await billstack.createCustomer({ email: "a@example.com" }).catch((error) => error);
      assert(failed instanceof UnexpectedAnswerError, `${JSON.stringify(answer).slice(0, 80)}: ${failed}`);
      assert.deepEqual([failed.status, failed.attempts, failed.mayHaveHappened], [answer[0], 1, true]);
      assert.equal(seen.length, 1);
    });
  }
  await against([[200, {}]], async (billstack) => {
    await assert.rejects(billstack.balances("pc_1"), UnexpectedAnswerError);
    await assert.rejects(billstack.findCustomer({ externalId: "1" }), UnexpectedAnswerError);
    await assert.rejects(billstack.customers().next(), UnexpectedAnswerError);
    await assert.rejects(billstack.eraseCustomer("pc_1"), UnexpectedAnswerError);
    assert.deepEqual(await billstack.request("GET", "/anything"), {});
  });
  // A refusal that does not show what it should is no refusal of ours.
  await against([refusal(409, "customer_exists")], async (billstack) => {
    await assert.rejects(billstack.ensureCustomer({ email: "a@example.com" }), UnexpectedAnswerError);
  });
});

test("an attempt is bounded as a whole, and an answer in its length", async () => {
  const drip = (response) => {
    response.writeHead(200, { "content-length": "100000" });
    const timer = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(timer));
  };
  await against([drip], async (billstack, seen) => {
    await assert.rejects(billstack.getCustomer("pc_1"), NoAnswerError);
    assert.equal(seen.length, 2);
  }, { timeoutMs: 500, maxAttempts: 2 });
  let sent = 0;
  const endless = (response) => {
    response.writeHead(200);
    const part = Buffer.alloc(1_000_000, " ");
    const more = () => void (sent += part.length) || (!response.destroyed && response.write(part, more));
    more();
  };
  await against([endless], async (billstack, seen) => {
    await assert.rejects(billstack.getCustomer("pc_1"), UnexpectedAnswerError);
    assert.equal(seen.length, 1);
    assert(sent < 100_000_000, String(sent));
  });
});

test("an export comes as it is, in parts, and is begun again until it has begun", async () => {
  const text = async (parts) => {
    const bytes = [];
    for await (const part of parts) bytes.push(part);
    return Buffer.concat(bytes).toString();
  };
  const slow = (response) => {
    response.writeHead(200, { "content-type": "text/csv" });
    ["id,", "name\n", "1,Gr\u{fc}n\n"].forEach((part, at) => setTimeout(() => response.write(part), at * 800));
    setTimeout(() => response.end(), 2_400);
  };
  await against(["cut", refusal(503, "overloaded"), slow], async (billstack, seen) => {
    const csv = billstack.download("/referrals/exports/referrals", { query: { format: "csv" } });
    assert.equal(await text(csv), "id,name\n1,Gr\u{fc}n\n");
    assert.deepEqual(seen.map((one) => one.url), Array(3).fill("/p/referrals/exports/referrals?format=csv"));
  }, { timeoutMs: 1_600 });
  const broken = (response) => {
    response.writeHead(200);
    response.write("id\n");
    setTimeout(() => response.destroy(), 50);
  };
  const stuck = (response) => void response.writeHead(200).write("id\n");
  for (const half of [broken, stuck]) {
    await against([half], async (billstack, seen) => {
      const failed = await text(billstack.download("/e")).catch((error) => error);
      assert(failed instanceof NoAnswerError, String(failed));
      assert.deepEqual([failed.attempts, failed.mayHaveHappened, seen.length], [1, false, 1]);
    }, { timeoutMs: 1_000 });
  }
  await against([refusal(403, "insufficient_scope")], async (billstack) => {
    await assert.rejects(text(billstack.download("/e")), RefusedError);
  });
  await against([[200, "<html>", { "content-type": "text/html; charset=utf-8" }]], async (billstack) => {
    await assert.rejects(text(billstack.download("/e")), UnexpectedAnswerError);
  });
  // Whoever stops reading ends it.
  await against([slow], async (billstack) => {
    for await (const part of billstack.download("/e")) if (part) break;
  });
});

test("what could never arrive is refused at once, without a word of the secret", async () => {
  const api = "http://127.0.0.1:1/p";
  const odd = [
    { api, apiKey: "bsk_\u{e9}SECRET" }, { api, apiKey: "bsk_\nSECRET" }, { api, apiKey: " \n" }, { api, apiKey: undefined },
    { api: "ftp://a/SECRET", apiKey: "k" }, { api: "SECRET", apiKey: "k" }, { api: "http://[SECRET", apiKey: "k" },
    { api: "https://ada:SECRET@a.example/p", apiKey: "k" }, { api: "https://a.example/p?SECRET", apiKey: "k" },
  ];
  for (const options of odd) {
    const failed = await Promise.resolve().then(() => new BillStack(options)).catch((error) => error);
    assert(failed instanceof TypeError, JSON.stringify(options));
    assert.doesNotMatch(`${failed.stack} ${JSON.stringify(failed)}`, /SECRET/);
  }
  await against([GOOD], async (billstack, seen) => {
    for (const idempotencyKey of ["", " ", "   ", "a\nb", "\u{e9}", " a", "a ", "k".repeat(256), null]) {
      await assert.rejects(billstack.createCustomer({ email: "a" }, { idempotencyKey }), TypeError, idempotencyKey);
      await assert.rejects(billstack.giveCredit({}, { idempotencyKey }), TypeError, idempotencyKey);
    }
    for (const [method, path] of [["get\n", "/a"], ["GET", "a"], ["GET", "/a b"], ["GET", "/a\nb"], ["TRACE", "/a"]]) {
      await assert.rejects(billstack.request(method, path), TypeError, path);
    }
    for (const body of [{ amount: NaN }, { amount: 1n }, () => 1]) {
      await assert.rejects(billstack.request("POST", "/a", { body }), TypeError);
    }
    await assert.rejects(billstack.getCustomer("\ud800"), TypeError);
    assert.equal(seen.length, 0);
    await billstack.createCustomer({ email: "a" }, { idempotencyKey: "ticket 118 ~" });
  });
  // What stands in a file often ends with a line break.
  await against([GOOD], (billstack, seen) => billstack.getCustomer("pc_1").then(() => {
    assert.equal(seen[0].authorization, "Bearer bsk_1");
  }), { apiKey: " bsk_1\n" });
});

test("the same matter is the same bytes", async () => {
  const matters = JSON.parse(readFileSync(new URL("matters.json", import.meta.url)));
  await against([GOOD], async (billstack, seen) => {
    for (const { value, text } of matters) {
      await billstack.request("POST", "/a", { body: value });
      assert.equal(seen.at(-1).body, text);
    }
    await billstack.request("POST", "/a", { body: { at: new Date(0), gone: undefined } });
    assert.equal(seen.at(-1).body, '{"at":"1970-01-01T00:00:00.000Z"}');
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

test("whoever was never reached has done nothing", async () => {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  for (const host of ["127.0.0.1", "localhost", "nobody.invalid"]) {
    const options = { apiKey: "bsk_1", maxAttempts: 2, backoff: { firstMs: 1, maxMs: 4 } };
    const billstack = new BillStack({ api: `http://${host}:${port}/p`, ...options });
    const failed = await billstack.createCustomer({ email: "a@example.com" }).catch((error) => error);
    assert(failed instanceof NoAnswerError, `${host}: ${failed}`);
    assert.deepEqual([failed.attempts, failed.mayHaveHappened], [2, false], host);
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
  for (const odd of ["no JSON", "[1]", "1", "null", "{}", "[".repeat(200_000)]) refused(signed(odd), odd, SECRETS[0]);
  // A list out of a setting has blanks about it, and a file a line break at its end.
  for (const have of [["", SECRETS[0], " "], [`${SECRETS[0]}\n`]]) assert.equal(type(signed(body), body, have), "ping");
  for (const none of ["", " ", [], ["", "  "], "whsec_", SECRETS[0].slice(0, -1), "whsec_\u{e9}", "whsec_a b="]) {
    assert.throws(() => verifyWebhook(signed(body), body, none), TypeError, JSON.stringify(none));
  }
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
  // Whatever a stranger may write into the line of a request.
  const odd = [
    "http://[", "http://a:b/", "http://x:99999/", "http:///?ref_click=a", "x:", "*", "", undefined, "//[?ref_click=1",
    "http://[?ref_click=ct_1", "%zz?ref_click=%zz", "/\ud800?ref_click=\ud800", "?ref_click=ct_1",
  ];
  for (const address of odd) assert.match(takeClick(address)?.location ?? "/", /^\/([^/\\]|$)/, address);
  assert.equal(takeClick("http://[?ref_click=ct_1"), null);
  for (const none of [undefined, "", "ref_click=", "ref_click=%", "xref_click=1"]) assert.equal(keptClick(none), null);
});

test("a share link has the form that the settings say", () => {
  const settings = { shareUrls: ["https://referrals.example.com/r/k3m9qz/{code}"] };
  assert.equal(shareUrl(settings, "ADA-L"), "https://referrals.example.com/r/k3m9qz/ADA-L");
  assert.equal(shareUrl(settings, "ADA-L", "qr"), "https://referrals.example.com/r/k3m9qz/ADA-L?s=qr");
});
