"""Configuration: `frontispiece.toml`, environment variables and secret files over it, refused at start when wrong.

Every key of the file may be overridden by a variable, `FRONTISPIECE_` in front and `__` between the levels
(`FRONTISPIECE_SITES__BLOG__PASSWORD`), or by a file of that name in lower case in the folder `FRONTISPIECE_SECRETS`
(`frontispiece_sites__blog__password`), which suits Docker and systemd.
"""

import os
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NestedSecretsSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from frontispiece import cms, prompts, secretfiles
from frontispiece.cms import SiteSettings
from frontispiece.errors import ConfigProblem, TemplateProblem
from frontispiece.generators import Generator, GeneratorSettings, catalogue
from frontispiece.generators.catalogue import Model
from frontispiece.messenger import NoticeSettings
from frontispiece.oidc import OidcSettings
from frontispiece.tables import SLOTS, Budget, Desk, Name, Rule, Server, Slot

T = TypeVar("T", bound=BaseModel)
URLS = {
    "database_url": ("sqlite:///", "postgresql://", "postgresql+psycopg://"),
    "redis_url": ("redis://", "rediss://", "unix://"),
}
NEAR = 6  # names that are told where one is not known


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="FRONTISPIECE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    server: Server = Server()
    desk: Desk = Desk()
    data: Path = secretfiles.DATA
    database_url: str = ""
    redis_url: str = ""
    storage_url: str = ""
    catalogue: list[Path] = []
    slots: dict[str, Slot] = {}
    sites: dict[str, SiteSettings] = {}
    rules: list[Rule] = []
    generators: dict[str, GeneratorSettings] = {}
    budget: Budget = Budget()
    oidc: OidcSettings | None = None
    notices: dict[Annotated[str, Name], NoticeSettings] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment is stronger than secret files, and those than `frontispiece.toml` (given as keywords)."""
        del settings_cls, dotenv_settings
        folder = os.environ.get("FRONTISPIECE_SECRETS")
        if not folder:
            return env_settings, init_settings
        files = NestedSecretsSettingsSource(
            file_secret_settings, secrets_dir=folder, secrets_prefix="frontispiece_", secrets_nested_delimiter="__"
        )
        return env_settings, files, init_settings

    @field_validator("sites", mode="before")
    @classmethod
    def _sites(cls, given: dict[str, Any]) -> dict[str, SiteSettings]:
        return {name: _site(name, keys) for name, keys in given.items()}

    @field_validator("generators", mode="before")
    @classmethod
    def _generators(cls, given: dict[str, Any]) -> dict[str, GeneratorSettings]:
        return {name: _generator(name, keys) for name, keys in given.items()}

    @field_validator("database_url", "redis_url")
    @classmethod
    def _is_known(cls, url: str, info: ValidationInfo) -> str:
        kinds = URLS[info.field_name or ""]
        if url and not url.startswith(kinds):
            raise ValueError(f"must start with {' or '.join(kinds)}")  # never the URL: there may be a password in it
        return url

    @field_validator("slots")
    @classmethod
    def _slots(cls, given: dict[str, Slot]) -> dict[str, Slot]:
        return SLOTS | given

    @model_validator(mode="after")
    def _rules_can_work(self) -> "Settings":
        models = catalogue.load(self.catalogue)
        for number, rule in enumerate(self.rules):
            where = f"rules.{number} ({rule.name})"
            if any(rule.name == other.name for other in self.rules[:number]):
                raise ValueError(f"{where}.name: there is another rule of this name")
            _known(f"{where}.site", rule.site, self.sites)
            _known(f"{where}.slot", rule.slot, self.slots)
            for model in rule.models:
                _known(f"{where}.models", model, models)
                self._can_draw(where, models[model].generator)
            models[rule.models[0]].settle(rule.options)
            self._final_can_draw(where, rule, models)
            _readable(where, rule)
        return self

    @model_validator(mode="after")
    def _notices_can_come(self) -> "Settings":
        rules = [rule.name for rule in self.rules]
        for name, notice in self.notices.items():
            for site in notice.sites:
                _known(f"notices.{name}.sites", site, self.sites)
            for rule in notice.rules:
                _known(f"notices.{name}.rules", rule, rules)
        return self

    def _final_can_draw(self, where: str, rule: Rule, models: dict[str, Model]) -> None:
        if not rule.final:
            return
        _known(f"{where}.final", rule.final, models)
        self._can_draw(where, models[rule.final].generator)
        if "edit" not in models[rule.final].tasks:
            can = ", ".join(name for name, model in models.items() if "edit" in model.tasks)
            raise ValueError(f"{where}.final: {rule.final} cannot start from a picture; these can: {can}")
        if rule.review == "never":
            raise ValueError(f'{where}.final: with review = "never" nobody approves drafts; name it in models')

    def _can_draw(self, where: str, generator: str) -> None:
        if generator not in self.generators:
            _own(catalogue.make(generator).Settings, ("generators", generator), {}, f" (needed by {where}.models)")

    def generator(self, name: str) -> tuple[type[Generator], GeneratorSettings]:
        """The class behind the generator of that name, and its settings or their defaults. Raises `ConfigProblem`."""
        given = self.generators.get(name)
        kind = catalogue.make((given and given.generator) or name)
        return kind, given or kind.Settings()

    def most_at_once(self, generator: str) -> int:
        """How many tasks the service lets us have at once; 0 = any number, also where it is not configured any more."""
        try:
            return self.generator(generator)[0].active
        except (ConfigProblem, ValidationError):
            return 0

    def in_use(self) -> dict[str, list[str]]:
        """The generators that are configured or that rules draw with, and the names they have for the rules' models."""
        models = catalogue.load(self.catalogue)
        found: dict[str, list[str]] = {name: [] for name in self.generators}
        for name in dict.fromkeys(name for rule in self.rules for name in rule.draw_with):
            found.setdefault(models[name].generator, []).append(models[name].name)
        return found

    @property
    def database(self) -> str:
        """The database's URL: the one set, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data.absolute() / 'frontispiece.db'}"

    @property
    def storage(self) -> str:
        """Where images lie: the URL set, or a folder in the data folder."""
        return self.storage_url or str(self.data.absolute() / "images")


def load(path: Path | None = None) -> Settings:
    """The settings from a file (default `FRONTISPIECE_CONFIG` or ./frontispiece.toml). Raises `ConfigProblem`."""
    path = path or _path()
    given = read(path)
    key = os.environ.get("BFL_API_KEY")
    if key:
        given.setdefault("generators", {}).setdefault("bfl", {}).setdefault("api_key", key)
    secretfiles.add(given)
    try:
        return Settings(**given)
    except ValidationError as problem:
        raise ConfigProblem(_words(str(path), problem)) from None


def _path() -> Path:
    return Path(os.environ.get("FRONTISPIECE_CONFIG", "frontispiece.toml"))


def read(path: Path | None = None) -> dict[str, Any]:
    """What the file says, unchecked. Raises `ConfigProblem` where it is no TOML."""
    path = path or _path()
    try:
        return tomllib.loads(path.read_text("utf8")) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigProblem(f"{path} is not valid TOML: {problem}") from problem


def _words(file: str, problem: ValidationError, inside: tuple[str, ...] = (), note: str = "") -> str:
    lines = []
    for error in problem.errors():
        place = ".".join(str(part) for part in (*inside, *error["loc"]) if part != "")
        said = error["msg"].removeprefix("Value error, ") + note
        if place.endswith(".webhook_secret") and error["type"] == "missing":
            said += f" (`frontispiece connect {place.split('.')[1]}` makes one and keeps it)"
        lines.append(f"{file}: {place}: {said}".replace(": : ", ": "))
    return "\n".join(lines)


def _site(name: str, keys: Any) -> SiteSettings:
    if not isinstance(keys, dict) or "plugin" not in keys:
        raise ValueError(f"sites.{name}.plugin is missing; there are: {', '.join(cms.names())}")
    try:
        return _own(cms.load(keys["plugin"]).Settings, ("sites", name), keys)
    except ConfigProblem as problem:
        raise ValueError(f"sites.{name}.plugin: {problem}") from None


def _generator(name: str, keys: Any) -> GeneratorSettings:
    try:
        kind = catalogue.make(keys.get("generator", name) if isinstance(keys, dict) else name)
    except ConfigProblem as problem:
        raise ValueError(f"generators.{name}.generator: {problem}") from None
    return _own(kind.Settings, ("generators", name), keys)


def _own(kind: type[T], inside: tuple[str, str], keys: Any, note: str = "") -> T:
    try:
        return kind.model_validate(keys)
    except ValidationError as problem:
        raise ValueError(_words("", problem, inside, note).removeprefix(": ")) from None


def _known(where: str, name: str, there: Collection[str]) -> None:
    if name not in there:
        near = get_close_matches(name, there, n=NEAR, cutoff=0) if len(there) > 2 * NEAR else sorted(there)
        others = f" and {len(there) - len(near)} others" if len(near) < len(there) else ""
        raise ValueError(f"{where}: there is no {name!r}; there are: {', '.join(near) or 'none'}{others}")


def _readable(where: str, rule: Rule) -> None:
    try:
        prompts.load(rule.template)
        prompts.brand(rule.brand)
    except (TemplateProblem, ConfigProblem) as problem:
        raise ValueError(f"{where}: {problem}") from None
