"""The GraphQL Admin API: our operations by their names, tokens to ask with, and answers of 200 that are errors."""

import re
import time
from collections.abc import Generator as Steps
from pathlib import Path
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, NotAllowed, Unavailable, call, dig, read_json

__all__ = ["API", "OPERATIONS", "Grant", "Granted", "Json", "ask", "do"]

Json = dict[str, Any]
API = "/admin/api/2026-10/graphql.json"
LATER = {"THROTTLED", "INTERNAL_SERVER_ERROR"}
_TEXT = Path(__file__).with_name("operations.graphql").read_text("utf8")
OPERATIONS = {text.split("(")[0].split()[1]: text for text in re.split(r"\n(?=query|mutation)", _TEXT)}


class Grant:
    """Access tokens of the client credentials grant, which are good for a day; a new one after a 401.

    https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
    """

    def __init__(self, url: str, client: str, secret: str) -> None:
        self.url, self.token, self.until = f"{url}/admin/oauth/access_token", "", 0.0
        self.form = {"client_id": client, "client_secret": secret, "grant_type": "client_credentials"}

    def ask(self, api: httpx.Client) -> str:
        """The token. Raises `NotAllowed` in Shopify's own words, `Unavailable` where it is away."""
        if time.time() > self.until:
            try:
                told = read_json(call(api, "POST", self.url, data=self.form, auth=None))
            except CmsProblem as problem:
                if problem.retry:
                    raise
                words = f"Shopify gives no access token for client_id and webhook_secret: {problem.words}"
                raise NotAllowed(words) from problem
            self.token, self.until = str(told["access_token"]), time.time() + float(told["expires_in"]) - 300
        return self.token


class Granted(httpx.Auth):
    """Shows the grant's token; asked for by the client itself, so that its answer is read as any other is."""

    def __init__(self, grant: Grant, api: httpx.Client) -> None:
        self.grant, self.api = grant, api

    def auth_flow(self, request: httpx.Request) -> Steps[httpx.Request, httpx.Response, None]:
        """Sets the header."""
        request.headers["X-Shopify-Access-Token"] = self.grant.ask(self.api)
        if (yield request).status_code == 401:
            self.grant.until = 0.0


def ask(api: httpx.Client, name: str, /, **variables: Any) -> Json:
    """The data of an operation's answer. One of 200 with errors is one too: `Unavailable` if Shopify asks to wait."""
    told = read_json(call(api, "POST", API, json={"query": OPERATIONS[name], "variables": variables}))
    if errors := told.get("errors"):
        known = errors if isinstance(errors, list) else [{"message": str(errors)}]
        words = f"Shopify answered: {'; '.join(str(one.get('message')) for one in known)[:300]}"
        if {dig(one, "extensions.code") for one in known} & LATER:
            raise Unavailable(words, seconds=2)
        raise CmsProblem(words)
    return dict(told["data"])


def do(api: httpx.Client, name: str, /, **variables: Any) -> Json:
    """What a mutation came to; what Shopify says against the input is an error, although it answers 200."""
    [payload] = ask(api, name, **variables).values()
    wrong = payload.get("userErrors", []) + payload.get("mediaUserErrors", [])
    if wrong:
        raise CmsProblem(f"Shopify refused it: {'; '.join(one['message'] for one in wrong)}")
    return dict(payload)
