"""What the tests that hold for every CMS ask of a real one: to be started and stopped, and to be written to as its
own editors do. Each `servers/<plugin>.py` has a subclass called `Server`.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Literal

from frontispiece.cms import Adapter, load

__all__ = ["SECRET", "Site", "State"]

State = Literal["draft", "published", "changed"]  # changed = published, with an editor's unpublished changes on top
SECRET = "whsec_ZnJvbnRpc3BpZWNlIHRlc3Qgc2VjcmV0LCAzMiBieS4="


class Site(ABC):
    """One CMS in a folder of its own, on a port of its own, with an editor and a user for Frontispiece.

    Everything is done through the CMS's own API as a person or its admin interface would, never through our adapter.
    """

    plugin: ClassVar[str]  # the folder in plugins/
    version: ClassVar[str]  # of the CMS
    kind: ClassVar[Literal["article", "product"]] = "article"  # of its entries
    real: ClassVar[bool] = True  # the CMS itself, and no stand-in
    states: ClassVar[tuple[State, ...]] = ("draft", "published", "changed")  # those that the CMS knows
    url: str
    keys: dict[str, Any]  # its table [sites.<name>], all but plugin, url and webhook_secret

    @abstractmethod
    def __init__(self, folder: Path) -> None:
        """Prepares the site in an empty folder, from what `installed` has once built; starts nothing."""

    @abstractmethod
    def start(self) -> None:
        """Returns when the CMS answers and is set up; what was there before a stop is there again."""

    @abstractmethod
    def stop(self) -> None:
        """Ends it as abruptly as a power cut does."""

    @abstractmethod
    def hook(self, address: str) -> None:
        """Has it send deliveries there from now on, as the plugin's README or its `connect` has it done."""

    @abstractmethod
    def create(self, state: State, title: str = "A day at sea") -> str:
        """A new entry in this state; its `ref` as the adapter calls it. `changed`: the title gets " (changed)"."""

    @abstractmethod
    def state(self, ref: str) -> State:
        """Which state the entry is in now."""

    @abstractmethod
    def title(self, ref: str) -> str:
        """The title that editors see, with unpublished changes."""

    @abstractmethod
    def public_title(self, ref: str) -> str:
        """The title that visitors see; "" for a draft."""

    @abstractmethod
    def image(self, ref: str) -> str:
        """Id or address of the image that editors see on the entry, in whatever form compares well; "" = none."""

    @abstractmethod
    def alt(self, ref: str) -> str:
        """The alt text of that image."""

    @abstractmethod
    def set_image(self, ref: str, data: bytes) -> None:
        """An editor uploads a PNG of their own and puts it on the entry, in place of whatever was there."""

    @abstractmethod
    def rename(self, ref: str, title: str) -> None:
        """An editor gives the entry another title, and saves it in the state it is in."""

    @abstractmethod
    def delete(self, ref: str) -> None:
        """An editor deletes the entry."""

    @abstractmethod
    def pictures(self) -> int:
        """How many files are in the media library (for a shop without one: on all its products)."""

    def adapter(self, **other: Any) -> Adapter:
        """Our adapter for this site."""
        kind = load(self.plugin)
        facts = {"plugin": self.plugin, "url": self.url, "webhook_secret": SECRET}
        return kind(kind.Settings.model_validate({**facts, **self.keys, **other}))
