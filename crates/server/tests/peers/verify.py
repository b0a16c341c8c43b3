"""Verifies access tokens as a service does that knows the issuer's JWK Set and nothing else.

One request a line on standard input, one answer a line on standard output, both JSON. The set is fetched when it is
first needed, kept, and fetched again for a key that it lacks.
"""

import json
import sys

import jwt

# Without the pause between two fetches, which is there to spare the issuer.
keys = jwt.PyJWKClient(sys.argv[1], cooldown_duration=0)
CLAIMS = ["iss", "aud", "sub", "exp", "iat", "jti", "client_id"]


def verify(request):
    token = request["token"]
    # A clock that is ahead: what is asked of `exp` then is asked now.
    later = request["later"]
    decoded = jwt.decode_complete(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=[request["algorithm"]],
        issuer=request["issuer"],
        audience=request["audience"],
        leeway=-later,
        options={"require": CLAIMS, "verify_iat": later == 0},
    )
    if decoded["header"]["typ"] != "at+jwt":
        raise ValueError("typ")
    return {"sub": decoded["payload"]["sub"], "kid": decoded["header"]["kid"]}


for line in sys.stdin:
    try:
        answer = verify(json.loads(line))
    except (jwt.PyJWTError, ValueError) as error:
        answer = {"error": type(error).__name__}
    print(json.dumps(answer), flush=True)
