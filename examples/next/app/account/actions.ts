"use server";

import { redirect } from "next/navigation";
import { introduceIfPossible } from "../../lib/introduce";
import { stripe } from "../../lib/services";
import { setting } from "../../lib/settings";
import { signedIn, users } from "../../lib/users";

export async function checkout() {
  let user = await signedIn();
  if (!user) redirect("/sign-up");
  if (!user.stripeId) {
    const key = { idempotencyKey: `customer-${user.id}` };
    const customer = await stripe().customers.create({ email: user.email, name: user.name }, key);
    // Events of Stripe find our customer by it, so BillStack has to know.
    await introduceIfPossible(users.put(user.id, { stripeId: customer.id, open: true }));
    user = users.get(user.id) ?? user;
  }
  const metadata: Record<string, string> = user.billstackId ? { billstackCustomerId: user.billstackId } : {};
  const session = await stripe().checkout.sessions.create({
    mode: "subscription",
    customer: user.stripeId!,
    line_items: [{ price: setting("STRIPE_PRICE"), quantity: 1 }],
    success_url: `${setting("SHOP_URL")}/account`,
    // Stripe does not copy the one to the other, and either event will do.
    metadata,
    subscription_data: { metadata },
  });
  redirect(session.url!);
}
