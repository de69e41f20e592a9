"""Mail over a real SMTP server with STARTTLS and AUTH, and webhooks verified by another implementation of their specification."""

import base64
import contextlib
import email
import email.policy
import http.server
import json
import logging
import os
import pathlib
import re
import ssl
import subprocess
import tempfile
import threading
import time
import uuid

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from running import errand_up
from standardwebhooks import Webhook

# A client that breaks off, as one that does not trust the certificate must, is no news here.
logging.getLogger("mail").setLevel(logging.CRITICAL)

USER, PASSWORD = "errand@mail.test", "p@ss/w:rd"
KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Mailbox:
    """Takes mail; refuses as the name of the recipient says."""

    def __init__(self):
        self.messages, self.tries, self.sessions = [], {}, []

    async def handle_RCPT(self, server, session, envelope, address, options):
        count = self.tries[address] = self.tries.get(address, 0) + 1
        if address.startswith("gone"):
            return "550 5.1.1 no such user here"
        if address.startswith("busy") and count == 1:
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.sessions.append((session.ssl is not None, session.authenticated))
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.append((envelope.mail_from, envelope.rcpt_tos, message))
        return f"250 2.0.0 queued as {len(self.messages)}"

    def to(self, address, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _, recipients, message in list(self.messages):
                if recipients == [address]:
                    return message
            time.sleep(0.1)
        raise AssertionError(f"nothing came for {address}: {self.tries}")


class Receiver(http.server.BaseHTTPRequestHandler):
    got, refusals = [], 1

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Receiver.got.append((dict(self.headers.items()), body))
        Receiver.refusals -= 1
        self.send_response(503 if Receiver.refusals >= 0 else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def authority(directory):
    """A certificate for 127.0.0.1 that no system trusts."""
    key, certificate = directory / "key.pem", directory / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=127.0.0.1"]
        + ["-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )
    os.chmod(certificate, 0o644)
    return key, certificate


class Secured(Controller):
    """An SMTP server that takes nothing before STARTTLS and AUTH."""

    def __init__(self, handler, context):
        super().__init__(handler, hostname="127.0.0.1", port=0)
        self.context = context

    def factory(self):
        def check(server, session, envelope, mechanism, data):
            login = (getattr(data, "login", b""), getattr(data, "password", b""))
            return AuthResult(success=login == (USER.encode(), PASSWORD.encode()))

        return SMTP(
            self.handler, tls_context=self.context, require_starttls=True, auth_required=True, authenticator=check
        )

    def _trigger_server(self):
        # The port is the system's choice: nothing to knock at by number.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextlib.contextmanager
def mailing(errand, wrong_password=False, trusted=True):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="mail.", dir=os.environ.get("ERRAND_TEST_DIR", "/var/tmp/errand-test")))
    os.chmod(directory, 0o755)
    key, certificate = authority(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    box = Mailbox()
    server = Secured(box, context)
    server.start()
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Receiver.got, Receiver.refusals = [], 1
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    password = "wrong" if wrong_password else "p%40ss%2Fw%3Ard"
    try:
        with errand_up(
            errand,
            ERRAND_SMTP_URL=f"smtp://errand%40mail.test:{password}@127.0.0.1:{server.port}",
            ERRAND_MAIL_FROM="Errand, Ünïted <errand@mail.test>",
            ERRAND_WEBHOOK_URL=f"http://127.0.0.1:{hook.server_port}/letters",
            ERRAND_WEBHOOK_SECRET=KEY,
            **({"ERRAND_SMTP_CA": str(certificate)} if trusted else {}),
        ) as running:
            running.login()
            yield running, box
    finally:
        server.stop()
        hook.shutdown()
        hook.server_close()
        subprocess.run(["rm", "-rf", str(directory)], check=False)


def admin(errand, running, *words, expect=0):
    done = subprocess.run(
        [errand, "admin", *words, "--data", str(running.data)], capture_output=True, text=True, timeout=90
    )
    assert done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def outbox(errand, running, recipient, channel, state, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rows = [row for row in json.loads(admin(errand, running, "outbox", "list", "--json")) if row["recipient"] == recipient and row["channel"] == channel]
        if rows and rows[0]["state"] == state:
            return rows[0]
        time.sleep(0.5)
    raise AssertionError(f"{recipient} is not {state}: {rows}")


def check_letters_go_out_by_smtp_and_signed_webhook(_, errand):
    with mailing(errand) as (running, box):
        team = running.call("GET", "/v1/teams")["items"][0]["id"]
        name = f"guest-{uuid.uuid4().hex[:6]}@example.org"
        made = running.call("POST", f"/v1/teams/{team}/invites", {"email": name})
        assert sorted(made["queued"]) == ["mail", "webhook"], made
        message = box.to(name)
        text = message.get_content()
        assert made["url"] in text and "errand team accept" in text, text
        assert message["auto-submitted"] == "auto-generated" and message["message-id"].endswith("@mail.test>")
        assert message["from"].addresses[0].display_name == "Errand, Ünïted", message["from"]
        assert all(secure and signed for secure, signed in box.sessions), box.sessions
        row = outbox(errand, running, name, "mail", "sent")
        assert row["receipt"].startswith("250 2.0.0 queued as"), row
        # The webhook was refused once, and came again under the same name; another implementation holds its signature for good.
        row = outbox(errand, running, name, "webhook", "sent", seconds=90)
        assert row["receipt"] == "HTTP 204" and row["attempts"] == 2, row
        mine = [(head, body) for head, body in Receiver.got if json.loads(body)["data"]["recipient"] == name]
        assert len(mine) == 2 and len({head["webhook-id"] for head, _ in mine}) == 1
        for head, body in mine:
            event = Webhook(KEY).verify(body.decode(), {key.lower(): value for key, value in head.items()})
        assert event["type"] == "invite.created" and event["data"]["url"] == made["url"], event
        # Nothing of the link is left in the database, and nothing secret in the log.
        log = (running.data.parent / "up.log").read_text()
        for secret in (made["token"], "p%40ss", PASSWORD, KEY):
            assert secret not in log, secret
    return f"{row['attempts']} tries of the webhook, one mail by STARTTLS and AUTH"


def check_refusals_for_now_and_for_good(_, errand):
    with mailing(errand) as (running, box):
        team = running.call("GET", "/v1/teams")["items"][0]["id"]
        for name in ("gone", "busy"):
            running.call("POST", f"/v1/teams/{team}/invites", {"email": f"{name}@example.org"})
        row = outbox(errand, running, "gone@example.org", "mail", "failed")
        assert row["attempts"] == 1 and "550 5.1.1" in row["last_error"], row
        box.to("busy@example.org", seconds=60)
        row = outbox(errand, running, "busy@example.org", "mail", "sent")
        assert row["attempts"] == 2, row
        assert "250" in admin(errand, running, "mail", "test", "ops@example.org")
    return f"550 after one try, 451 then sent after {row['attempts']}"


def check_forgot_and_reset_by_mail(_, errand):
    with mailing(errand) as (running, box):
        known = running.request("POST", "/v1/auth/forgot", {"email": running.email}, token=False)
        stranger = running.request("POST", "/v1/auth/forgot", {"email": "nobody@example.org"}, token=False)
        assert known[0] == stranger[0] == 202 and known[2] == stranger[2], (known, stranger)
        text = box.to(running.email).get_content()
        token = re.search(r"/reset\?token=(erp_[\w-]+)", text)[1]
        new = "seven silent herons wading"
        running.call("POST", "/v1/auth/reset", {"token": token, "new_password": new}, token=False)
        running.password = new
        running.login()
        said = admin(errand, running, "user", "reset", running.email)
        assert "on its way" in said and "erp_" not in said, said
        assert "erp_" in admin(errand, running, "user", "reset", running.email, "--print")
        assert not [row for row in json.loads(admin(errand, running, "outbox", "list", "--json")) if row["recipient"] == "nobody@example.org"]


def check_a_server_that_is_not_trusted_gets_nothing(_, errand):
    with mailing(errand, trusted=False) as (running, box):
        said = admin(errand, running, "mail", "test", "ops@example.org", expect=1)
        assert "certificate" in said.lower() and not box.messages, said
    with mailing(errand, wrong_password=True) as (running, box):
        said = admin(errand, running, "mail", "test", "ops@example.org", expect=1)
        assert not box.messages and "wrong" not in said, said
    return said.strip()[-120:]
