"""A small OpenID Connect provider on a free port of the loopback: authorization code flow with PKCE, signed tokens."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "readerstudy", "a-secret-of-the-tests"


class Provider:
    """Who signs in is whom `person` describes: claims with `sub`. `info`: other claims of /userinfo, if they differ."""

    def __init__(self) -> None:
        self.url = ""
        self.person: dict = {}
        self.info: dict = {}
        self.audience = CLIENT
        self.issuer = ""
        self.refusal = ""  # an error instead of a code
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._codes: dict[str, dict] = {}

    def get(self, path: str, query: dict, token: str) -> tuple[int, dict | str]:
        """Answer a GET: a status with JSON, or 302 with an address."""
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer or self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path == "/keys":
            key = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
            return 200, {"keys": [{**key, "kid": "1", "alg": "RS256", "use": "sig"}]}
        if path == "/userinfo":
            return (200, {**self.person, **self.info}) if token == "Bearer access" else (401, {})
        if path == "/authorize":
            assert query["client_id"] == CLIENT
            assert "openid" in query["scope"].split()
            if self.refusal:
                answer = {"error": self.refusal, "state": query["state"]}
            else:
                code = secrets.token_urlsafe(8)
                self._codes[code] = query
                answer = {"code": code, "state": query["state"]}
            return 302, f"{query['redirect_uri']}?{urlencode(answer)}"
        return 404, {}

    def post(self, path: str, form: dict) -> tuple[int, dict]:
        """Answer a POST to /token: the tokens for a code that is used once by its client."""
        asked = self._codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            path != "/token"
            or asked is None
            or (form["client_id"], form["client_secret"]) != (CLIENT, SECRET)
            or (asked["redirect_uri"], asked["code_challenge"]) != (form["redirect_uri"], challenge)
        ):
            return 400, {"error": "invalid_grant"}
        at = int(time.time())
        claims = {"iss": self.issuer or self.url, "aud": self.audience, "iat": at, "exp": at + 60, **self.person}
        token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "1"})
        return 200, {"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": token}


@contextmanager
def serve() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._answer(*provider.get(parts.path, query, self.headers.get("Authorization", "")))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(*provider.post(self.path, {name: values[0] for name, values in form.items()}))

        def _answer(self, status: int, body: dict | str) -> None:
            self.send_response(status)
            if isinstance(body, str):
                self.send_header("Location", body)
                body = {}
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
