"""How a person gets through the pages of the server, without JavaScript."""

import re
from html import unescape
from urllib.parse import urljoin

import httpx


def form_of(page: httpx.Response, fields: dict[str, str], url: str) -> httpx.Request:
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


def follow(browser: httpx.Client, answer: httpx.Response, callback: str) -> httpx.Response:
    """Goes where it is sent, up to the application's own address."""
    while answer.is_redirect and not answer.headers["location"].startswith(callback):
        answer = browser.get(urljoin(str(answer.url), answer.headers["location"]))
    return answer


def send(browser: httpx.Client, request: httpx.Request, callback: str) -> httpx.Response:
    sent = browser.build_request("POST", request.url, content=request.read(), headers=request.headers)
    return follow(browser, browser.send(sent), callback)


def sign_in(browser: httpx.Client, begin: str, email: str, password: str, callback: str) -> str:
    """Signs in, and allows what is asked; the address that the browser comes back to."""
    page = follow(browser, browser.get(begin), callback)
    url = str(page.url.copy_with(path="/", query=None)).rstrip("/?")
    assert "password" in page.text, page.text
    page = send(browser, form_of(page, {"login": email, "password": password}, url), callback)
    if not page.is_redirect:
        page = send(browser, form_of(page, {"answer": "allow"}, url), callback)
    answer = page.headers["location"]
    assert answer.startswith(f"{callback}?"), answer
    return answer
