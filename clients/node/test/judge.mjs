// Judges webhooks, one on a line of the input. Prints a verdict on each.

import { readFileSync } from "node:fs";
import { verifyWebhook, WebhookVerificationError } from "billstack-referrals";

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const sent = JSON.parse(line);
  try {
    console.log(verifyWebhook(sent, sent.body, sent.secret).type);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    console.log(`refused: ${error.message}`);
  }
}
