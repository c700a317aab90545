"""Judges webhooks, one on a line of the input, by the official library. Prints a verdict on each."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    sent = json.loads(line)
    headers = {name: sent[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    try:
        told = Webhook(sent["secret"]).verify(sent["body"].encode(), headers)
        print(told["type"])
    except WebhookVerificationError as error:
        print(f"refused: {error}")
