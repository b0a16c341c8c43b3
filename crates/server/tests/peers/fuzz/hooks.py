"""What Schemathesis cannot know of this server: who asks, and which right requests are refused all the same."""

import os
import re

import requests
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

# What a description can say completely. A request that is as described is never refused for one of these.
SHAPE = {
    "invalid_request", "malformed_json", "required", "unknown_field", "wrong_type", "exclusive", "locale_invalid",
    "code_malformed", "id_invalid", "status_invalid", "factor_status_invalid", "limit_invalid", "boolean_invalid",
}  # fmt: skip

IF_MATCH = re.compile(r'\*|"[0-9A-Za-z_-]+"')

EMAIL = os.environ.get("FUZZ_EMAIL")
PASSWORD = os.environ.get("FUZZ_PASSWORD")
own_id = None


def described(context):
    return context.operation.definition.raw


def wants_token(context):
    return any("bearer" in way for way in described(context).get("security", []))


def reasons(response, case):
    """The codes of a refusal: of its fields, or its own."""
    body = response.json()
    fields = body.get("errors", [])
    if described(case)["operationId"] in ("confirm_by_link", "confirm_email"):
        # The password may be left out where the settings say so, or in the session that asked for the change: the
        # description cannot know either.
        fields = [field for field in fields if (field["pointer"], field["code"]) != ("/password", "required")]
    if described(case)["operationId"] in ("delete_me", "change_email", "change_password"):
        # Accounts without a password leave it out.
        own = [("/password", "required"), ("/current_password", "required")]
        fields = [field for field in fields if (field["pointer"], field["code"]) not in own]
    if described(case)["operationId"] in ("create_client", "update_client"):
        # A client that signs nobody in has scopes of its own instead.
        fields = [field for field in fields if (field["pointer"], field["code"]) != ("/redirect_uris", "required")]
    sent = case.headers.get("If-Match", "*")
    if described(case)["operationId"] == "admin_set_app_data" and not IF_MATCH.fullmatch(sent):
        # Here, where the header may be left out, it comes in forms that its pattern does not have.
        return {"if_match"}
    of_client = "client" in body.get("error_description", "")
    if described(case)["operationId"] in ("token", "revoke", "introspect") and of_client:
        # A client authenticates in the header or in the form, and a secret belongs to a name: no description can say so.
        return {"invalid_client"}
    return {field["code"] for field in fields} or {body.get("code") or body.get("error")}


def is_page(response):
    return response.headers.get("content-type", [""])[0].startswith("text/html")


# A link that leads nowhere, another version than the present one: as with 404, which the checks know, the request was
# right and there is no such thing. It may be found out before the rest is looked at.
GONE = (410, 412)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps a failure unless the refusal has a reason that no description of a request could tell."""
    if response.status_code == 428:
        # What a missing `If-Match` deserves (RFC 6585 section 3), and what the checks do not know.
        return False
    if isinstance(failure, AcceptedNegativeData) and response.status_code == 413:
        # A longer body than any that is as described is refused unread; the checks do not count that as a refusal.
        return False
    if isinstance(failure, (AcceptedNegativeData, RejectedPositiveData)) and response.status_code in GONE:
        return False
    if isinstance(failure, RejectedPositiveData) and response.status_code in (400, 422):
        # A page says it to a person: a wrong password, a name that is taken.
        by_page = response.status_code == 422 and is_page(response)
        return not by_page and bool(reasons(response, case) & SHAPE)
    return True


class Token:
    """Signs in, and again where the token was ended: operations that do this are among those that are tried."""

    # Of a known device: wrong passwords from elsewhere, which are tried too, do not keep it out.
    device = {}

    def get(self, case, context):
        global own_id
        body = {"email": EMAIL, "password": PASSWORD}
        url = f"{case.operation.base_url.rstrip('/')}/v1/login"
        answer = requests.post(url, json=body, cookies=self.device, timeout=30)
        answer.raise_for_status()
        self.device.update(answer.cookies)
        own_id = answer.json()["user"]["id"]
        return answer.json()["access_token"]

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


if EMAIL:
    schemathesis.auth(retry_on=[401]).apply_to(wants_token)(Token)


@schemathesis.hook
def before_add_examples(context, examples):
    """The answers to somebody who knows the password, which no generator finds."""
    bodies = {
        "sign_in": {"email": EMAIL, "password": PASSWORD},
        "check_password": {"email": EMAIL, "password": PASSWORD},
    }
    body = bodies.get(described(context).get("operationId"))
    if EMAIL and body:
        media_type = next(iter(described(context)["requestBody"]["content"]))
        examples.append(context.operation.Case(body=body, media_type=media_type))


@schemathesis.hook
def before_call(context, case, kwargs):
    """Who asks stays: an administrator who disables himself could not ask for anything more."""
    if own_id is not None:
        for name, value in (case.path_parameters or {}).items():
            if value == own_id:
                case.path_parameters[name] = own_id[:-1] + ("0" if own_id[-1] != "0" else "1")
