// Judges webhooks, one on a line of the input, by the official library. Prints a verdict on each.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Webhook, WebhookVerificationError } = createRequire(process.argv[2] + "/")("standardwebhooks");

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const sent = JSON.parse(line);
  try {
    console.log(new Webhook(sent.secret).verify(sent.body, sent).type);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    console.log(`refused: ${error.message}`);
  }
}
