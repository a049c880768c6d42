"""Asking Vendure's admin API, whose errors come with a 200 and a code of their own."""

import json
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, NotAllowed, Unavailable, call, dig, read_json

from .settings import VendureSettings

UNEXPECTED = {"None", "INTERNAL_SERVER_ERROR"}  # such as a database that is away; but also a picture it cannot read


def ask(
    api: httpx.Client, settings: VendureSettings, query: str, *, locale: str = "", file: Any = None, **named: Any
) -> Any:
    """The `data` of an answer. Raises `NotAllowed`, `Unavailable` or `CmsProblem` for its errors."""
    asked: dict[str, Any] = {"json": {"query": query, "variables": named}}
    if file:  # github.com/jaydenseric/graphql-multipart-request-spec
        form = {"operations": json.dumps(asked["json"]), "map": '{"0": ["variables.file"]}'}
        asked = {"data": form, "files": {"0": file}, "timeout": 120}
    asked["headers"] = {"vendure-token": settings.channel_token} if settings.channel_token else {}
    asked["params"] = {"languageCode": code(locale)} if locale else {}
    answer = call(api, "POST", settings.admin_path, **asked)
    told = read_json(answer)
    if told.get("errors"):
        raise _problem(str(answer.url), told["errors"], final=file is not None)
    return told["data"]


def tag(code: str) -> str:
    """Vendure's pt_BR as the pt-BR of everybody else."""
    return code.replace("_", "-")


def code(tag: str) -> str:
    """A language as Vendure has it."""
    return tag.replace("-", "_")


def _problem(where: str, errors: list[Any], *, final: bool) -> CmsProblem:
    """What GraphQL's errors mean; without a code of their own they may pass, but not where a picture is their cause."""
    codes = {str(dig(error, "extensions.code")) for error in errors}
    words = "; ".join(str(error.get("message")) for error in errors)
    words = f"{where} answered {words[:300]} ({', '.join(sorted(codes))})"
    if "FORBIDDEN" in codes:
        return NotAllowed(f"{words}: is api_key right, and has its role all the rights that the guide names?")
    return Unavailable(words) if codes & UNEXPECTED and not final else CmsProblem(words)
