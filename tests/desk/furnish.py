"""A house with illustrations in every state, for the tests of the web faces and for looking at them."""

import io
import json
import re
import secrets
import time
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw, ImageFilter
from sqlalchemy import select
from werkzeug.test import TestResponse

from frontispiece import accounts
from frontispiece.cms import Entry
from frontispiece.config import Settings
from frontispiece.house import House
from frontispiece.models import (
    Base,
    Candidate,
    Illustration,
    Login,
    Publication,
    Render,
    RenderState,
    Review,
    State,
    User,
)
from frontispiece.models import Entry as EntryRow
from frontispiece.records import sought
from frontispiece.tables import Rule
from frontispiece.web import faces

SECRET = "whsec_" + "c2VjcmV0" * 6
PROMPT = (
    "A wide editorial photograph of a stone lighthouse on a low headland at first light, gulls turning above the "
    "lantern room, wet basalt in the foreground. Shot on a 35 mm lens at f/5.6, soft side light, fine grain."
)
STORIES = (
    (
        "The last keeper of Skerry Light hands in his keys",
        "City",
        "After forty-one winters the lamp is switched by wire.",
    ),
    ("Why the river smells of cucumber in May", "Science", "A small fish, a short spawning season and a warm spring."),
    ("Bread that takes three days, and is worth four", "Food", "Rye, patience and a cellar that never warms up."),
    ("Night trains return to the coast", "Travel", "Two sleepers a week, with bicycles and a bar that stays open."),
    ("A library that lends out rain barrels, drills and one accordion with a slightly sticky middle C", "Culture", ""),
    ("What bees hear", "Science", "Researchers hung microphones in 300 flowers."),
    ("The market hall keeps its clock", "City", "Councillors voted nine to two after a summer of letters."),
    ("Painting with soot", "Culture", "An exhibition in which every picture was once smoke."),
    ("Ferry timetable for winter: what changes on Monday", "City", "Fewer crossings, a later last boat."),
    ("Tea from the roadside", "Food", "Lime flower, mugwort, and what to leave alone."),
    ("The bridge opens at six", "City", "First the pedestrians, then everybody else."),
    ("Walking the old postal road", "Travel", "Eighty kilometres, four inns and one very good pie."),
)


def house(folder: Path, *sites: str, **server: Any) -> House:
    """An empty house whose sites are connected by the generic plugin to an address where nobody listens."""
    site = {"plugin": "generic", "url": "http://127.0.0.1:9", "webhook_secret": SECRET, "api_token": "gazette"}
    names = sites or ("gazette", "shop")
    rules = [Rule(name=f"{name}-hero", site=name, models=["sketch"]) for name in names]
    given: dict[str, Any] = {"data": folder, "sites": dict.fromkeys(names, site), "rules": rules, "server": server}
    made = House(Settings(**given))
    Base.metadata.create_all(made.database.engine)
    return made


whole = cache(faces.application)  # pages are compiled once for all tests


def app(open_house: House) -> Flask:
    """The web faces, with this house behind them from now on."""
    made = whole()
    made.extensions |= {"house": open_house, "nudge": lambda: 0}
    return made


def picture(number: int, width: int = 1600, height: int = 900) -> bytes:
    """A landscape of shapes, each number another one; `width` × `height` pixels, as PNG."""
    hue = number * 47 % 360
    sky = Image.linear_gradient("L").resize((width, height))
    image = Image.composite(
        Image.new("RGB", (width, height), f"hsl({hue}, 45%, 72%)"),
        Image.new("RGB", (width, height), f"hsl({(hue + 40) % 360}, 55%, 38%)"), sky,
    )  # fmt: skip
    draw = ImageDraw.Draw(image)
    sun = width * (20 + number * 13 % 60) // 100, height * 38 // 100
    draw.circle(sun, height // 9, f"hsl({(hue + 180) % 360}, 80%, 86%)")
    for row in range(4):
        step = width // 6
        ridge = [(x * step, height * (48 + row * 13) // 100 + (x * 97 + number * 31 + row * 57) % 90) for x in range(8)]
        draw.polygon([(0, height), *ridge, (width, height)], f"hsl({(hue + row * 9) % 360}, 38%, {46 - row * 11}%)")
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def entry(number: int, **fields: Any) -> Entry:
    """The story of that number, as a CMS would tell it."""
    title, section, excerpt = STORIES[number % len(STORIES)]
    told = Entry(
        f"posts/{number}", "article", title, excerpt=excerpt, section=section, body=excerpt * 3,
        tags=(section.lower(), "weekend"), url=f"http://127.0.0.1:9/articles/{number}",
        edit_url=f"http://127.0.0.1:9/articles/{number}/edit",
    )  # fmt: skip
    return replace(told, **fields)


def illustration(
    open_house: House,
    state: State = State.IN_REVIEW,
    number: int = 0,
    *,
    site: str = "gazette",
    candidates: int = 1,
    data: bytes = b"",
    told: Entry | None = None,
    **fields: Any,
) -> int:
    """One illustration in that state, with so many candidates; its id."""
    told = told or entry(number)
    with open_house.database.write() as session:
        row = EntryRow(site=site, ref=told.ref, locale=told.locale, kind=told.kind, title=told.title)
        row.section = told.section
        row.fetched = time.time()
        row.snapshot = json.loads(json.dumps(asdict(told)))
        one = Illustration(entry=row, rule=f"{site}-hero", slot="hero", state=state, **sought(site, told))
        one.prompt, one.alt, one.template = PROMPT, f"Drawing for “{told.title}”", "article/hero@3f2a"
        for name, value in fields.items():
            setattr(one, name, value)
        session.add(one)
        session.flush()
        for at in range(candidates):
            _candidate(open_house, session, one, number * 7 + at, data)
        if state in (State.APPROVED, State.PUBLISHING, State.PUBLISHED, State.REVERTED):
            session.flush()
            _decided(session, one)
        return one.id


def _candidate(open_house: House, session: Any, one: Illustration, seed: int, data: bytes) -> None:
    render = Render(
        illustration_id=one.id, model="sketch", prompt=PROMPT, seed=seed * 7919 + 12, width=1600, height=900
    )
    render.state, render.cost, render.images, render.options = RenderState.DONE, 0.03, [], {}
    session.add(render)
    session.flush()
    key = f"renders/{render.id}-{seed}"
    open_house.storage.put(key, data or picture(seed), "image/png")
    made = Candidate(illustration_id=one.id, render_id=render.id, number=0, image=key, mime="image/png")
    made.width, made.height = (1600, 900)
    session.add(made)
    session.flush()
    if one.state in (State.APPROVED, State.PUBLISHING, State.PUBLISHED, State.REVERTED):
        one.chosen_id = made.id


def _decided(session: Any, one: Illustration) -> None:
    session.add(Review(illustration_id=one.id, decision="approve", candidate_id=one.chosen_id, by="Jo"))
    if one.state in (State.PUBLISHED, State.REVERTED):
        written = Publication(illustration_id=one.id, candidate_id=one.chosen_id, site=one.entry.site, name="hero.webp")
        written.media_id, written.receipt, written.finished = "m1", {}, time.time()
        session.add(written)


class Browser:
    """Somebody at the desk: keeps cookies and sends the form token that the pages carry."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **request: Any) -> TestResponse:
        return self.client.get(path, buffered=True, **request)

    def form_token(self) -> str:
        found = re.search(r'name="token" value="(\w+)"', self.get("/desk", follow_redirects=True).text)
        assert found
        return found[1]

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, buffered=True, data={"token": self.form_token(), **fields})


class Web:
    """A house with its faces; people are let in without the slow check of a password."""

    def __init__(self, folder: Path, **server: Any) -> None:
        self.house = house(folder, **server)
        self.app = app(self.house)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.house.database.engine.dispose()

    def nobody(self) -> Browser:
        return Browser(self.app.test_client())

    def browser(self, role: str = "editor", name: str = "") -> Browser:
        client = self.app.test_client()
        client.set_cookie("frontispiece", self.login(role, name))
        return Browser(client)

    def login(self, role: str = "editor", name: str = "") -> str:
        """The key of a new login of somebody with that role, for a cookie."""
        name, key = name or f"Jo {role.title()}", secrets.token_urlsafe()
        with self.house.database.write() as session:
            user = session.scalar(select(User).where(User.name == name)) or User(name=name, role=role, password="!")
            session.add(user)
            session.flush()
            session.add(Login(key=accounts._digest(key), user_id=user.id))
        return key

    def token(self, scope: str = "review", site: str = "", name: str = "WordPress") -> dict[str, str]:
        return {"Authorization": f"Bearer {accounts.add_token(self.house.database, name, scope, site)}"}

    def illustration(self, state: State = State.IN_REVIEW, number: int = 0, **fields: Any) -> int:
        return illustration(self.house, state, number, **{"data": DOT, **fields})

    def one(self, number: int) -> Illustration:
        with self.house.database.read() as session:
            found = session.get(Illustration, number)
            assert found
            return found

    def candidate(self, number: int) -> int:
        with self.house.database.read() as session:
            return session.scalars(select(Candidate.id).where(Candidate.illustration_id == number)).all()[-1]

    def renders(self, number: int) -> list[Render]:
        with self.house.database.read() as session:
            return list(session.scalars(select(Render).where(Render.illustration_id == number).order_by(Render.id)))

    def reviews(self, number: int) -> list[tuple[str, str, str]]:
        with self.house.database.read() as session:
            rows = session.scalars(select(Review).where(Review.illustration_id == number).order_by(Review.id))
            return [(row.decision, row.by, row.reason) for row in rows]


DOT = picture(3, 640, 360)
