"""Second factors as outside programs see them: pyotp makes the codes, python-fido2 is the authenticator."""

import json
import os
import subprocess
import time
import urllib.parse

import pyotp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2.cose import ES256, RS256, EdDSA
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialRequestOptions,
)


class Person:
    """An account of its own, so that the administrator keeps signing in by password."""

    def __init__(self, running, errand):
        self.running = running
        self.email = f"factor-{os.urandom(6).hex()}@example.org"
        made = subprocess.run(
            [errand, "admin", "user", "create", self.email, "--json", "--data", str(running.data)],
            capture_output=True, check=True, timeout=60,
        )
        self.password = json.loads(made.stdout)["password"]
        self.token = self.login()["access_token"]

    def request(self, method, path, body=None, token=None):
        headers = {"authorization": f"Bearer {token}"} if token else {}
        status, _, answer = self.running.request(method, path, body, token=False, headers=headers)
        return status, json.loads(answer) if answer else None

    def call(self, method, path, body=None, token=None):
        status, answer = self.request(method, path, body, token)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer

    def login(self, **more):
        return self.call("POST", "/v1/auth/login", {"email": self.email, "password": self.password, **more})

    def interim(self):
        status, answer = self.request("POST", "/v1/auth/login", {"email": self.email, "password": self.password})
        assert status == 401 and answer["code"] == "second_factor_required", (status, answer)
        return answer["interim_token"]

    def second(self, **fields):
        return self.request("POST", "/v1/auth/second-factor", {"interim_token": self.interim(), **fields})


class Authenticator:
    """One passkey with the browser before it, in python-fido2's own encoding."""

    def __init__(self, algorithm, attestation="none"):
        self.algorithm, self.attestation, self.counter = algorithm, attestation, 0
        self.id = os.urandom(48)
        self.key = {
            ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
            EdDSA: ed25519.Ed25519PrivateKey.generate,
            RS256: lambda: rsa.generate_private_key(65537, 2048),
        }[algorithm]()

    def sign(self, data):
        if self.algorithm is ES256:
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        if self.algorithm is RS256:
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(data)

    def flags(self, verified, attested=False):
        flag = AuthenticatorData.FLAG
        return flag.UP | (flag.UV if verified else 0) | (flag.AT if attested else 0)

    def create(self, options, origin):
        parsed = PublicKeyCredentialCreationOptions.from_dict(options)
        public = self.algorithm.from_cryptography_key(self.key.public_key())
        assert any(offered.alg == public.ALGORITHM for offered in parsed.pub_key_cred_params), options
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        data = AuthenticatorData.create(sha256(parsed.rp.id.encode()), self.flags(True, True), self.counter, credential)
        client = CollectedClientData.create("webauthn.create", parsed.challenge, origin)
        statement = {}
        if self.attestation == "packed":
            statement = {"alg": public.ALGORITHM, "sig": self.sign(data + client.hash)}
        made = AttestationObject.create(self.attestation, data, statement)
        return self.answer({"clientDataJSON": websafe_encode(client), "attestationObject": websafe_encode(made)})

    def get(self, options, origin, verified=True):
        parsed = PublicKeyCredentialRequestOptions.from_dict(options)
        self.counter += 1
        data = AuthenticatorData.create(sha256(parsed.rp_id.encode()), self.flags(verified), self.counter)
        client = CollectedClientData.create("webauthn.get", parsed.challenge, origin)
        return self.answer({
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self.sign(data + client.hash)),
        })

    def answer(self, response):
        name = websafe_encode(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}


def origin(running):
    """Pages of this machine are of localhost, whatever address the server listens on."""
    place = urllib.parse.urlsplit(running.url)
    host = "localhost" if place.hostname in ("127.0.0.1", "::1") else place.hostname
    return f"{place.scheme}://{host}:{place.port}"


def early_in_a_step():
    """Three codes in a row are good while the step lasts; waits for a new one when this one is nearly over."""
    into = time.time() % 30
    if into > 20:
        time.sleep(30 - into)
    return int(time.time())


def code(totp, now, step):
    """The code of a step, counted from the present one."""
    return totp.at(now + step * totp.interval)


def enrol(person):
    begun = person.call("POST", "/v1/me/totp", token=person.token)
    totp = pyotp.parse_uri(begun["uri"])
    assert totp.secret == begun["secret"] and totp.digits == 6 and totp.interval == 30, begun["uri"]
    assert totp.name == person.email and totp.issuer.startswith("Errand"), begun["uri"]
    now = early_in_a_step()
    codes = person.call("POST", "/v1/me/totp/confirm", {"code": code(totp, now, -1)}, token=person.token)
    return totp, now, codes["recovery_codes"]


def check_the_codes_of_an_outside_program_are_the_second_step(running, errand):
    person = Person(running, errand)
    totp, now, recovery = enrol(person)
    status, answer = person.second(otp=code(totp, now, -1))
    assert status == 401 and answer["code"] == "wrong_code", "the code that confirmed is used"
    status, answer = person.second(otp=code(totp, now, 0))
    assert status == 200 and answer["access_token"], (status, answer)
    assert person.second(otp=code(totp, now, 0))[0] == 401, "a code works once"
    assert person.login(otp=code(totp, now, 1))["access_token"]
    assert person.second(recovery_code=recovery[0])[0] == 200
    assert person.second(recovery_code=recovery[0])[0] == 401, "a recovery code works once"
    return f"{len(recovery)} recovery codes of {len(recovery[0])} characters"


def check_guessing_is_held_up(running, errand):
    person = Person(running, errand)
    totp, now, recovery = enrol(person)
    right = {code(totp, now, step) for step in range(-3, 6)}
    wrong = next(text for text in (f"{number:06}" for number in range(100)) if text not in right)
    seen = [person.second(otp=wrong) for _ in range(6)]
    assert [status for status, _ in seen] == [401] * 5 + [429], seen
    assert person.second(recovery_code=recovery[0])[0] == 200, "nobody locks the owner out"


def check_passkeys_of_every_algorithm_sign_in_and_prove_again(running, errand):
    person, page = Person(running, errand), origin(running)
    for algorithm, attestation in ((ES256, "none"), (ES256, "packed"), (EdDSA, "none"), (EdDSA, "packed"), (RS256, "none"), (RS256, "packed")):
        passkey = Authenticator(algorithm, attestation)
        begun = person.call("POST", "/v1/me/passkeys/begin", token=person.token)
        made = passkey.create(begun["options"], page)
        person.call("POST", "/v1/me/passkeys/finish", {"name": algorithm.__name__, "credential": made}, token=person.token)
        begun = person.call("POST", "/v1/auth/passkey/begin", {})
        used = {"credential": passkey.get(begun["options"], page)}
        assert person.call("POST", "/v1/auth/passkey/finish", used)["access_token"]
        status, answer = person.request("POST", "/v1/auth/passkey/finish", used)
        assert status == 401 and answer["code"] == "passkey_refused", "an assertion counts once"
        begun = person.call("POST", "/v1/auth/passkey/begin", {"interim_token": person.interim()})
        second = {"credential": passkey.get(begun["options"], page, verified=False)}
        assert person.call("POST", "/v1/auth/passkey/finish", second)["access_token"]
        begun = person.call("POST", "/v1/auth/passkey/begin", {}, token=person.token)
        again = {"credential": passkey.get(begun["options"], page)}
        assert person.call("POST", "/v1/auth/passkey/finish", again, token=person.token) is None
    listed = person.call("GET", "/v1/me/passkeys", token=person.token)["items"]
    assert len(listed) == 6 and all(item["last_used_at"] for item in listed), listed
    return f"{len(listed)} passkeys"


def check_a_passkey_that_is_not_right_is_refused(running, errand):
    person, page = Person(running, errand), origin(running)
    passkey = Authenticator(ES256)
    begun = person.call("POST", "/v1/me/passkeys/begin", token=person.token)
    person.call("POST", "/v1/me/passkeys/finish", {"credential": passkey.create(begun["options"], page)}, token=person.token)

    def refused(credential):
        status, answer = person.request("POST", "/v1/auth/passkey/finish", {"credential": credential})
        assert status == 401 and answer["code"] == "passkey_refused", (status, answer)

    def options():
        return person.call("POST", "/v1/auth/passkey/begin", {})["options"]

    refused(passkey.get(options(), "https://evil.test"))
    refused(passkey.get(options(), page, verified=False))
    refused(passkey.get({**options(), "rpId": "evil.test"}, page))
    refused(passkey.get({**options(), "challenge": websafe_encode(os.urandom(32))}, page))
    broken = passkey.get(options(), page)
    signature = bytearray(websafe_decode(broken["response"]["signature"]))
    signature[-1] ^= 1
    broken["response"]["signature"] = websafe_encode(bytes(signature))
    refused(broken)
    passkey.get(options(), page)
    assert person.call("POST", "/v1/auth/passkey/finish", {"credential": passkey.get(options(), page)})["access_token"]
    passkey.counter -= 2
    refused(passkey.get(options(), page))
