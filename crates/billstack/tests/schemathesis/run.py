"""Holds a running server against its API document with schemathesis.

    python run.py ADDRESS < what `billstack init --json` printed, with the "password" besides

Ends with 0 when every answer was one that the document promises.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent

CONFIG = """
seed = {seed}
hooks = {hooks}
headers = {{ "Sec-Fetch-Site" = "none" }}
# That a call without a right answers 401 or 403, and one about an unknown id 404, is no reason to worry.
warnings = false

[parameters]
"path.teamId" = "{teamId}"
"path.projectId" = "{projectId}"

[auth.openapi.apiKey]
bearer = "{apiKey}"

[auth.openapi.session]
api_key = "{session}"
"""

# Calls after which nobody is signed in, or no event is signed right. They come last.
ENDINGS = ("disconnect_stripe", "sign_out")


class Server:
    def __init__(self, base, made):
        self.base = base
        self.project = f"/api/billstack/teams/{made['teamId']}/projects/{made['projectId']}"
        self.key = made["apiKey"]

    def post(self, path, body, **headers):
        headers |= {"Content-Type": "application/json", "Sec-Fetch-Site": "none"}
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer), answer.headers

    def make(self, path, body):
        answer, _ = self.post(self.project + path, body, Authorization=f"Bearer {self.key}")
        return next(iter(answer.values()))


def session_of(server, made):
    body = {"email": made["email"], "password": made["password"]}
    _, headers = server.post("/api/auth/sign-in/email", body)
    return headers["Set-Cookie"].split("=", 1)[1].split(";")[0]


def something_to_find(server, made):
    """A customer with a code, and a referral."""
    put = urllib.request.Request(
        f"{server.base}{server.project}/referrals/config",
        json.dumps({"enabled": True, "referrerCreditAmount": 1000, "refereeCreditAmount": 500}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {server.key}"},
        method="PUT",
    )
    urllib.request.urlopen(put).close()
    ada = server.make("/customers", {"email": "ada@example.org"})["id"]
    grace = server.make("/customers", {"email": "grace@example.org"})["id"]
    code = server.make("/referrals/codes", {"customerId": ada})["code"]
    referral = server.make("/referrals/apply", {"code": code, "refereeCustomerId": grace})["id"]
    return {"customers": ada, "codes": code, "referrals": referral, "webhookSecret": made["webhookSecret"]}


def schemathesis(base, directory, known, *more):
    program = Path(sys.executable).with_name("schemathesis")
    command = [program, "--config-file", directory / "schemathesis.toml", "run", f"{base}/openapi.json", "--no-color"]
    command += ["--checks", "all", "--phases", "examples,coverage,fuzzing", "--max-time", "60"]
    command += ["--generation-database", "none", *more]
    environment = os.environ | {"KNOWN": json.dumps(known)}
    return subprocess.run(command, cwd=directory, env=environment).returncode


def main():
    base, made = sys.argv[1], json.load(sys.stdin)
    server = Server(base, made)
    known = something_to_find(server, made)
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        fields = made | {"session": session_of(server, made), "seed": os.environ.get("SEED", "1")}
        fields["hooks"] = json.dumps(str(HERE / "hooks.py"))
        (directory / "schemathesis.toml").write_text(CONFIG.format(**fields))
        exclude = [word for name in ENDINGS for word in ("--exclude-operation-id", name)]
        examples = os.environ.get("EXAMPLES", "10")
        ended = [schemathesis(base, directory, known, "--max-examples", examples, *exclude)]
        for name in ENDINGS:
            ended.append(schemathesis(base, directory, known, "--max-examples", "3", "--include-operation-id", name))
    sys.exit(max(ended))


if __name__ == "__main__":
    main()
