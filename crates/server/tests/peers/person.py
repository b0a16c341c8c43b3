"""A person with a browser that runs no scripts."""

import re
from html import unescape
from urllib.parse import urljoin

import httpx


class Person:
    """Goes where they are sent, up to an address that begins with `away`, which is not opened."""

    def __init__(self, url: str, away: str = "nowhere:"):
        self.url = url
        self.away = away
        self.browser = httpx.Client()

    def opens(self, address: str) -> httpx.Response:
        return self._follows(self.browser.get(address))

    def sends(self, page: httpx.Response, fields: dict[str, str]) -> httpx.Response:
        """Sends the first form of a page with these fields filled in."""
        form = re.search(r"<main.*?(<form.*?</form>)", page.text, re.S).group(1)
        action = re.search(r'<form[^>]*action="([^"]*)"', form)
        hidden = {}
        for tag in re.findall(r"<input[^>]*>", form):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name and 'type="hidden"' in tag:
                hidden[name.group(1)] = unescape(value.group(1)) if value else ""
        target = urljoin(str(page.url), unescape(action.group(1)) if action else str(page.url))
        return self._follows(self.browser.post(target, data=hidden | fields, headers={"origin": self.url}))

    def allows(self, address: str, email: str, password: str) -> httpx.Response:
        """Signs in and says yes, from the address that an application sends people to."""
        page = self.opens(address)
        assert "password" in page.text, page.text
        page = self.sends(page, {"login": email, "password": password})
        if not page.is_redirect and str(page.url).startswith(self.url):
            page = self.sends(page, {"answer": "allow"})
        return page

    def _follows(self, answer: httpx.Response) -> httpx.Response:
        while answer.is_redirect and not answer.headers["location"].startswith(self.away):
            answer = self.browser.get(urljoin(str(answer.url), answer.headers["location"]))
        return answer
