"""Sign-in by an outside OpenID provider: a real one from PyPI on loopback, and a hostile one that tries everything."""

import contextlib
import hashlib
import json
import os
import pathlib
import secrets
import subprocess
import tempfile
import threading
import time
import urllib.parse

import requests

from oidc_provider import CLIENT, SECRET, HostileProvider, RealProvider, b64

# Whatever proxies the environment names: everything here is on loopback.
http = requests.Session()
http.trust_env = False

REDIRECT = "http://127.0.0.1:47111/"


def admin(running, errand, *words, secret=None, expect=0):
    done = subprocess.run(
        [errand, "admin", *words, "--data", str(running.data)], input=(secret or "").encode(), capture_output=True, timeout=60
    )
    assert (done.returncode == 0) == (expect == 0), (words, done.returncode, done.stderr.decode())
    return done.stdout.decode()


@contextlib.contextmanager
def provided(running, errand, provider, name, *options):
    """A provider that people can sign in by, until the check is over."""
    try:
        admin(
            running, errand, "provider", "add", name, "--issuer", provider.url, "--client-id", CLIENT, "--internal", *options,
            secret=SECRET + "\n",
        )
        try:
            yield provider
        finally:
            admin(running, errand, "provider", "remove", name)
    finally:
        provider.stop()


class Browser:
    """A client with a browser: what it is sent to, it follows."""

    def __init__(self, running, name):
        self.running, self.name = running, name
        self.verifier, self.state = b64(secrets.token_bytes(32)), b64(secrets.token_bytes(16))

    def start(self, expect=201, **more):
        body = {
            "code_challenge": b64(hashlib.sha256(self.verifier.encode()).digest()), "code_challenge_method": "S256",
            "redirect_uri": REDIRECT, "state": self.state, **more,
        }
        path = f"/v1/auth/oidc/{self.name}/start"
        return self.running.call("POST", path, body, token=False, expect=(expect,)).get("authorization_url")

    def at_provider(self, link):
        """Where the provider sends the browser."""
        answer = http.get(link, allow_redirects=False, timeout=20)
        assert answer.status_code in (302, 303), (answer.status_code, answer.text[:300])
        return answer.headers["location"]

    def back(self, callback):
        """What the client is brought in the end."""
        answer = http.get(callback, allow_redirects=False, timeout=40, verify=self.running.ca)
        assert answer.status_code == 303, (answer.status_code, answer.text[:500])
        place = answer.headers["location"]
        assert place.startswith(REDIRECT), place
        brought = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place).query))
        assert brought["state"] == self.state
        return brought

    def through(self, **more):
        return self.back(self.at_provider(self.start(**more)))

    def redeem(self, code, expect=200, **more):
        body = {"code": code, "code_verifier": self.verifier, "redirect_uri": REDIRECT, **more}
        return self.running.call("POST", "/v1/auth/oidc/token", body, token=False, expect=(expect,))

    def sign_in(self):
        brought = self.through()
        assert "code" in brought, brought
        return self.redeem(brought["code"])


def me(running, tokens):
    return running.call("GET", "/v1/me", token=False, headers={"authorization": "Bearer " + tokens["access_token"]})


def check_a_real_provider_signs_people_in_and_brings_accounts(running, errand):
    with provided(running, errand, RealProvider(), "acme", "--domain", "example.org", "--make-accounts") as provider:
        person = me(running, Browser(running, "acme").sign_in())
        assert person["email"] == "jane@example.org" and person["name"] == "Jane Doe" and not person["is_administrator"], person
        assert me(running, Browser(running, "acme").sign_in())["id"] == person["id"], "the same person has another account"
        provider.person = {**provider.person, "email": "jane@elsewhere.example"}
        assert Browser(running, "acme").through()["error"] == "domain_not_allowed"
        provider.person = {"sub": "8", "email": "joe@example.org", "email_verified": False, "name": "Joe"}
        assert Browser(running, "acme").through()["error"] == "domain_not_allowed"
        provider.person = {"sub": "9", "email": running.email, "email_verified": True}
        assert Browser(running, "acme").through()["error"] in ("domain_not_allowed", "account_exists")
        provider.person = None
        assert Browser(running, "acme").through()["error"] == "access_denied"


def check_the_provider_may_rotate_its_key(running, errand):
    with provided(running, errand, RealProvider(), "acme", "--any-domain", "--make-accounts") as provider:
        provider.person = {"sub": "r1", "email": "rotated@example.org", "email_verified": True}
        Browser(running, "acme").sign_in()
        provider.rotate()
        # Loops that asked for the keys within a minute do not ask again; each does after that.
        assert Browser(running, "acme").through().get("error") in (None, "provider_faulty")
        end = time.monotonic() + 90
        while "code" not in Browser(running, "acme").through():
            assert time.monotonic() < end, "the new key is not believed after a minute"
            time.sleep(5)


def check_a_fresh_proof_is_asked_for_and_counts(running, errand):
    with provided(running, errand, RealProvider(), "acme", "--any-domain", "--make-accounts") as provider:
        provider.person = {"sub": "f1", "email": "fresh@example.org", "email_verified": True}
        browser = Browser(running, "acme")
        link = browser.start(fresh=True)
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))
        assert asked["prompt"] == "login" and asked["max_age"] == "0", asked
        assert "code" in browser.back(browser.at_provider(link))


def check_codes_and_states_count_once(running, errand):
    with provided(running, errand, RealProvider(), "acme", "--any-domain", "--make-accounts") as provider:
        provider.person = {"sub": "o1", "email": "once@example.org", "email_verified": True}
        browser = Browser(running, "acme")
        callback = browser.at_provider(browser.start())
        code = browser.back(callback)["code"]
        again = http.get(callback, allow_redirects=False, timeout=20, verify=running.ca)
        assert again.status_code == 400 and "text/html" in again.headers["content-type"], again.status_code
        assert browser.redeem(code, 400, code_verifier="x" * 43)["code"] == "invalid_grant"
        tokens = browser.redeem(code)
        assert me(running, tokens)["email"] == "once@example.org"
        assert browser.redeem(code, 400)["code"] == "invalid_grant"
        time.sleep(1.1)
        bearer = {"authorization": "Bearer " + tokens["access_token"]}
        assert running.request("GET", "/v1/me", token=False, headers=bearer)[0] == 401, "the reused code's tokens still work"
        # A code that the provider gave once is refused by the provider itself.
        other = Browser(running, "acme")
        stolen = urllib.parse.urlsplit(other.at_provider(other.start()))
        first = dict(urllib.parse.parse_qsl(stolen.query))
        third = Browser(running, "acme")
        mine = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(third.at_provider(third.start())).query))
        swapped = stolen._replace(query=urllib.parse.urlencode({"code": first["code"], "state": mine["state"]}))
        assert third.back(swapped.geturl())["error"] == "provider_faulty", "another sign-in's code was taken (PKCE, nonce)"


def check_a_hostile_provider_lets_nobody_in(running, errand):
    with provided(running, errand, HostileProvider(), "evil", "--any-domain", "--make-accounts") as provider:
        now = int(time.time())
        lies = [
            {"claims": {"iss": "https://login.example"}}, {"claims": {"iss": provider.url + "/"}}, {"claims": {"iss": None}},
            {"claims": {"aud": "another"}}, {"claims": {"aud": [CLIENT, "another"]}}, {"claims": {"azp": "another"}},
            {"claims": {"aud": []}}, {"claims": {"nonce": "another"}}, {"claims": {"nonce": None}}, {"claims": {"sub": None}},
            {"claims": {"exp": now - 31}}, {"claims": {"exp": None}}, {"claims": {"iat": now + 600, "exp": now + 900}},
            {"claims": {"iat": now - 3_600}}, {"claims": {"at_hash": b64(b"x" * 16)}}, {"claims": {"exp": float(now) + 300.5}},
            {"header": {"alg": "none"}, "sign": lambda signed: b""}, {"header": {"alg": "none"}}, {"header": {"alg": "nOnE"}},
            {"header": {"alg": "RS384"}}, {"header": {"alg": "PS256"}}, {"header": {"alg": "ES256"}}, {"header": {"kid": "other"}},
            {"header": {"crit": ["x"], "x": 1}}, {"header": {"typ": "at+jwt"}}, {"header": {"zip": "DEF"}},
            {"header": {"jku": provider.url + "/jwks", "kid": "other"}}, {"sign": lambda signed: b"x" * 256},
        ]
        for form in provider.public_forms():
            lies.append({"header": {"alg": "HS256"}, "sign": provider.hs256(form)})
            lies.append({"header": {"alg": "RS256"}, "sign": provider.hs256(form)})
        for lie in lies:
            provider.reset()
            vars(provider).update(lie)
            brought = Browser(running, "evil").through()
            assert brought.get("error") == "provider_faulty", (lie, brought)
        provider.reset()
        for answer, told in [
            ({"iss": "https://login.example"}, "provider_mismatch"), ({"error": "server_error"}, "provider_refused"),
            ({"error": "<script>alert(1)</script>"}, "provider_refused"), ({"code": ""}, "provider_refused"),
        ]:
            provider.reset()
            provider.answer = answer
            brought = Browser(running, "evil").through()
            assert brought.get("error") == told and "<" not in brought["error_description"], (answer, brought)
        provider.reset()
        provider.status = 400
        assert Browser(running, "evil").through()["error"] == "provider_faulty"
        provider.reset()
        assert me(running, Browser(running, "evil").sign_in())["email"] == "eve@example.org", "the control fails"
        return f"{len(lies) + 5} lies and their control"


def check_a_description_of_another_issuer_is_refused(running, errand):
    provider = HostileProvider()
    try:
        for lie in [{"issuer": "https://login.example"}, {"issuer": provider.url + "/"}, {"token_endpoint": "http://192.0.2.1/"}, {"jwks_uri": "ftp://x"}]:
            provider.description = lie
            admin(
                running, errand, "provider", "add", "other", "--issuer", provider.url, "--client-id", CLIENT, "--internal",
                secret=SECRET, expect=1,
            )
            admin(
                running, errand, "provider", "add", "other", "--issuer", provider.url, "--client-id", CLIENT, "--internal",
                "--no-check", secret=SECRET,
            )
            assert Browser(running, "other").start(expect=502) is None
            admin(running, errand, "provider", "remove", "other")
        provider.description = {}
        # Loopback is for providers that the administrator calls internal.
        admin(running, errand, "provider", "add", "other", "--issuer", provider.url, "--client-id", CLIENT, secret=SECRET, expect=1)
    finally:
        provider.stop()


def check_a_slow_provider_slows_nobody_else_and_an_absent_one_opens_nothing(running, errand):
    with provided(running, errand, HostileProvider(), "slow", "--any-domain", "--make-accounts") as provider:
        callbacks = []
        for _ in range(20):
            browser = Browser(running, "slow")
            callbacks.append((browser, browser.at_provider(browser.start())))
        provider.delay = 30
        told = []
        threads = [threading.Thread(target=lambda pair=pair: told.append(pair[0].back(pair[1]).get("error"))) for pair in callbacks]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        times = []
        while any(thread.is_alive() for thread in threads):
            asked = time.monotonic()
            running.call("GET", "/v1/me")
            times.append(time.monotonic() - asked)
            time.sleep(0.05)
        took = time.monotonic() - begun
        assert told == ["provider_unavailable"] * 20, told
        assert took < 20, f"a sign-in hung for {took:.0f} s"
        assert max(times) < 2, f"somebody else waited for {max(times):.1f} s"
    # It is gone now; a new entry for the same place finds nobody there.
    admin(
        running, errand, "provider", "add", "gone", "--issuer", provider.url, "--client-id", CLIENT, "--internal", "--no-check",
        secret=SECRET,
    )
    Browser(running, "gone").start(expect=503)
    admin(running, errand, "provider", "remove", "gone")
    return f"others were answered within {max(times) * 1000:.0f} ms"


def check_the_command_line_signs_in_by_a_browser(running, errand):
    with provided(running, errand, RealProvider(), "acme", "--any-domain", "--make-accounts", "--label", "Acme Inc.") as provider:
        provider.person = {"sub": "c1", "email": "cli@example.org", "email_verified": True, "name": "Cli"}
        with tempfile.TemporaryDirectory() as home:
            environment = {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"}
            login = subprocess.Popen(
                [errand, "login", "--url", running.url, "--ca", running.ca, "--provider", "acme"],
                env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            )
            link = login.stdout.readline().decode().strip()
            callback = http.get(link, allow_redirects=False, timeout=20).headers["location"]
            place = http.get(callback, allow_redirects=False, timeout=20, verify=running.ca).headers["location"]
            # Another program of this machine that guesses the port learns and changes nothing.
            port = urllib.parse.urlsplit(place).port
            assert http.get(f"http://127.0.0.1:{port}/?code=x&state=y", timeout=20).status_code == 404
            assert http.get(place, timeout=20).status_code == 200
            assert login.wait(30) == 0, login.stderr.read().decode()
            told = login.stderr.read().decode()
            assert "cli@example.org" in told, told
            who = subprocess.run([errand, "whoami", "--json"], env=environment, capture_output=True, timeout=30)
            assert json.loads(who.stdout)["email"] == "cli@example.org", who.stderr.decode()


def check_the_client_secret_is_sealed_and_survives_a_rotation(running, errand):
    with provided(running, errand, RealProvider(), "acme", "--any-domain", "--make-accounts") as provider:
        provider.person = {"sub": "m1", "email": "master@example.org", "email_verified": True}
        Browser(running, "acme").sign_in()
        shown = json.loads(admin(running, errand, "provider", "show", "acme", "--json"))
        assert shown["has_client_secret"] and SECRET not in json.dumps(shown), shown
        admin(running, errand, "key", "rotate-master")
        Browser(running, "acme").sign_in()
        admin(running, errand, "provider", "secret", "acme", secret="another\n")
        assert Browser(running, "acme").through()["error"] == "provider_faulty", "a wrong client secret was taken"
        admin(running, errand, "provider", "secret", "acme", secret=SECRET)
        Browser(running, "acme").sign_in()
        for log in pathlib.Path(running.data).parent.glob("*.log"):
            assert SECRET not in log.read_text(errors="replace"), f"{log} holds the client secret"
