"""Somebody opens a page behind Apache and signs in on the way: apache.py <url> <page> <email> <password>."""

import sys

import httpx

from person import Person

url, page, email, password = sys.argv[1:]
answer = Person(url).allows(page, email, password)
assert (answer.status_code, answer.text) == (200, "the orders"), (answer.status_code, answer.url, answer.text)
assert answer.headers["x-let-through"] == email, answer.headers

# Whoever brings nothing is sent to sign in, and an answer that nobody asked for opens nothing.
stranger = httpx.get(page)
assert stranger.status_code == 302 and stranger.headers["location"].startswith(f"{url}/oauth/authorize?"), stranger.headers
assert "code_challenge_method=S256" in stranger.headers["location"]
forged = httpx.get(f"{page}callback?code=vac_x&state=x&iss={url}")
assert "the orders" not in forged.text and "x-let-through" not in forged.headers, forged.text
