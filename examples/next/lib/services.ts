import { BillStack } from "billstack-referrals";
import Stripe from "stripe";
import { setting } from "./settings";

/** Somebody waits for the answer; what does not work soon is done later. */
export const billstack = once(
  () =>
    new BillStack({
      api: setting("REFERRALS_API"),
      apiKey: setting("REFERRALS_API_KEY"),
      timeoutMs: 5_000,
      maxElapsedMs: 3_000,
    }),
);

export const stripe = once(() => {
  const at = new URL(setting("STRIPE_API_BASE", "https://api.stripe.com"));
  const port = at.port || (at.protocol === "https:" ? 443 : 80);
  const protocol = at.protocol === "https:" ? "https" : "http";
  return new Stripe(setting("STRIPE_SECRET_KEY"), { host: at.hostname, port, protocol });
});

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
