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
const webhookSecrets = env.BILLSTACK_WEBHOOK_SECRETS.split(" "); // two while one is rotated

// Somebody waits for the answer; what does not work soon is done later.
const billstack = new BillStack({
  api: env.BILLSTACK_API,
  apiKey: env.BILLSTACK_API_KEY,
  timeoutMs: 5_000,
  maxElapsedMs: 3_000,
});
const at = new URL(env.STRIPE_API_BASE ?? "https://api.stripe.com");
const port = at.port || (at.protocol === "https:" ? 443 : 80);
const stripe = new Stripe(env.STRIPE_SECRET_KEY, { host: at.hostname, port, protocol: at.protocol.slice(0, -1) });

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
    if (!(error instanceof BillStackError)) throw error;
    // They stay open, and `introduceLater` tries again.
    console.error(`user ${user.id} is not introduced yet: ${error.message}`);
  }
}

async function introduceLater() {
  for (const user of users.rows().filter(({ open }) => open)) await introduceIfPossible(user);
  setTimeout(introduceLater, pause);
}

// The way of a visitor

const app = express();
// On your own machine there is no HTTPS.
const cookie = (text) => (url.startsWith("https:") ? text : text.replace("; Secure", ""));

/** Whoever comes by a share link brings `ref_click`: into a cookie, and out of the address. */
app.use((request, response, next) => {
  const click = request.method === "GET" && takeClick(request.originalUrl);
  if (!click) return next();
  response.append("set-cookie", cookie(click.setCookie)).redirect(302, click.location);
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
  const code = escaped(String(request.query.ref ?? ""));
  response.send(`<form method="post"><input name="name"><input name="email" type="email">
    <input name="code" value="${code}"><button>Sign up</button></form>`);
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
  const brought = { code: code.slice(0, 64) || null, click: keptClick(request.headers.cookie) };
  const id = `user-${randomBytes(8).toString("hex")}`;
  // The account is there, whatever becomes of the rest.
  await introduceIfPossible(users.put(id, { email: address, name, session, ...brought, open: true }));
  response.append("set-cookie", cookie(forgetClick()));
  response.append("set-cookie", cookie(`session=${session}; Path=/; HttpOnly; Secure; SameSite=Lax`));
  response.redirect(303, "/account");
});

app.use((request, response, next) => {
  const session = /(?:^|; *)session=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
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
  response.send(lines.map((line) => `<p>${escaped(line)}</p>`).join(""));
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
