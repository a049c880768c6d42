"""A product's own photographs go along to models that draw from references."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from PIL import Image
from servers.bfl import BflServer
from servers.serving import Serving
from sqlalchemy import select
from world import World, written

from frontispiece import migrate
from frontispiece.config import load
from frontispiece.house import House
from frontispiece.models import Render, State


class Shop:
    """A home-made shop with one product; `photos` are the addresses of its photographs."""

    def __init__(self) -> None:
        app = Flask(__name__)
        app.add_url_rule("/frontispiece/entries/<ref>", view_func=self._entry)
        app.add_url_rule("/photos/<name>", view_func=self._photo)
        self.serving = Serving(app)
        self.photos = [f"{self.serving.url}/photos/jar.png"]

    def _entry(self, ref: str) -> dict[str, Any]:
        return {"id": ref, "kind": "product", "title": "A jar of honey", "photos": self.photos}

    def _photo(self, name: str) -> Response:
        if name != "jar.png":
            return Response(status=404)
        file = io.BytesIO()
        Image.new("RGB", (320, 240), "#caa53d").save(file, "PNG")
        return Response(file.getvalue(), mimetype="image/png")


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    made.serving.start()
    yield made
    made.serving.stop()


Draw = Callable[..., World]


@pytest.fixture
def draw(tmp_path: Path, shop: Shop, bfl: BflServer) -> Iterator[Draw]:
    """Makes a world in which a picture of the shop's product was wanted."""
    worlds: list[World] = []

    def make(models: str = '["flux-2-pro"]') -> World:
        worlds.append(_drawn(tmp_path, shop, bfl, models))
        return worlds[-1]

    yield make
    for world in worlds:
        world.house.close()


def _drawn(folder: Path, shop: Shop, bfl: BflServer, models: str) -> World:
    rule = f'kind = "product"\nslot = "listing"\ntemplate = "product/listing"\nmodels = {models}'
    keys = f'[generators.bfl]\napi_key = "{bfl.key}"\nbase_url = "{bfl.url}"'
    config = written(folder, shop.serving.url, rule, keys)
    migrate.upgrade(load(config))
    nobody: Any = None  # there is no newspaper here
    world = World(House(load(config)), nobody, config)
    world.deliver(1)
    world.draw()
    return world


def first(world: World) -> Render:
    with world.house.database.read() as session:
        return session.scalars(select(Render).order_by(Render.id)).all()[0]


def test_a_photograph_of_the_product_goes_along(draw: Draw) -> None:
    world = draw()
    assert (world.state(), first(world).task, len(first(world).given)) == (State.IN_REVIEW, "references", 1)


def test_the_prompt_speaks_of_the_photograph(draw: Draw) -> None:
    assert "exactly the product of the reference photograph" in first(draw()).prompt


def test_without_photographs_words_must_do(draw: Draw, shop: Shop) -> None:
    shop.photos = []
    render = first(draw())
    assert (render.task, "reference" in render.prompt) == ("text-to-image", False)


def test_a_photograph_that_is_gone_stops_nothing(draw: Draw, shop: Shop) -> None:
    shop.photos = [f"{shop.serving.url}/photos/gone.png"]
    assert draw().state() == State.IN_REVIEW


def test_a_photograph_at_a_private_address_is_not_fetched(draw: Draw, shop: Shop) -> None:
    elsewhere = Shop()
    elsewhere.serving.start()
    shop.photos = elsewhere.photos
    try:
        assert first(draw()).task == "text-to-image"
    finally:
        elsewhere.serving.stop()


def test_no_more_photographs_go_along_than_the_rule_says(draw: Draw, shop: Shop) -> None:
    shop.photos = shop.photos * 3
    assert len(first(draw()).given) == 1


def test_a_model_without_references_draws_from_words(draw: Draw) -> None:
    assert first(draw('["sketch"]')).task == "text-to-image"


def test_where_the_first_model_cannot_the_next_draws_from_words(draw: Draw, bfl: BflServer) -> None:
    bfl.misbehave("no-credit")
    world = draw('["flux-2-pro", "sketch"]')
    assert world.state() == State.IN_REVIEW
