"""Programs of others: Authlib is the client, headless Chromium the person who consents."""

import base64
import hashlib
import http.server
import json
import os
import subprocess
import threading

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

from browser import browser
from pages import member, token_of


class Listener:
    """The loopback address of a program on the person's own machine."""

    def __enter__(self):
        heard = self.heard = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.startswith("/back"):
                    heard.append(self.path)
                body = b"<!doctype html><title>back</title><link rel=icon href='data:,'><html><main><h1>Back</h1></main>"
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/back"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def registered(running, email, password, **more):
    """A client of the person's own team."""
    headers = token_of(running, email, password)
    team = running.call("GET", "/v1/teams", token=False, headers=headers)["items"][0]["id"]
    form = {"name": "Dashboard", "redirect_uris": ["http://127.0.0.1/back"], "scopes": ["jobs:read", "projects:read"], **more}
    return team, running.call("POST", f"/v1/teams/{team}/clients", form, token=False, headers=headers)


def session(running, client, redirect):
    secret = client.get("secret")
    made = OAuth2Session(
        client["id"], secret, scope="jobs:read projects:read", redirect_uri=redirect, code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        revocation_endpoint_auth_method="client_secret_basic" if secret else "none",
    )
    # Not what the environment names: the authority of this installation.
    made.trust_env, made.verify = False, running.ca
    return made


def consented(running, chrome, outside, listener, decision):
    """Goes to the consent page and answers it; the address that the program was called back at, and its verifier."""
    verifier = generate_token(64)
    url, state = outside.create_authorization_url(running.url + "/oauth/authorize", code_verifier=verifier)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert f"code_challenge={challenge}" in url
    chrome.open(url)
    if chrome.title == "Sign in":
        chrome.sign_in(*chrome.who)
    assert chrome.title == "Let this program act for you?", chrome.text
    assert "Dashboard" in chrome.text and "see jobs and their logs" in chrome.text
    chrome.press(decision)
    assert chrome.driver.current_url.startswith(listener.address), chrome.driver.current_url
    chrome.assert_quiet()
    return "http://127.0.0.1" + listener.heard[-1], verifier, state


def check_an_outside_client_gets_tokens_by_consent_and_loses_them_by_revocation(running, errand):
    email, password = member(running, errand)
    for confidential in (False, True):
        team, client = registered(running, email, password, confidential=confidential)
        with browser(running) as chrome, Listener() as listener:
            chrome.who = (email, password)
            outside = session(running, client, listener.address)
            back, verifier, state = consented(running, chrome, outside, listener, "Allow")
            assert "iss=" in back
            token = outside.fetch_token(
                running.url + "/oauth/token", authorization_response=back, state=state, code_verifier=verifier
            )
            assert token["scope"] == "jobs:read projects:read" and token["token_type"] == "Bearer", token
            assert outside.get(running.url + "/v1/jobs").status_code == 200
            assert [each["id"] for each in outside.get(running.url + "/v1/teams").json()["items"]] == [team]
            for path in ("/v1/me", "/v1/me/devices", "/v1/me/model-key"):
                assert outside.get(running.url + path).json()["code"] == "person_required", path
            renewed = outside.refresh_token(running.url + "/oauth/token", refresh_token=token["refresh_token"])
            assert renewed["access_token"] != token["access_token"]
            assert outside.get(running.url + "/v1/projects").status_code == 200
            answer = outside.revoke_token(running.url + "/oauth/revoke", token=renewed["refresh_token"])
            assert answer.status_code == 200, answer.text
            assert outside.get(running.url + "/v1/jobs", withhold_token=True, headers={
                "authorization": "Bearer " + renewed["access_token"],
            }).status_code == 401


def check_a_refusal_reaches_the_client_and_gives_nothing(running, errand):
    email, password = member(running, errand)
    _, client = registered(running, email, password)
    with browser(running) as chrome, Listener() as listener:
        chrome.who = (email, password)
        back, _, _ = consented(running, chrome, session(running, client, listener.address), listener, "Refuse")
        assert "error=access_denied" in back and "code=" not in back, back


def check_the_metadata_is_what_an_outside_library_takes_for_good(running, errand):
    from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

    metadata = AuthorizationServerMetadata(
        running.call("GET", "/.well-known/oauth-authorization-server", token=False)
    )
    metadata.validate()
    assert metadata["issuer"] == running.url


def check_the_command_line_registers_lists_and_removes_programs(running, errand):
    email, password = member(running, errand)
    token = token_of(running, email, password)["authorization"].split()[1]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "ERRAND_URL": running.url, "ERRAND_CA": str(running.ca), "ERRAND_TOKEN": token,
    }

    def run(*words, expect=0):
        done = subprocess.run([errand, "team", "client", *words], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == expect, (words, done)
        return done.stdout

    made = run(
        "create", "Dashboard", "--redirect", "https://app.test/back", "--redirect", "com.example.app:/back",
        "--scope", "jobs:read", "--confidential",
    ).split()
    assert made[0].startswith("app_") and made[1].startswith("ecs_"), made
    listed = json.loads(run("list", "--json"))
    assert [each["id"] for each in listed] == [made[0]] and "secret" not in listed[0], listed
    assert "confidential" in run("list")
    other = run("rotate-secret", made[0]).split()[1]
    assert other.startswith("ecs_") and other != made[1]
    run("create", "Bad", "--redirect", "http://app.test/", "--scope", "jobs:read", expect=2)
    run("create", "Bad", "--redirect", "https://app.test/", "--scope", "everything", expect=2)
    run("remove", made[0])
    assert json.loads(run("list", "--json")) == []
    run("remove", made[0], expect=3)
