"""Signs a webhook body with Stripe's own library.

Reads the body from standard input and prints the Stripe-Signature header.

    python sign.py SECRET [TIMESTAMP] < body.json
"""

import sys

from stripe import WebhookSignature


def main() -> None:
    if not 2 <= len(sys.argv) <= 3:
        sys.exit("usage: sign.py SECRET [TIMESTAMP] < body")
    timestamp = int(sys.argv[2]) if len(sys.argv) == 3 else None
    # The library signs text. Reading bytes keeps line ends as they are.
    body = sys.stdin.buffer.read().decode("utf-8")
    print(WebhookSignature.generate_signature_header(body, sys.argv[1], timestamp))


if __name__ == "__main__":
    main()
