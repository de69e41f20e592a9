"""OpenID providers on loopback: a real one from PyPI (Authlib's server: RS256, PKCE), and a hostile one of our own."""

import base64
import hashlib
import hmac
import json
import logging
import os
import secrets
import threading
import time
import urllib.parse

import flask
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

# Not a line for every request.
logging.getLogger("werkzeug").setLevel(logging.ERROR)
# It listens on loopback without TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

CLIENT, SECRET = "errand-client", "s3cret with / and +"


class Served:
    """A Flask application on a free port of loopback, in a thread of its own."""

    def __init__(self, app, port=0):
        self.server = make_server("127.0.0.1", port, app, threaded=True)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Client:
    def get_client_id(self):
        return CLIENT

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri.endswith("/callback")

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(client_secret, SECRET)

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type == "authorization_code"


class Code:
    def __init__(self, **members):
        self.__dict__.update(members)

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time

    def get_acr(self):
        return None

    def get_amr(self):
        return ["pwd"]


class RealProvider:
    """Authlib's authorization server with everything strict that it has; `person` is who sits at the browser."""

    def __init__(self):
        self.codes, self.nonces = {}, set()
        self.person = {"sub": "7", "email": "jane@example.org", "email_verified": True, "name": "Jane Doe"}
        self.rotate()
        app = flask.Flask("provider")
        server = AuthorizationServer(app, query_client=lambda name: Client() if name == CLIENT else None, save_token=lambda token, request: None)
        provider = self

        class Grant(AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

            def save_authorization_code(self, code, request):
                data = request.payload.data
                provider.nonces.add(data["nonce"])
                provider.codes[code] = Code(
                    code=code, redirect_uri=request.payload.redirect_uri, scope=request.payload.scope, nonce=data["nonce"],
                    auth_time=int(time.time()), person=request.user, code_challenge=data["code_challenge"],
                    code_challenge_method=data["code_challenge_method"],
                )

            def query_authorization_code(self, code, client):
                return provider.codes.get(code)

            def delete_authorization_code(self, code):
                del provider.codes[code.code]

            def authenticate_user(self, code):
                return code.person

        class ID(OpenIDCode):
            def exists_nonce(self, nonce, request):
                return nonce in provider.nonces

            def get_jwt_config(self, grant, client=None):
                return {"key": provider.key, "alg": "RS256", "iss": provider.url, "exp": 300, "kid": provider.key.kid}

            def get_client_claims(self, client):
                return {"iss": provider.url, "aud": [CLIENT], "exp": int(time.time()) + 300}

            def generate_user_info(self, user, scope):
                return dict(user)

        server.register_grant(Grant, [ID(require_nonce=True), CodeChallenge(required=True)])

        @app.get("/.well-known/openid-configuration")
        def description():
            return {
                "issuer": provider.url, "authorization_endpoint": provider.url + "/authorize", "token_endpoint": provider.url + "/token",
                "jwks_uri": provider.url + "/jwks", "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }

        @app.get("/jwks")
        def jwks():
            return KeySet([provider.key]).as_dict(private=False)

        @app.get("/authorize")
        def authorize():
            if provider.person is None:
                return flask.redirect(flask.request.args["redirect_uri"] + "?error=access_denied&state=" + flask.request.args["state"])
            grant = server.get_consent_grant(end_user=provider.person)
            return server.create_authorization_response(grant=grant, grant_user=provider.person)

        @app.post("/token")
        def token():
            return server.create_token_response()

        self.served = Served(app)
        self.url = self.served.url

    def rotate(self):
        """Signs with another key from now on; the former one is published no more."""
        self.key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)

    def stop(self):
        self.served.stop()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class HostileProvider:
    """Answers like a provider, and lies where a check tells it to: `claims`, `header`, `sign` and `description` are its lies."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "k"})
        self.reset()
        app = flask.Flask("hostile")
        provider = self

        @app.get("/.well-known/openid-configuration")
        def description():
            time.sleep(provider.delay)
            return {
                "issuer": provider.url, "authorization_endpoint": provider.url + "/authorize", "token_endpoint": provider.url + "/token",
                "jwks_uri": provider.url + "/jwks", **provider.description,
            }

        @app.get("/jwks")
        def jwks():
            return {"keys": [provider.key.as_dict(private=False)]}

        @app.get("/authorize")
        def authorize():
            arguments = flask.request.args
            provider.nonce = arguments["nonce"]
            answer = {"code": "a-code", "state": arguments["state"], **provider.answer}
            return flask.redirect(arguments["redirect_uri"] + "?" + urllib.parse.urlencode(answer))

        @app.post("/token")
        def token():
            provider.forms.append(flask.request.form.to_dict())
            time.sleep(provider.delay)
            if provider.status != 200:
                return {"error": "invalid_grant"}, provider.status
            return {"access_token": "at", "token_type": "Bearer", "id_token": provider.id_token()}

        self.served = Served(app)
        self.url = self.served.url

    def reset(self):
        self.claims, self.header, self.description, self.answer, self.forms = {}, {}, {}, {}, []
        self.sign, self.status, self.delay, self.nonce = self.rs256, 200, 0, ""

    def rs256(self, signed):
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        return self.key.private_key.sign(signed, PKCS1v15(), SHA256())

    def hs256(self, secret):
        return lambda signed: hmac.digest(secret, signed, hashlib.sha256)

    def public_forms(self):
        """Everything that people have taken for the bytes of a public key."""
        return [self.key.as_pem(private=False), self.key.as_der(private=False), json.dumps(self.key.as_dict(private=False)).encode()]

    def id_token(self):
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "7", "iat": now, "exp": now + 300, "nonce": self.nonce, "email": "eve@example.org",
            "email_verified": True, "at_hash": b64(hashlib.sha256(b"at").digest()[:16]), **self.claims,
        }
        header = {"alg": "RS256", "kid": "k", **self.header}
        parts = [b64(json.dumps({k: v for k, v in part.items() if v is not None}).encode()) for part in (header, claims)]
        signed = ".".join(parts)
        return signed + "." + b64(self.sign(signed.encode()))

    def stop(self):
        self.served.stop()
