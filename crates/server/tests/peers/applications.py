"""A server written with Authlib signs a person in, without JavaScript: applications.py <url> <secret> <email> <password>."""

import base64
import hashlib
import sys

import httpx
import jwt as pyjwt
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from person import Person

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

answer = Person(url, CALLBACK).allows(begin, email, password).headers["location"]
assert answer.startswith(f"{CALLBACK}?"), answer

token = application.fetch_token(
    metadata["token_endpoint"], authorization_response=answer, code_verifier=verifier, state=state
)
keys = KeySet.import_key_set(httpx.get(metadata["jwks_uri"]).json())
claims = jwt.decode(token["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"]).claims
assert (claims["iss"], claims["aud"], claims["nonce"]) == (url, "shop", "n-0S6"), claims

# PyJWT, with what OpenID Connect Core §3.1.3.7 wants checked.
algorithms = metadata["id_token_signing_alg_values_supported"]
key = pyjwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token["id_token"])
required = {"require": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"]}
verified = pyjwt.decode_complete(
    token["id_token"], key, algorithms=algorithms, audience="shop", issuer=url, options=required
)
header, payload = verified["header"], verified["payload"]
assert (payload["nonce"], payload["azp"]) == ("n-0S6", "shop"), payload
access_token = token["access_token"].encode()
if header["alg"] == "EdDSA":  # Ed25519 hashes with SHA-512; PyJWT has no name for that
    digest = hashlib.sha512(access_token).digest()
else:
    digest = pyjwt.get_algorithm_by_name(header["alg"]).compute_hash_digest(access_token)
half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
assert payload["at_hash"] == half, payload
for wrong in ({"audience": "page"}, {"issuer": f"{url}/"}, {"algorithms": ["HS256"]}):
    try:
        right = {"algorithms": algorithms, "audience": "shop", "issuer": url}
        pyjwt.decode(token["id_token"], key, **(right | wrong))
        raise SystemExit(f"accepted with {wrong}")
    except pyjwt.PyJWTError:
        pass

info = application.get(metadata["userinfo_endpoint"]).raise_for_status().json()
assert (info["sub"], info["email"]) == (claims["sub"], email), info
renewed = application.refresh_token(metadata["token_endpoint"])
assert renewed["access_token"] != token["access_token"]
assert application.revoke_token(metadata["revocation_endpoint"], renewed["refresh_token"]).status_code == 200
