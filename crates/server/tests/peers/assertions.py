"""A server written with Authlib authenticates with keys: assertions.py keys <folder>, then assertions.py <url> <folder>."""

import json
import sys
import time
from pathlib import Path

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, OKPKey

what, folder = sys.argv[1], Path(sys.argv[2])

if what == "keys":
    pairs = [OKPKey.generate_key("Ed25519", {"kid": "ed"}), ECKey.generate_key("P-256", {"kid": "ec"})]
    for name, private in (("private.json", True), ("public.json", False)):
        (folder / name).write_text(json.dumps({"keys": [pair.as_dict(private=private) for pair in pairs]}))
    raise SystemExit


class Short(PrivateKeyJWT):
    """Authlib's assertions work for an hour, and one with claims of its own would be sent twice."""

    def sign(self, auth, token_endpoint):
        self.claims = {"exp": int(time.time()) + 60}
        return super().sign(auth, token_endpoint)


metadata = httpx.get(f"{what}/.well-known/openid-configuration").raise_for_status().json()
assert "private_key_jwt" in metadata["token_endpoint_auth_methods_supported"], metadata
token_endpoint = metadata["token_endpoint"]


def client(key, method):
    by_key = "private_key_jwt"
    application = OAuth2Client(
        "press", key, token_endpoint_auth_method=by_key, revocation_endpoint_auth_method=by_key
    )
    application.register_client_auth_method(method)
    return application


ed, ec = json.loads((folder / "private.json").read_text())["keys"]
for key, algorithm in ((OKPKey.import_key(ed), "EdDSA"), (ECKey.import_key(ec), "ES256")):
    assert algorithm in metadata["token_endpoint_auth_signing_alg_values_supported"], metadata
    application = client(key, Short(token_endpoint, alg=algorithm))
    token = application.fetch_token(token_endpoint, grant_type="client_credentials")
    assert token["scope"] == "stock", token
    known = application.introspect_token(metadata["introspection_endpoint"], token["access_token"]).json()
    assert (known["active"], known["sub"]) == (True, "press"), known
    revoked = application.revoke_token(metadata["revocation_endpoint"], token["access_token"])
    assert revoked.status_code == 200, revoked.text
    try:
        client(key, PrivateKeyJWT(token_endpoint, alg=algorithm)).fetch_token(token_endpoint, grant_type="client_credentials")
        raise SystemExit("an assertion of an hour was accepted")
    except OAuthError as error:
        assert error.error == "invalid_client" and "5 minutes" in error.description, error
