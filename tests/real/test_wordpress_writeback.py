"""What the adapter writes into a real WordPress, what it leaves alone, and how it meets trouble."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from adapters import Meanwhile
from PIL import Image
from servers.wordpress import SUITES, WordPress, running

from frontispiece.cms import Adapter, CmsProblem, Conflict, Current, Entry, Gone, Picture, Unavailable

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module", params=SUITES)
def site(request: pytest.FixtureRequest) -> Iterator[WordPress]:
    with running(request.param, "http://127.0.0.1:9") as wordpress:  # nobody listens: saving must not need it
        yield wordpress


def picture(number: int, kind: str = "webp", **changes: Any) -> Picture:
    """A picture of 640 × 360 (few sizes to make) whose bytes depend on the number."""
    file = io.BytesIO()
    Image.new("RGB", (640, 360), (number % 256, 90, 120)).save(file, kind)
    usual = Picture(
        name=f"frontispiece-{number}.{kind}",
        mime=f"image/{kind}",
        data=file.getvalue(),
        width=640,
        height=360,
        alt="A boat leaves the harbour",
        caption="Drawing: A < B & Co",
    )
    return replace(usual, **changes)


def written(site: WordPress, adapter: Adapter, api: httpx.Client, **fields: Any) -> tuple[Entry, Picture]:
    """A new post as the adapter reads it, and a picture for it."""
    number = site.post(**fields)["id"]
    return adapter.fetch(api, f"posts/{number}"), picture(number)


def attachments(site: WordPress, entry: Entry) -> list[dict[str, Any]]:
    with site.api("admin") as admin:
        found = admin.get("/wp/v2/media", params={"parent": entry.ref.split("/")[1], "context": "edit"})
    media: list[dict[str, Any]] = found.raise_for_status().json()
    return media


def set_by_a_person(site: WordPress, entry: Entry) -> int:
    """The id of a featured image that an editor has just set."""
    person = picture(0, "png")
    with site.api("editor") as editor:
        number = editor.post("/wp/v2/media", files={"file": (person.name, person.data, person.mime)}).json()["id"]
        editor.post(f"/wp/v2/{entry.ref}", json={"featured_media": number}).raise_for_status()
    return int(number)


class _CutOff(httpx.BaseTransport):
    """Goes through to WordPress until a request to this path, which is lost."""

    def __init__(self, path: str) -> None:
        self.path, self.real = path, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith(self.path):
            raise httpx.ReadError("the connection was cut")
        return self.real.handle_request(request)

    def close(self) -> None:
        self.real.close()


def test_an_entry_in_the_bin_is_gone(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api)
    with site.api("editor") as editor:
        editor.delete(f"/wp/v2/{entry.ref}").raise_for_status()
    with pytest.raises(Gone):
        adapter.fetch(api, entry.ref)
    with pytest.raises(Gone):
        adapter.attach(api, entry, shown)


def test_the_picture_arrives_with_its_words(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api)
    receipt = adapter.attach(api, entry, shown)
    [media] = attachments(site, entry)
    assert (media["alt_text"], media["title"]["raw"]) == (shown.alt, entry.title)
    assert media["caption"]["raw"] == "Drawing: A &lt; B &amp; Co"
    assert adapter.fetch(api, entry.ref).image == Current(receipt.media_id, receipt.url, shown.alt)


def test_wordpress_serves_the_very_bytes(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api)
    receipt = adapter.attach(api, entry, shown)
    assert httpx.get(receipt.url).content == shown.data


def test_the_reader_sees_the_picture_on_the_article(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api, status="publish")
    adapter.attach(api, entry, shown)
    assert f'alt="{shown.alt}"' in httpx.get(entry.url).text


@pytest.mark.parametrize("status", ["draft", "pending", "private", "publish"])
def test_the_status_stays(site: WordPress, adapter: Adapter, api: httpx.Client, status: str) -> None:
    entry, shown = written(site, adapter, api, status=status)
    adapter.attach(api, entry, shown)
    assert adapter.fetch(api, entry.ref).status == status


def test_nothing_but_the_image_changes(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api, status="publish", content="<p>A <b>line</b> & more</p>")
    kept = ("title", "content", "excerpt", "slug", "date", "author", "tags", "categories", "status")
    before = api.get(f"/wp-json/wp/v2/{entry.ref}", params={"context": "edit"}).json()
    adapter.attach(api, entry, shown)
    after = api.get(f"/wp-json/wp/v2/{entry.ref}", params={"context": "edit"}).json()
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_attached_twice_it_is_one_attachment(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api)
    first = adapter.attach(api, entry, shown)
    again = adapter.attach(api, adapter.fetch(api, entry.ref), shown)
    assert again == first
    assert len(attachments(site, entry)) == 1


def test_a_death_between_upload_and_setting_leaves_one_attachment(
    site: WordPress, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = written(site, adapter, api)
    with adapter.open(_CutOff(entry.ref)) as dying, pytest.raises(Unavailable):
        adapter.attach(dying, entry, shown)
    receipt = adapter.attach(api, entry, shown)
    assert [str(media["id"]) for media in attachments(site, entry)] == [receipt.media_id]


def test_words_changed_between_two_tries_are_the_newer_ones(
    site: WordPress, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = written(site, adapter, api)
    with adapter.open(_CutOff(entry.ref)) as dying, pytest.raises(Unavailable):
        adapter.attach(dying, entry, shown)
    adapter.attach(api, entry, picture(int(entry.ref.split("/")[1]), alt="Newer words"))
    assert [media["alt_text"] for media in attachments(site, entry)] == ["Newer words"]


def test_sizes_that_wordpress_died_over_are_made_by_the_next_try(
    site: WordPress, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = written(site, adapter, api)
    with adapter.open(_CutOff(entry.ref)) as dying, pytest.raises(Unavailable):
        adapter.attach(dying, entry, shown)
    number = attachments(site, entry)[0]["id"]
    site.php(
        f"$facts = wp_get_attachment_metadata({number}); $facts['sizes'] = array();"
        f"wp_update_attachment_metadata({number}, $facts);"
    )
    assert attachments(site, entry)[0]["missing_image_sizes"] != []
    adapter.attach(api, entry, shown)
    assert attachments(site, entry)[0]["missing_image_sizes"] == []


def test_a_file_of_the_same_name_by_somebody_else_is_not_taken_for_ours(
    site: WordPress, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = written(site, adapter, api)
    other = picture(77, name=shown.name)
    with site.api("editor") as editor:
        form = {"post": entry.ref.split("/")[1]}
        editor.post("/wp/v2/media", data=form, files={"file": (other.name, other.data, other.mime)}).raise_for_status()
    receipt = adapter.attach(api, entry, shown)
    assert httpx.get(receipt.url).content == shown.data


def test_an_image_that_a_person_set_meanwhile_stays(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api)
    theirs = set_by_a_person(site, entry)
    with pytest.raises(Conflict):
        adapter.attach(api, entry, shown)
    assert adapter.fetch(api, entry.ref).image == Current(str(theirs), *_address(site, theirs))
    assert attachments(site, entry) == []


def test_an_image_that_a_person_took_away_meanwhile_is_a_conflict_too(
    site: WordPress, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = written(site, adapter, api)
    set_by_a_person(site, entry)
    read = adapter.fetch(api, entry.ref)
    with site.api("editor") as editor:
        editor.post(f"/wp/v2/{entry.ref}", json={"featured_media": 0}).raise_for_status()
    with pytest.raises(Conflict):
        adapter.attach(api, read, shown)


def test_an_image_that_a_person_sets_during_the_upload_stays(
    site: WordPress, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = written(site, adapter, api)
    theirs: list[int] = []
    faster = Meanwhile("POST", "/wp/v2/media", lambda: theirs.append(set_by_a_person(site, entry)))
    with adapter.open(faster) as slow, pytest.raises(Conflict):
        adapter.attach(slow, entry, shown)
    image = adapter.fetch(api, entry.ref).image
    assert [image and image.id] == [str(number) for number in theirs]


def test_with_our_plugin_switched_off_a_picture_is_written_and_taken_back(
    site: WordPress, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = written(site, adapter, api)
    site.php("deactivate_plugins('frontispiece/frontispiece.php');")
    try:
        receipt = adapter.attach(api, entry, shown)
        adapter.revert(api, entry.ref, receipt)
        assert adapter.fetch(api, entry.ref).image is None
    finally:
        site.php("activate_plugin('frontispiece/frontispiece.php');")


def test_a_known_image_is_replaced_and_comes_back_by_revert(
    site: WordPress, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = written(site, adapter, api)
    theirs = set_by_a_person(site, entry)
    receipt = adapter.attach(api, adapter.fetch(api, entry.ref), shown)
    assert receipt.previous == {"featured_media": theirs}
    adapter.revert(api, entry.ref, receipt)
    assert adapter.fetch(api, entry.ref).image == Current(str(theirs), *_address(site, theirs))


def _address(site: WordPress, number: int) -> tuple[str, str]:
    with site.api("admin") as admin:
        media = admin.get(f"/wp/v2/media/{number}").json()
    return media["source_url"], media["alt_text"]


def test_a_lost_answer_does_not_lose_what_was_there_before(
    site: WordPress, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = written(site, adapter, api)
    theirs = set_by_a_person(site, entry)
    adapter.attach(api, adapter.fetch(api, entry.ref), shown)  # the receipt is lost with the worker
    again = adapter.attach(api, adapter.fetch(api, entry.ref), shown)
    assert again.previous == {"featured_media": theirs}


def test_revert_of_the_first_image_leaves_none(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api)
    receipt = adapter.attach(api, entry, shown)
    adapter.revert(api, entry.ref, receipt)
    adapter.revert(api, entry.ref, receipt)
    assert adapter.fetch(api, entry.ref).image is None


def test_revert_leaves_what_a_person_set_since(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api)
    receipt = adapter.attach(api, entry, shown)
    set_by_a_person(site, entry)
    with pytest.raises(Conflict):
        adapter.revert(api, entry.ref, receipt)


def test_an_id_that_wordpress_does_not_know_is_noticed(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api)
    theirs = set_by_a_person(site, entry)
    receipt = adapter.attach(api, adapter.fetch(api, entry.ref), shown)
    site.php(f"wp_delete_attachment({theirs}, true);")
    with pytest.raises(CmsProblem, match=f"kept featured image {receipt.media_id} when {theirs} was set"):
        adapter.revert(api, entry.ref, receipt)


@pytest.mark.parametrize("data", [picture(1).data[:16], b"no picture at all"], ids=["a cut off webp", "text"])
@pytest.mark.parametrize("kind", ["webp", "jpeg", "png"])
def test_a_picture_that_is_none_is_final(
    site: WordPress, adapter: Adapter, api: httpx.Client, kind: str, data: bytes
) -> None:
    entry, _ = written(site, adapter, api)
    broken = picture(1, kind, data=data)
    with pytest.raises(CmsProblem) as caught:
        adapter.attach(api, entry, broken)
    assert caught.value.retry is False
    assert adapter.fetch(api, entry.ref).image is None


@pytest.mark.parametrize("act", ["fetch", "attach", "revert", "recent", "doctor"])
def test_a_wrong_password_is_an_error(site: WordPress, adapter: Adapter, api: httpx.Client, act: str) -> None:
    entry, shown = written(site, adapter, api, status="publish")
    receipt = adapter.attach(api, entry, shown)
    acts: dict[str, Callable[[Adapter, httpx.Client], object]] = {
        "fetch": lambda wrong, client: wrong.fetch(client, entry.ref),
        "attach": lambda wrong, client: wrong.attach(client, entry, shown),
        "revert": lambda wrong, client: wrong.revert(client, entry.ref, receipt),
        "recent": lambda wrong, client: list(wrong.recent(client, datetime.now(UTC))),
        "doctor": lambda wrong, client: wrong.doctor(client),
    }
    wrong = site.adapter(password="wrong")
    with wrong.open() as client, pytest.raises(CmsProblem, match="401") as caught:
        acts[act](wrong, client)
    assert caught.value.retry is False


def test_a_wordpress_that_is_down_is_worth_another_try(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = written(site, adapter, api)
    site.stop()
    with pytest.raises(Unavailable):
        adapter.attach(api, entry, shown)
    site.start()
    adapter.attach(api, entry, shown)
    assert len(attachments(site, entry)) == 1
