"""Tokens as an outside library sees them: PyJWT verifies by JWKS; refresh rotates; revocation holds."""

import base64
import hmac
import json
import time

import jwt

from bad_input import exchange


def keys(running):
    return jwt.PyJWKSet.from_dict(running.call("GET", "/.well-known/jwks.json", token=False))


def check_an_outside_library_verifies_the_access_token(running, errand):
    token = running.login()["access_token"]
    header = jwt.get_unverified_header(token)
    assert header["alg"] == "EdDSA" and header["typ"] == "at+jwt", header
    claims = jwt.decode(token, keys(running)[header["kid"]].key, algorithms=["EdDSA"], audience=running.url, issuer=running.url)
    assert claims["exp"] - claims["iat"] == 900 and claims["sub"].startswith("usr_"), claims


def check_no_private_key_is_published(running, errand):
    for key in running.call("GET", "/.well-known/jwks.json", token=False)["keys"]:
        assert "d" not in key and key["kty"] == "OKP", key


def signed_with_the_public_key(header, claims, public):
    """The classic confusion: the public key's bytes as an HMAC secret."""
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    mac = hmac.digest(public, text.encode(), "sha256")
    return text + "." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def check_a_token_signed_by_another_key_is_refused(running, errand):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    token = running.login()["access_token"]
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    forged = jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=header)
    unsigned = jwt.encode(claims, None, algorithm="none", headers={"typ": "at+jwt"})
    public = keys(running)[header["kid"]].key.public_bytes_raw()
    mac = signed_with_the_public_key({**header, "alg": "HS256"}, claims, public)
    for bad in (forged, unsigned, mac, token[:-2], token + "x", "a.b.c", ""):
        status = running.request("GET", "/v1/me", token=False, headers={"authorization": f"Bearer {bad}"})[0]
        assert status == 401, (bad[:40], status)
    assert running.request("GET", "/v1/me", token=False, headers={"authorization": f"Bearer {token}"})[0] == 200


def check_bytes_that_are_no_token_are_refused_on_the_wire(running, errand):
    good = running.login()["access_token"].encode()
    cases = [
        (b"Bearer \xff\xfe\xfd", 401, "unauthenticated"), (b"Bearer " + good + b"\xc0\xaf", 401, "unauthenticated"),
        (b"Bearer \xed\xa0\x80." + good, 401, "unauthenticated"), (b"Bearer " + good + b"=", 401, "unauthenticated"),
        (b"Bearer " + b"a" * 5_000, 401, "unauthenticated"), (b"Bearer " + b"a" * 20_000, 431, None),
        (b"Bearer " + good + b"\x00", 400, None), (b"Bearer " + good + b"\x1b[31m", 400, None),
        (b"Bearer " + good + b"\rx: y", 400, None), (b"Bearer " + good + b"\nx: y", 400, None),
        (b"Bearer " + good + b"\r\n folded", 400, None), (b"Bearer " + good + b"\r\nx y: z", 400, None),
    ]
    head = b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: "
    for value, status, code in cases:
        fields, _, body = exchange(running, head + value + b"\r\n\r\n").partition(b"\r\n\r\n")
        assert fields.startswith(b"HTTP/1.1 %d " % status), (value[-20:], fields[:60])
        told = json.loads(body)
        assert told["status"] == status and (code is None or told["code"] == code), (value[-20:], told)
        assert good not in body, "the answer holds the token"
    assert exchange(running, head + b"Bearer " + good + b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    return f"{len(cases)} cases and their control"


def check_refresh_rotates_and_an_old_token_ends_the_sign_in(running, errand):
    first = running.call("POST", "/v1/auth/login", {"email": running.email, "password": running.password}, token=False)
    second = running.call("POST", "/v1/auth/refresh", {"refresh_token": first["refresh_token"]}, token=False)
    again = running.call("POST", "/v1/auth/refresh", {"refresh_token": first["refresh_token"]}, token=False)
    assert again["refresh_token"] == second["refresh_token"], "the parent gets the same successor"
    third = running.call("POST", "/v1/auth/refresh", {"refresh_token": second["refresh_token"]}, token=False)
    assert running.request("POST", "/v1/auth/refresh", {"refresh_token": first["refresh_token"]}, token=False)[0] == 401
    assert running.request("POST", "/v1/auth/refresh", {"refresh_token": third["refresh_token"]}, token=False)[0] == 401


def check_logout_ends_the_access_token(running, errand):
    pair = running.call("POST", "/v1/auth/login", {"email": running.email, "password": running.password}, token=False)
    bearer = {"authorization": f"Bearer {pair['access_token']}"}
    assert running.request("GET", "/v1/me", token=False, headers=bearer)[0] == 200
    assert running.request("POST", "/v1/auth/logout", token=False, headers=bearer)[0] == 204
    time.sleep(1.1)
    assert running.request("GET", "/v1/me", token=False, headers=bearer)[0] == 401


def check_a_wrong_password_and_an_unknown_address_look_the_same(running, errand):
    answers = []
    for email in (running.email, "nobody@example.org"):
        status, headers, body = running.request("POST", "/v1/auth/login", {"email": email, "password": "wrong password"}, token=False)
        problem = json.loads(body)
        problem.pop("request_id")
        answers.append((status, problem, sorted(name.lower() for name in headers.keys())))
    assert answers[0] == answers[1] and answers[0][0] == 401, answers
