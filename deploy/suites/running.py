"""A private `errand up` for the outside suites, and a small client for it."""

import contextlib
import json
import os
import pathlib
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


class Running:
    """One running system: its address, its certificate authority and its administrator."""

    def __init__(self, process, data):
        self.process, self.data = process, data
        self.ready = json.loads((data / "ready.json").read_text())
        self.url, self.ca = self.ready["url"], self.ready["ca_file"]
        self.email = self.ready["admin_email"]
        self.password = pathlib.Path(self.ready["admin_password_file"]).read_text().strip()
        self.tls = ssl.create_default_context(cafile=self.ca)
        self.token = None

    def request(self, method, path, body=None, headers=None, token=True, raw=None):
        """Answers with (status, headers, body bytes); never raises for a status."""
        fields = {"content-type": "application/json"} if body is not None else {}
        if token and self.token:
            fields["authorization"] = f"Bearer {self.token}"
        fields.update(headers or {})
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        request = urllib.request.Request(self.url + path, data=data, headers=fields, method=method)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def call(self, method, path, body=None, expect=(200, 201, 202, 204), **more):
        status, _, answer = self.request(method, path, body, **more)
        assert status in expect, f"{method} {path}: {status} {answer[:500]!r}"
        return json.loads(answer) if answer else None

    def login(self):
        answer = self.call("POST", "/v1/auth/login", {"email": self.email, "password": self.password}, token=False)
        self.token = answer["access_token"]
        return answer

    def wait_final(self, job, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.call("GET", f"/v1/jobs/{job}")
            if state["state"] in ("succeeded", "failed", "cancelled", "timed_out"):
                return state
            time.sleep(0.02)
        raise AssertionError(f"{job} is not final after {seconds} s: {state['state']}")


@contextlib.contextmanager
def errand_up(errand, **environment):
    """Starts `errand up` on a fresh data directory and a free port, and stops it in good order."""
    parent = pathlib.Path(os.environ.get("ERRAND_TEST_DIR", "/var/tmp/errand-test"))
    parent.mkdir(parents=True, exist_ok=True)
    os.chmod(parent, 0o755)
    data = pathlib.Path(tempfile.mkdtemp(prefix="up.", dir=parent))
    os.chmod(data, 0o755)
    log = open(data / "up.log", "wb")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "ERRAND_AGENT_PATH", "ERRAND_SANDBOX_PATH") if name in os.environ}
    process = subprocess.Popen(
        [errand, "up", "--data", str(data / "data"), "--listen", "127.0.0.1:0"],
        env={**kept, **environment},
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    ready = data / "data" / "ready.json"
    try:
        end = time.monotonic() + 120
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("errand up did not start:\n" + (data / "up.log").read_text()[-4000:])
            time.sleep(0.05)
        yield Running(process, data / "data")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        log.close()
        subprocess.run(["rm", "-rf", str(data)], check=False)
