"""A house of `furnish` whose pictures are drawn by Black Forest Labs' stand-in, for the tests of what changes them."""

from pathlib import Path
from typing import Any, cast

from desk.furnish import SECRET, Web, app, picture
from servers.bfl import BflServer, Task
from sqlalchemy import select
from world import Paper, World

from frontispiece.config import Settings
from frontispiece.house import House
from frontispiece.models import Base, Candidate, Review

ENTRY = {"plugin": "generic", "url": "http://127.0.0.1:9", "webhook_secret": SECRET, "api_token": "gazette"}


class Studio(Web):
    """`rule` are keys of both sites' rules, `more` of the settings."""

    def __init__(self, folder: Path, bfl: BflServer, rule: dict[str, Any] | None = None, **more: Any) -> None:
        self.bfl = bfl
        rules = [
            {"name": f"{site}-hero", "site": site, "models": ["flux-2-pro"]} | (rule or {})
            for site in ("gazette", "shop")
        ]
        given: dict[str, Any] = {"data": folder, "sites": {"gazette": ENTRY, "shop": ENTRY}, "rules": rules}
        given["generators"] = {"bfl": {"api_key": bfl.key, "base_url": bfl.url}}
        self.house = House(Settings(**given | more))
        Base.metadata.create_all(self.house.database.engine)
        self.app = app(self.house)

    def __exit__(self, *_: object) -> None:
        self.house.close()

    def draw(self) -> None:
        """Everything from what is due to pictures that wait for an editor."""
        self.bfl.advance(10)
        world = World(self.house, cast("Paper", None), Path())
        world.run()
        self.bfl.advance(10)
        world.follow()
        world.run()

    def got(self) -> Task:
        """What the service was asked for last."""
        return list(self.bfl.tasks.values())[-1]

    def last_review(self, number: int) -> Review:
        with self.house.database.read() as session:
            rows = session.scalars(select(Review).where(Review.illustration_id == number).order_by(Review.id))
            return list(rows)[-1]

    def candidates(self, number: int) -> list[Candidate]:
        with self.house.database.read() as session:
            rows = session.scalars(select(Candidate).where(Candidate.illustration_id == number).order_by(Candidate.id))
            return list(rows)

    def large(self, number: int = 0, **fields: Any) -> int:
        """An illustration whose candidate is as large as it says."""
        return self.illustration(number=number, data=picture(number, 1600, 900), **fields)
