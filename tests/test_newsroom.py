"""The Gazette alone: what it publishes, what it sends, and which pictures it takes."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import demo, gazette
from servers.gazette import TOKEN, Newsroom, Receiver, form, taken_apart
from standardwebhooks import Webhook

from frontispiece.demo import run, stories
from frontispiece.demo.newsroom import SECTIONS
from frontispiece.demo.setting import Setting

KEY = {"Authorization": f"Bearer {TOKEN}"}
FILE = {"picture": ("bread-hero.webp", b"RIFF....WEBP", "image/webp")}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with gazette.receive() as there:
        yield there


@pytest.fixture
def newsroom(tmp_path: Path, receiver: Receiver) -> Iterator[Newsroom]:
    with gazette.serve(tmp_path, receiver.url) as there:
        yield there


@pytest.fixture
def reader(newsroom: Newsroom) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=newsroom.url, trust_env=False) as client:
        yield client


def write(reader: httpx.Client, **changes: str) -> str:
    """The address of a new article."""
    return reader.post("/write", data=form(**changes)).headers["Location"]


def put(reader: httpx.Client, page: str, expects: str = "", key: str = "bread-hero.webp") -> httpx.Response:
    """A picture for the article, as the generic plugin sends it."""
    fields = {"alt": "A loaf on a board", "caption": "", "expects": expects}
    headers = {**KEY, "Idempotency-Key": key}
    return reader.post(f"/frontispiece/entries/{ref(page)}/picture", data=fields, files=FILE, headers=headers)


def ref(page: str) -> str:
    return page.rsplit("/", 1)[1]


def delivered(receiver: Receiver) -> dict[str, Any]:
    """The next delivery's body."""
    said: dict[str, Any] = json.loads(taken_apart(receiver.requests.get(timeout=10))[1])
    return said


def test_a_published_article_is_announced_with_a_good_signature(reader: httpx.Client, receiver: Receiver) -> None:
    write(reader)
    headers, body = taken_apart(receiver.requests.get(timeout=10))
    said = Webhook(gazette.SECRET).verify(body, headers)
    assert (said["type"], said["data"]["title"], said["data"]["image"]) == ("entry.published", "Bread at Dawn", None)


def test_a_delivery_is_sent_again_under_the_same_id_while_the_service_is_away(
    reader: httpx.Client, receiver: Receiver
) -> None:
    receiver.answers += [503, 503]
    write(reader)
    sent = [taken_apart(receiver.requests.get(timeout=10))[0]["webhook-id"] for _ in range(3)]
    assert len(set(sent)) == 1


def test_a_refused_delivery_is_not_sent_again(newsroom: Newsroom, reader: httpx.Client, receiver: Receiver) -> None:
    receiver.answers += [401]
    write(reader, title="Refused")
    delivered(receiver)
    write(reader, title="The next one")
    assert delivered(receiver)["data"]["title"] == "The next one"
    refused = newsroom.archive.last_message(7)
    assert refused is not None
    assert refused.state == "refused"


def test_a_message_outlives_the_newsroom(tmp_path: Path, receiver: Receiver) -> None:
    with gazette.serve(tmp_path, "http://127.0.0.1:1/hooks/gazette") as first:
        httpx.post(f"{first.url}/write", data=form(), trust_env=False)
    with gazette.serve(tmp_path, receiver.url):
        assert delivered(receiver)["data"]["title"] == "Bread at Dawn"


def test_a_draft_is_announced_as_created_and_kept_from_readers(reader: httpx.Client, receiver: Receiver) -> None:
    page = write(reader, act="draft")
    said = delivered(receiver)
    assert (said["type"], said["data"]["status"]) == ("entry.created", "draft")
    front = reader.get("/").text
    assert front.index("Drafts in the newsroom") < front.index(page)


def test_a_draft_stays_a_draft_when_a_picture_comes(newsroom: Newsroom, reader: httpx.Client) -> None:
    page = write(reader, act="draft")
    assert put(reader, page).status_code == 200
    article = newsroom.archive.article(int(ref(page)))
    assert article is not None
    assert (article.status, article.picture is None) == ("draft", False)


def test_a_draft_that_is_published_is_announced_as_published(reader: httpx.Client, receiver: Receiver) -> None:
    page = write(reader, act="draft")
    reader.post(f"{page}/edit", data=form())
    assert [delivered(receiver)["type"] for _ in range(2)] == ["entry.created", "entry.published"]


def test_a_deleted_article_is_announced_by_its_id_alone(reader: httpx.Client, receiver: Receiver) -> None:
    page = write(reader)
    reader.post(f"{page}/delete")
    delivered(receiver)
    said = delivered(receiver)
    assert (said["type"], said["data"]) == ("entry.deleted", {"id": ref(page)})


def test_the_page_waits_for_the_picture_and_then_shows_it(reader: httpx.Client) -> None:
    page = write(reader)
    assert "data-waiting" in reader.get(page).text
    assert '<meta http-equiv="refresh"' in reader.get(page).text
    put(reader, page)
    assert '<img src="/pictures/7-bread-hero.webp" alt="A loaf on a board"' in reader.get(page).text
    assert reader.get("/pictures/7-bread-hero.webp").content == FILE["picture"][1]


@pytest.mark.real
def test_the_picture_arrives_in_an_open_page(reader: httpx.Client, newsroom: Newsroom) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{newsroom.url}/write")
        page.get_by_role("button", name="Publish").click()
        page.get_by_text("No picture yet").wait_for()
        put(reader, page.url)
        page.get_by_alt_text("A loaf on a board").wait_for()
        browser.close()


def test_the_same_picture_sent_twice_is_one_picture(newsroom: Newsroom, reader: httpx.Client) -> None:
    page = write(reader)
    assert put(reader, page).json() == put(reader, page).json()
    assert len(list(newsroom.archive.pictures.glob("7-*"))) == 1


def test_a_persons_picture_is_not_replaced(reader: httpx.Client) -> None:
    page = write(reader)
    reader.post(f"{page}/picture", data={"alt": "My own loaf"}, files=FILE)
    assert put(reader, page).status_code == 409
    assert "My own loaf" in reader.get(page).text


def test_a_picture_that_was_replaced_by_a_person_does_not_come_back(reader: httpx.Client) -> None:
    page = write(reader)
    put(reader, page)
    reader.post(f"{page}/picture", data={"alt": "My own loaf"}, files=FILE)
    assert put(reader, page).status_code == 409


def test_a_picture_taken_back_leaves_the_one_before(reader: httpx.Client) -> None:
    page = write(reader)
    first = put(reader, page).json()["id"]
    second = put(reader, page, expects=first, key="bread-hero-2.webp").json()["id"]
    query = {"expects": second, "restore": first}
    reader.delete(f"/frontispiece/entries/{ref(page)}/picture", params=query, headers=KEY)
    assert reader.get(f"/frontispiece/entries/{ref(page)}", headers=KEY).json()["image"]["id"] == first


def test_the_machine_faces_want_the_token(reader: httpx.Client) -> None:
    assert reader.get("/frontispiece/entries").status_code == 401


def test_a_form_of_another_site_is_refused(reader: httpx.Client) -> None:
    answer = reader.post("/write", data=form(), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_a_file_that_no_browser_shows_is_refused(reader: httpx.Client) -> None:
    page = write(reader)
    program = {"picture": ("loaf.exe", b"MZ", "application/x-dosexec")}
    answer = reader.post(f"{page}/picture", data={"alt": "?"}, files=program)
    assert answer.status_code == 415


def test_every_story_fits_the_form_and_is_told_once() -> None:
    every = [*stories.OLDER, *stories.TODAY, *stories.SUGGESTIONS]
    assert {frozenset(story) for story in every} == {frozenset(form()) - {"act"}}
    assert {story["section"] for story in stories.TODAY} == set(SECTIONS)
    assert len({story["title"] for story in every}) == len(every)


def test_the_first_days_stories_reach_the_service(newsroom: Newsroom, receiver: Receiver) -> None:
    with httpx.Client(base_url=newsroom.url, trust_env=False) as client:
        run.publish_all(client)
    assert [delivered(receiver)["data"]["title"] for _ in stories.TODAY] == [one["title"] for one in stories.TODAY]


def test_a_later_start_publishes_nothing_and_makes_nobody(tmp_path: Path) -> None:
    run.open_desk(Setting(tmp_path, 1, 1, {"desk_password": "kept"}))  # nobody listens there
    assert list(tmp_path.iterdir()) == []


def test_the_demo_says_where_to_go_and_how_to_log_in(tmp_path: Path) -> None:
    told = demo.read(run.invitation(Setting(tmp_path, 8460, 8461, {"desk_password": "kept"})))
    assert told == demo.Demo("http://127.0.0.1:8460/desk", "http://127.0.0.1:8461", "demo", "kept")
