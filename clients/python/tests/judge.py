"""Judges webhooks, one on a line of the input. Prints a verdict on each."""

import json
import sys

from billstack_referrals import WebhookVerificationError, verify_webhook

for line in sys.stdin:
    sent = json.loads(line)
    body = sent.pop("body").encode()
    try:
        print(verify_webhook(sent, body, sent["secret"])["type"])
    except WebhookVerificationError as error:
        print(f"refused: {error}")
