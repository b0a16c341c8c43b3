"""A server written with Authlib that hears when somebody signs out: back_channel.py <url> <secret> <email> <password> <port>.

It signs a person in, who then signs out at the accounts server; it verifies what it is told as OpenID Connect Back-Channel
Logout 1.0 §2.6 says, with the published keys and nothing else. A first attempt is turned away.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from urllib.parse import parse_qs

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from person import Person

url, secret, email, password, port = sys.argv[1:]
CALLBACK = "https://shop.example/authlib"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
posts: Queue = Queue()


class Application(BaseHTTPRequestHandler):
    answers = [302, 204]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        posts.put((self.path, self.headers["content-type"], parse_qs(body, strict_parsing=True)))
        answer = self.answers.pop(0)
        self.send_response(answer)
        if answer == 302:
            self.send_header("location", f"http://127.0.0.1:{port}/elsewhere")
            # The next attempt is not in this test's time.
            self.send_header("retry-after", "3600")
        self.end_headers()

    def log_message(self, *_):
        pass


listener = HTTPServer(("127.0.0.1", int(port)), Application)
threading.Thread(target=listener.serve_forever, daemon=True).start()

metadata = httpx.get(f"{url}/.well-known/openid-configuration").raise_for_status().json()
assert metadata["backchannel_logout_supported"] and metadata["backchannel_logout_session_supported"]
keys = KeySet.import_key_set(httpx.get(metadata["jwks_uri"]).raise_for_status().json())
algorithms = metadata["id_token_signing_alg_values_supported"]
application = OAuth2Client(
    "shop", secret, scope="openid", redirect_uri=CALLBACK, code_challenge_method="S256",
    token_endpoint_auth_method="client_secret_post",
)


def signed_in():
    """A person, and the claims of the ID token."""
    verifier = "v" * 64
    begin, state = application.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    person = Person(url, CALLBACK)
    answer = person.allows(begin, email, password).headers["location"]
    assert answer.startswith(f"{CALLBACK}?"), answer
    token = application.fetch_token(
        metadata["token_endpoint"], authorization_response=answer, code_verifier=verifier, state=state
    )
    return person, jwt.decode(token["id_token"], keys, algorithms=algorithms)


def signs_out(person):
    person.sends(person.opens(f"{url}/oauth/logout"), {})


def told(claims):
    path, content_type, form = posts.get(timeout=30)
    assert (path, content_type, list(form)) == ("/logout", "application/x-www-form-urlencoded", ["logout_token"])
    logout = jwt.decode(form["logout_token"][0], keys, algorithms=algorithms)
    assert logout.header["typ"] == "logout+jwt", logout.header
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": url}, aud={"essential": True, "value": "shop"}, iat={"essential": True},
        exp={"essential": True}, jti={"essential": True}, sub={"essential": True, "value": claims["sub"]},
        sid={"essential": True, "value": claims["sid"]},
    )
    registry.validate(logout.claims)
    assert logout.claims["events"] == {EVENT: {}}, logout.claims
    assert logout.claims["exp"] - logout.claims["iat"] <= 120 and "nonce" not in logout.claims, logout.claims
    return logout.claims["jti"]


first, id_token = signed_in()
assert id_token.header["typ"] != "logout+jwt"
signs_out(first)
turned_away = told(id_token.claims)
# Whoever redirects is not followed, and keeps no other sign-out waiting.
second, id_token = signed_in()
signs_out(second)
assert told(id_token.claims) != turned_away
assert posts.empty()
