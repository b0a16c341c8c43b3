"""Signs up, confirms by code, signs in and asks who that is, with the client that openapi-python-client makes.

story.py URL

The mailed code is read from standard input.
"""

import base64
import sys

from vestibule_client import AuthenticatedClient, Client
from vestibule_client.api.account import me
from vestibule_client.api.administration import list_users
from vestibule_client.api.sign_in import sign_in, token
from vestibule_client.api.sign_up import confirm_by_code, sign_up
from vestibule_client.models import (
    CodeRequest,
    ConfirmationRequired,
    EmailLoginRequest,
    ListUsersStatus,
    OAuthError,
    OAuthErrorError,
    Problem,
    ProblemCode,
    RefreshGrantForm,
    RefreshGrantFormGrantType,
    Session,
    SignUpRequest,
    TokenAnswer,
    User,
)
from vestibule_client.types import Unset

URL = sys.argv[1]
EMAIL = "ada.python@example.org"
PASSWORD = "plover-tundra-saffron-61"

anybody = Client(base_url=URL)

# What is wrong is typed, too: the code is one of a closed list, and each field says what is wrong with it.
refused = sign_up.sync(client=anybody, body=SignUpRequest(email="ada", password="short"))
assert isinstance(refused, Problem) and refused.code is ProblemCode.VALIDATION_FAILED
assert not isinstance(refused.errors, Unset)
assert sorted((field.pointer, field.code.value) for field in refused.errors) == [
    ("/email", "email_invalid"),
    ("/password", "password_too_short"),
]

pending = sign_up.sync(client=anybody, body=SignUpRequest(email=EMAIL, password=PASSWORD, user_name="ada-python"))
assert isinstance(pending, ConfirmationRequired)
assert pending.email == EMAIL and pending.resend_after < pending.expires_at

code = input()
basic = base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
owner = AuthenticatedClient(base_url=URL, prefix="Basic", token=basic)
confirmed = confirm_by_code.sync(client=owner, body=CodeRequest(code=code))
assert isinstance(confirmed, User)

wrong = sign_in.sync(client=anybody, body=EmailLoginRequest(email=EMAIL, password="another-long-word-9"))
assert isinstance(wrong, Problem) and wrong.code is ProblemCode.INVALID_CREDENTIALS
session = sign_in.sync(client=anybody, body=EmailLoginRequest(email=EMAIL, password=PASSWORD))
assert isinstance(session, Session) and session.user == confirmed

signed_in = AuthenticatedClient(base_url=URL, token=session.access_token)
user = me.sync(client=signed_in)
assert isinstance(user, User) and user == confirmed
assert (user.email, user.user_name, user.roles) == (EMAIL, "ada-python", [])

# The next tokens, in the OAuth form, for a right token and a wrong one.
REFRESH = RefreshGrantFormGrantType.REFRESH_TOKEN
bought = token.sync(client=anybody, body=RefreshGrantForm(grant_type=REFRESH, refresh_token=session.refresh_token))
assert isinstance(bought, TokenAnswer) and bought.refresh_token != session.refresh_token
refusal = token.sync(client=anybody, body=RefreshGrantForm(grant_type=REFRESH, refresh_token="another"))
assert isinstance(refusal, OAuthError) and refusal.error is OAuthErrorError.INVALID_GRANT

nobody = list_users.sync(client=signed_in, status=ListUsersStatus.ACTIVE, limit=10)
assert isinstance(nobody, Problem) and nobody.code is ProblemCode.FORBIDDEN

print(user.id)
