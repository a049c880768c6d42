"""The adapter seam: how plugins are found, and how a CMS's answers become our errors."""

from pathlib import Path

import httpx
import pytest

from frontispiece import cms
from frontispiece.errors import CmsProblem, ConfigProblem, Gone, NotAllowed, Unavailable


def answering(status: int, text: str = "its own words", **headers: str) -> httpx.Client:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = httpx.Response(status, text=text, headers=named)
    return httpx.Client(base_url="https://cms.example", transport=httpx.MockTransport(lambda _: answer))


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


def test_every_folder_with_an_adapter_is_a_plugin() -> None:
    assert {"generic", "wordpress"} <= set(cms.names())


def test_an_operators_own_folder_is_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "homemade").mkdir()
    source = (Path(__file__).parent.parent / "plugins" / "generic" / "adapter.py").read_text()
    (tmp_path / "homemade" / "adapter.py").write_text(source.replace('title = "', 'title = "My '))
    monkeypatch.setenv("FRONTISPIECE_PLUGINS", str(tmp_path))

    assert cms.load("homemade").title.startswith("My ")


def test_an_adapter_may_import_what_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "halved").mkdir()
    (tmp_path / "halved/words.py").write_text('TITLE = "Halved"')
    source = (
        "from frontispiece.cms import Adapter\nfrom .words import TITLE\nclass Halved(Adapter):\n    title = TITLE\n"
    )
    (tmp_path / "halved/adapter.py").write_text(source)
    monkeypatch.setenv("FRONTISPIECE_PLUGINS", str(tmp_path))

    assert cms.load("halved").title == "Halved"


def test_a_plugin_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigProblem, match=r"no plugin 'typo3'; there are: .*generic"):
        cms.load("typo3")


def test_a_good_answer_comes_back() -> None:
    with answering(201) as api:
        assert cms.call(api, "POST", "/posts").status_code == 201


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (404, Gone),
        (410, Gone),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
        (401, NotAllowed),
        (403, CmsProblem),
        (302, CmsProblem),
    ],
)
def test_a_bad_answer_is_told_in_the_cms_own_words(status: int, problem: type[CmsProblem]) -> None:
    with answering(status) as api, pytest.raises(CmsProblem, match="its own words") as caught:
        cms.call(api, "GET", "/posts/1")

    assert type(caught.value) is problem


def test_a_cms_that_asks_to_wait_is_heard() -> None:
    with answering(429, Retry_After="30") as api, pytest.raises(Unavailable) as caught:
        cms.call(api, "GET", "/posts/1")

    assert caught.value.seconds == 30


def test_a_cms_that_is_away_may_be_tried_again() -> None:
    with httpx.Client(base_url="https://cms.example", transport=httpx.MockTransport(unreachable)) as api:
        with pytest.raises(Unavailable, match="no route") as caught:
            cms.call(api, "GET", "/posts/1")

        assert caught.value.retry
