"""A server written with Authlib signs a person in, without JavaScript: applications.py <url> <secret> <email> <password>."""

import sys

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from signing_in import sign_in

url, secret, email, password = sys.argv[1:]
CALLBACK = "https://shop.example/authlib"

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

answer = sign_in(httpx.Client(), begin, email, password, CALLBACK)
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
