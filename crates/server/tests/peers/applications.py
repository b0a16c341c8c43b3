"""A server written with Authlib signs a person in, without JavaScript: applications.py <url> <secret> <email> <password>."""

import re
import sys
from html import unescape
from urllib.parse import urljoin

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

url, secret, email, password = sys.argv[1:]
CALLBACK = "https://shop.example/authlib"


def form_of(page: httpx.Response, fields: dict[str, str]) -> httpx.Request:
    """The request that the first form of a page makes with these fields filled in."""
    form = re.search(r"<main.*?(<form.*?</form>)", page.text, re.S).group(1)
    action = re.search(r'<form[^>]*action="([^"]*)"', form)
    hidden = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="hidden"' in tag:
            hidden[name.group(1)] = unescape(value.group(1)) if value else ""
    target = urljoin(str(page.url), unescape(action.group(1)) if action else str(page.url))
    return httpx.Request("POST", target, data=hidden | fields, headers={"origin": url})


def follow(browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """Goes where it is sent, up to the application's own address."""
    while answer.is_redirect and not answer.headers["location"].startswith(CALLBACK):
        answer = browser.get(urljoin(str(answer.url), answer.headers["location"]))
    return answer


def send(browser: httpx.Client, request: httpx.Request) -> httpx.Response:
    sent = browser.build_request("POST", request.url, content=request.read(), headers=request.headers)
    return follow(browser, browser.send(sent))


metadata = httpx.get(f"{url}/.well-known/openid-configuration").raise_for_status().json()
assert metadata["issuer"] == url
application = OAuth2Client(
    "shop", secret, scope="openid email offline_access", redirect_uri=CALLBACK, code_challenge_method="S256",
    token_endpoint_auth_method="client_secret_post",
)
verifier = "v" * 64
begin, state = application.create_authorization_url(
    metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-0S6"
)

browser = httpx.Client()
page = follow(browser, browser.get(begin))
assert "password" in page.text, page.text
page = send(browser, form_of(page, {"login": email, "password": password}))
if not page.is_redirect:
    page = send(browser, form_of(page, {"answer": "allow"}))
answer = page.headers["location"]
assert answer.startswith(f"{CALLBACK}?"), answer

token = application.fetch_token(
    metadata["token_endpoint"], authorization_response=answer, code_verifier=verifier, state=state
)
keys = KeySet.import_key_set(httpx.get(metadata["jwks_uri"]).json())
claims = jwt.decode(token["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"]).claims
assert (claims["iss"], claims["aud"], claims["nonce"]) == (url, "shop", "n-0S6"), claims
info = application.get(metadata["userinfo_endpoint"]).raise_for_status().json()
assert (info["sub"], info["email"]) == (claims["sub"], email), info
renewed = application.refresh_token(metadata["token_endpoint"])
assert renewed["access_token"] != token["access_token"]
assert application.revoke_token(metadata["revocation_endpoint"], renewed["refresh_token"]).status_code == 200
