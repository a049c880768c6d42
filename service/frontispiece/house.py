"""Everything a step needs, opened once a process: settings, database, storage, adapters and generators."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import httpx
from PIL import Image

from frontispiece import cms, net, prompts
from frontispiece.cms import Adapter
from frontispiece.config import Settings
from frontispiece.database import Database
from frontispiece.errors import ConfigProblem, Problem
from frontispiece.generators import Generator, catalogue
from frontispiece.storage import Storage, open_storage
from frontispiece.tables import Rule, Slot

REFUSALS = 50  # of a site that are remembered


class Refusal(NamedTuple):
    """A delivery that was not authentic: when it came (seconds since the epoch), and why it was refused."""

    at: float
    words: str


@dataclass
class House:
    """The open parts. `adapters` and `generators` are made on first use and kept; `refused` is by site."""

    settings: Settings
    refused: dict[str, list[Refusal]] = field(default_factory=dict)
    _adapters: dict[str, Adapter] = field(default_factory=dict)
    _generators: dict[str, Generator] = field(default_factory=dict)

    @cached_property
    def database(self) -> Database:
        return Database(self.settings.database)

    @cached_property
    def storage(self) -> Storage:
        return open_storage(self.settings.storage)

    @cached_property
    def models(self) -> dict[str, catalogue.Model]:
        return catalogue.load(self.settings.catalogue)

    def adapter(self, site: str) -> Adapter:
        """The adapter of a configured site. Raises `ConfigProblem`."""
        if site not in self._adapters:
            if site not in self.settings.sites:
                raise ConfigProblem(f"the site {site!r} is not in the configuration (any more)")
            settings = self.settings.sites[site]
            self._adapters[site] = cms.load(settings.plugin)(settings)
        return self._adapters[site]

    def refuse(self, site: str, words: str) -> None:
        """Remembers the last deliveries that were not authentic, in memory only: strangers shall fill no disk."""
        # a new list each time, as pages read it in other threads
        self.refused[site] = [*self.refused.get(site, [])[1 - REFUSALS :], Refusal(time.time(), words[:300])]

    @contextmanager
    def api(self, site: str) -> Iterator[tuple[Adapter, httpx.Client]]:
        """The adapter of a site and an open client for its API."""
        adapter = self.adapter(site)
        with adapter.open() as client:
            yield adapter, client

    def generator(self, name: str) -> Generator:
        """The generator of that name, with its settings. Raises `ConfigProblem`."""
        if name not in self._generators:
            kind, settings = self.settings.generator(name)
            self._generators[name] = kind(settings, net.client(kind.origins(settings)))
        return self._generators[name]

    def warm(self) -> None:
        """Loads what every step may need, so that the children of a worker find it loaded.

        A setting that has become wrong meanwhile is left for the step that meets it.
        """
        Image.init()
        with suppress(Problem):
            for site in self.settings.sites:
                self.adapter(site)
            for name in self.settings.in_use():
                self.generator(name)
            for rule in self.settings.rules:
                prompts.load(rule.template)
                prompts.brand(rule.brand)
            self.storage.check()

    def close(self) -> None:
        """Closes what was opened."""
        for generator in self._generators.values():
            generator.client.close()
        self.database.engine.dispose()

    def rule(self, name: str) -> Rule:
        """The rule of that name. Raises `ConfigProblem` where it has left the configuration."""
        for rule in self.settings.rules:
            if rule.name == name:
                return rule
        raise ConfigProblem(f"the rule {name!r} is not in the configuration any more")

    def slot(self, name: str) -> Slot:
        """The slot of that name. Raises `ConfigProblem`."""
        if name not in self.settings.slots:
            raise ConfigProblem(f"the slot {name!r} is not in the configuration any more")
        return self.settings.slots[name]
