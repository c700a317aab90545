import { verifyWebhook, WebhookVerificationError } from "billstack-referrals";
import { setting } from "../../../lib/settings";
import { money, news } from "../../../lib/users";

/** BillStack tells what happened; the signature is over the bytes as they came. */
export async function POST(request: Request) {
  const body = new Uint8Array(await request.arrayBuffer());
  const secrets = setting("REFERRALS_WEBHOOK_SECRETS").trim().split(/\s+/); // two while one is rotated
  let event;
  try {
    event = verifyWebhook(request.headers, body, secrets);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return new Response(error.message, { status: 400 });
  }
  // The same event may come twice, and is one row; types that we do not know change nothing.
  if (event.type === "credit.granted") {
    const { amount, currency } = event.data.credit;
    const text = `You have earned ${money(amount, currency)}`;
    news.put(event.id, { userId: event.data.customer.externalId ?? "", text });
  }
  return Response.json({ received: true });
}
