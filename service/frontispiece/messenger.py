"""Messages to chat rooms and mail boxes through Apprise, an extra that is imported only where notices are set up."""

import logging
from importlib import import_module
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from frontispiece.errors import ConfigProblem
from frontispiece.languages import LANGUAGES

Event = Literal["in_review", "failed", "held", "budget", "paused"]
MOST_URLS = 20


class NoticeSettings(BaseModel):
    """The keys of `[notices.<name>]`: where to send (Apprise URLs), about what, and of which pictures ([] = of all).

    With `links` each picture gets a link that decides once, without a login, for `link_hours`. `language` is what the
    messages are in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls: list[SecretStr] = Field(min_length=1, max_length=MOST_URLS)
    on: list[Event] = Field(default=["in_review"], min_length=1)
    sites: list[str] = []
    sections: list[str] = []
    rules: list[str] = []
    links: bool = False
    link_hours: float = Field(default=72, gt=0, le=720)
    language: str = "en"

    @field_validator("language")
    @classmethod
    def _is_spoken(cls, language: str) -> str:
        if language not in LANGUAGES:
            raise ValueError(f"there is no {language!r}; there are: {', '.join(sorted(LANGUAGES))}")
        return language

    @field_validator("urls")
    @classmethod
    def _are_known(cls, urls: list[SecretStr]) -> list[SecretStr]:
        for number, url in enumerate(urls):
            if _service(url) is None:  # never the URL: there are passwords in it
                words = "is no address that Apprise knows; https://appriseit.com lists them"
                raise ValueError(f"{number}: {words}")
        return urls


def send(url: SecretStr, title: str, text: str, *, bad: bool = False) -> bool:
    """Sends plain text to one address; whether it was taken. `bad` marks news that somebody should act on.

    Raises `ConfigProblem` where Apprise is not there (any more), or does not know the address.
    """
    service = _service(url)
    if service is None:
        raise ConfigProblem("an address of a notice is none that Apprise knows (any more)")
    apprise = _apprise()
    kind = apprise.NotifyType.WARNING if bad else apprise.NotifyType.INFO
    return bool(apprise.Apprise(service).notify(text, title, kind, body_format=apprise.NotifyFormat.TEXT))


def _service(url: SecretStr) -> Any:
    """What Apprise makes of an address, None where it is none; it would write the whole of such a one into the log."""
    apprise, log = _apprise(), logging.getLogger("apprise")
    log.disabled = True
    try:
        return apprise.Apprise.instantiate(url.get_secret_value())
    finally:
        log.disabled = False


def _apprise() -> Any:
    try:
        return import_module("apprise")
    except ModuleNotFoundError as problem:
        words = f"{problem.name} is missing, which notices need: pip install 'frontispiece[notices]'"
        raise ConfigProblem(words) from problem
