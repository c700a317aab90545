// A shop in Express with Stripe Checkout, whose customers recommend it. README.md goes through it.

import { randomBytes } from "node:crypto";
import {
  BillStack, BillStackError, WebhookVerificationError, forgetClick, isRefused, keptClick, shareUrl, takeClick,
  verifyWebhook,
} from "billstack-referrals";
import express from "express";
import Stripe from "stripe";
import { Table } from "./table.mjs";

const env = process.env;
const url = env.SHOP_URL; // where people reach the shop: https://app.example.com
const pause = Number(env.SHOP_PAUSE_SECONDS ?? 30) * 1_000;
const webhookSecrets = env.REFERRALS_WEBHOOK_SECRETS.trim().split(/\s+/); // two while one is rotated

// Somebody waits for the answer; what does not work soon is done later.
const billstack = new BillStack({
  api: env.REFERRALS_API,
  apiKey: env.REFERRALS_API_KEY,
  timeoutMs: 5_000,
  maxElapsedMs: 3_000,
});
const at = new URL(env.STRIPE_API_BASE ?? "https://api.stripe.com");
const port = at.port || (at.protocol === "https:" ? 443 : 80);
const stripe = new Stripe(env.STRIPE_SECRET_KEY, { host: at.hostname, port, protocol: at.protocol.slice(0, -1) });

// Where the element comes from, and whose it is: `https://…/api/billstack/teams/team_…/projects/proj_…` says both.
const origin = env.REFERRALS_PUBLIC_URL || new URL(env.REFERRALS_API).origin;
const project = env.REFERRALS_API.replace(/.*\/teams\/(.+)\/projects\/([^/]+).*/, "$1/$2");

// A user is `open` as long as BillStack may not know all that we know.
const users = new Table(`${env.SHOP_DATABASE ?? "shop"}.users`);
const news = new Table(`${env.SHOP_DATABASE ?? "shop"}.news`);

// What BillStack has to know

/** Tells BillStack of a user. Done again from the beginning, it ends the same. */
async function introduce({ id, email, name, code, click, stripeId }) {
  const ours = { email, name, externalId: id, ...(stripeId && { stripeCustomerId: stripeId }) };
  const customer = await billstack.ensureCustomer(ours);
  const notice = code || click ? await apply({ refereeCustomerId: customer.id, code, clickToken: click }) : null;
  const own = await billstack.ensureCode(customer.id);
  // Still open, if somebody has become a customer of Stripe in between.
  const open = users.get(id).stripeId !== stripeId;
  users.put(id, { billstackId: customer.id, ownCode: own.code, notice, open });
}

/** A code that counts for nothing stops nobody. They read the sentence. */
async function apply(request) {
  try {
    await billstack.apply(request);
    return null;
  } catch (error) {
    if (!isRefused(error) || ![400, 404, 409].includes(error.status)) throw error;
    return error.message;
  }
}

async function introduceIfPossible(user) {
  try {
    await introduce(user);
  } catch (error) {
    // As long as it may pass they stay open, and `introduceLater` tries again.
    const ends = isRefused(error) && isForGood(error);
    if (ends) users.put(user.id, { notice: error.message, open: users.get(user.id).stripeId !== user.stripeId });
    console.error(`user ${user.id} is not introduced${ends ? "" : " yet"}: ${error}`);
  }
}

/** What is refused for what a user is, such as an address that is none, is refused however often it is tried. */
function isForGood({ status, reason }) {
  return [400, 409].includes(status) && !["customer_being_created", "idempotency_key_in_use"].includes(reason);
}

async function introduceLater() {
  for (const user of users.rows().filter(({ open }) => open)) await introduceIfPossible(user);
  setTimeout(introduceLater, pause);
}

// The way of a visitor

const app = express();
// On your own machine there is no HTTPS.
const cookie = (text) => (url.startsWith("https:") ? text : text.replace("; Secure", ""));
const days = (number) => `; Path=/; Max-Age=${number * 86_400}; HttpOnly; Secure; SameSite=Lax`;
const kept = (request, name) => keptClick(request.headers.cookie, { cookie: name });

/** Whoever comes by a share link brings `ref`, a code, and `ref_click`, which goes out of the address. */
app.use((request, response, next) => {
  if (request.method !== "GET") return next();
  const click = takeClick(request.originalUrl);
  if (click) return response.append("set-cookie", cookie(click.setCookie)).redirect(302, click.location);
  const code = request.query.ref;
  if (typeof code === "string" && code && code.length <= 64) {
    response.append("set-cookie", cookie(`ref=${encodeURIComponent(code)}${days(60)}`));
  }
  next();
});

/** BillStack tells what happened; the signature is over the bytes as they came. */
app.post("/webhooks/billstack", express.raw({ type: () => true }), (request, response) => {
  let event;
  try {
    event = verifyWebhook(request.headers, request.body, webhookSecrets);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return response.status(400).send(error.message);
  }
  // The same event may come twice, and is one row; types that we do not know change nothing.
  if (event.type === "credit.granted") {
    const { amount, currency } = event.data.credit;
    const text = `You have earned ${money(amount, currency)}`;
    news.put(event.id, { userId: event.data.customer.externalId, text });
  }
  response.json({ received: true });
});

app.use(express.urlencoded({ extended: false }));

app.get("/sign-up", (request, response) => {
  // A link that is followed now means more than one of yesterday.
  const code = escaped(String(request.query.ref ?? kept(request, "ref") ?? ""));
  send(response, `<form method="post"><p>Name <input name="name"><p>Email <input name="email" type="email">
    <p>Code <input name="code" value="${code}"><p><button>Sign up</button></form>`);
});

app.post("/sign-up", async (request, response) => {
  const [name, email, code] = ["name", "email", "code"].map((field) => String(request.body?.[field] ?? "").trim());
  if (!name || !email) return response.status(400).send("Name and address, please.");
  const address = email.toLowerCase();
  if (users.find((user) => user.email === address)) {
    return response.status(409).send("There is an account with this address.");
  }
  const session = randomBytes(32).toString("base64url");
  // Both are passed on: what was typed counts, and the click tells how they came.
  const brought = { code: code.slice(0, 64) || null, click: kept(request, "ref_click") };
  const id = `user-${randomBytes(8).toString("hex")}`;
  // The account is there, whatever becomes of the rest.
  await introduceIfPossible(users.put(id, { email: address, name, session, ...brought, open: true }));
  for (const name of ["ref", "ref_click"]) response.append("set-cookie", cookie(forgetClick({ cookie: name })));
  response.append("set-cookie", cookie(`session=${session}; Path=/; HttpOnly; Secure; SameSite=Lax`));
  response.redirect(303, "/account");
});

app.use((request, response, next) => {
  const session = kept(request, "session");
  request.user = session && users.find((user) => user.session === session);
  if (!request.user) return response.status(401).send("Sign in.");
  next();
});

app.get("/account", async (request, response) => {
  const { id, name, notice, ownCode, billstackId } = request.user;
  const lines = [name, notice ?? "", ...news.rows().filter(({ userId }) => userId === id).map(({ text }) => text)];
  try {
    if (ownCode) {
      lines.push(`Recommend us: ${shareUrl(await billstack.linkSettings(), ownCode)}`);
      for (const one of await billstack.balances(billstackId)) lines.push(`You have ${money(one.amount, one.currency)}`);
    }
  } catch (error) {
    if (!(error instanceof BillStackError)) throw error;
    lines.push(`Recommend us: your code is ${ownCode}`);
  }
  const buy = `<form method="post" action="/checkout"><button>Subscribe</button></form>`;
  send(response, [...lines.map((line) => `<p>${escaped(line)}</p>`), buy, ownCode ? myReferrals : ""].join(""));
});

/** The page of BillStack Referrals inside of ours. It asks for a token, and comes back for more. */
const myReferrals = `<h2>My referrals</h2><script type="module" src="${origin}/embed/v1.js"></script>
  <billstack-referrals project="${project}" token-url="/my/referral-token"></billstack-referrals>`;

/** Whose page it shows is a matter of our session, never of the request. */
app.get("/my/referral-token", async (request, response) => {
  if (!request.user.billstackId) return response.status(404).end();
  response.set("cache-control", "no-store").json(await billstack.createPortalSession(request.user.billstackId));
});

app.post("/checkout", async (request, response) => {
  let { user } = request;
  if (!user.stripeId) {
    const key = { idempotencyKey: `customer-${user.id}` };
    const customer = await stripe.customers.create({ email: user.email, name: user.name }, key);
    // Events of Stripe find our customer by it, so BillStack has to know.
    await introduceIfPossible(users.put(user.id, { stripeId: customer.id, open: true }));
    user = users.get(user.id);
  }
  const metadata = user.billstackId ? { billstackCustomerId: user.billstackId } : {};
  const session = await stripe.checkout.sessions.create({
    mode: "subscription",
    customer: user.stripeId,
    line_items: [{ price: env.STRIPE_PRICE, quantity: 1 }],
    success_url: `${url}/account`,
    // Stripe does not copy the one to the other, and either event will do.
    metadata,
    subscription_data: { metadata },
  });
  response.redirect(303, session.url);
});

/** Scripts and frames of BillStack Referrals are all that comes from elsewhere. */
const policy = `default-src 'none'; script-src ${origin}; frame-src ${origin}; connect-src 'self'; img-src data:`;

function send(response, body) {
  response.set("content-security-policy", `${policy}; base-uri 'none'; frame-ancestors 'none'`);
  response.send(`<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title>
    <link rel="icon" href="data:,">${body}</html>`);
}

function escaped(text) {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** This shop sells in USD alone; other currencies have other smallest units. */
function money(amount, currency) {
  return `${Math.trunc(amount / 100)}.${String(amount % 100).padStart(2, "0")} ${currency.toUpperCase()}`;
}

const server = app.listen(Number(env.PORT ?? 8000), "127.0.0.1", () => {
  console.error(`listening on http://127.0.0.1:${server.address().port}`);
  introduceLater();
});
