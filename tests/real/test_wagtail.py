"""What is particular to Wagtail: revisions on top of public pages, locks, rights, and our own app."""

import io
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.recorder import Recorder, recording
from servers.wagtail import Server

from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Event, NotAllowed, Picture, Unavailable

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def service() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


@pytest.fixture(scope="module")
def site(service: Recorder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    wagtail = Server(tmp_path_factory.mktemp("wagtail"))
    try:
        wagtail.hook(f"{service.url}/hooks/news")
        yield wagtail
    finally:
        wagtail.stop()


def picture(kind: str = "webp") -> Picture:
    file = io.BytesIO()
    Image.effect_noise((320, 180), 90).convert("RGB").save(file, kind)
    return Picture(f"a-day-at-sea.{kind}", f"image/{kind}", file.getvalue(), 320, 180, "A boat")


def other(site: Server, **fields: str) -> Adapter:
    """An adapter for articles with other fields than the site's own."""
    return site.adapter(types={"blog.ArticlePage": {"image": "hero_image"} | fields})


def number(ref: str) -> str:
    return ref.partition("/")[2]


def told(adapter: Adapter, service: Recorder) -> Event:
    sent = service.take()
    [event] = adapter.events(Delivery(sent.headers, sent.body))
    return event


def since(adapter: Adapter, service: Recorder, site: Server) -> None:
    """What earlier acts made Wagtail tell is over."""
    marker = site.create("published")
    while told(adapter, service) != Event("published", marker):
        pass


def test_publishing_through_api_v3_publishes_what_an_editor_has_left_unfinished(site: Server) -> None:
    """Why our app has a way of its own to write; if this fails, Wagtail has become kinder."""
    ref = site.create("changed")
    site.edit(ref, publish=True, hero_alt="A boat")
    assert site.public_title(ref) == "A day at sea (changed)"


def test_api_v3_ignores_a_field_that_it_does_not_know(site: Server) -> None:
    ref = site.create("draft")
    site.edit(ref, hero_image=1)
    assert site.image(ref) == ""


def test_api_v3_answers_500_to_a_picture_that_is_cut_off(site: Server) -> None:
    file = {"file": ("cut.webp", picture().data[:400], "image/webp")}
    with pytest.raises(httpx.HTTPStatusError, match="500"):
        site.sent("POST", "/images/", data={"title": "Cut"}, files=file)


def test_a_draft_saved_after_we_read_the_page_is_neither_lost_nor_published(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    site.edit(entry.ref, title="Two days at sea")
    receipt = adapter.attach(api, entry, picture())
    assert (site.state(entry.ref), site.public_title(entry.ref)) == ("changed", "A day at sea")
    assert (site.title(entry.ref), site.image(entry.ref)) == ("Two days at sea", receipt.media_id)


@pytest.mark.parametrize("lock", ["locked=True, locked_at=now, locked_by=editor", "approved_go_live_at=now + week"])
def test_a_locked_or_scheduled_page_is_left_alone(site: Server, adapter: Adapter, api: httpx.Client, lock: str) -> None:
    entry, there = adapter.fetch(api, site.create("draft")), site.pictures()
    site.shell(
        "from datetime import timedelta\nfrom django.contrib.auth.models import User\n"
        "from django.utils import timezone\nfrom wagtail.models import Page\n"
        "now, week = timezone.now(), timedelta(days=7)\n"
        f"editor, page = User.objects.get(username='editor'), Page.objects.get(pk={number(entry.ref)}).specific\n"
        f"(page.revisions if 'go_live' in '{lock}' else Page.objects.filter(pk=page.pk)).update({lock})"
    )
    with pytest.raises(Conflict, match="Unlock"):
        adapter.attach(api, entry, picture())
    assert (site.image(entry.ref), site.pictures()) == ("", there)


def test_a_page_in_a_workflow_is_left_alone(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    """What is approved in the end is the text that was sent; ours would stay behind as a draft."""
    entry = adapter.fetch(api, site.create("draft"))
    site.shell(
        "from django.contrib.auth.models import User\nfrom wagtail.models import Page, Workflow\n"
        f"page, drafter = Page.objects.get(pk={number(entry.ref)}).specific, User.objects.get(username='drafter')\n"
        "Workflow.objects.get().start(page, drafter)"
    )
    with pytest.raises(Conflict, match="in a workflow"):
        adapter.attach(api, entry, picture())


def test_words_are_cut_to_what_the_fields_take(site: Server) -> None:
    adapter, long = other(site, alt="hero_alt"), "A boat " * 60
    with adapter.open() as api:
        entry = adapter.fetch(api, site.create("published"))
        receipt = adapter.attach(api, replace(entry, title=long), replace(picture(), alt=long))
    image = site.sent("GET", f"/images/{receipt.media_id}/")
    assert (len(image["title"]), len(image["description"])) == (255, 255)
    assert len(site.page(entry.ref)["hero_alt"]) == 200


def test_a_page_that_somebody_is_changing_in_the_editor_waits(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    with httpx.Client(base_url=site.url, follow_redirects=True, timeout=60) as browser:
        token = {"csrfmiddlewaretoken": browser.get("/admin/login/").cookies["csrftoken"]}
        browser.post("/admin/login/", data={"username": "editor", "password": "password"} | token).raise_for_status()
        form = browser.get(f"/admin/pages/{number(entry.ref)}/edit/").raise_for_status().text
        ping, leave = (re.search(rf"/admin/editing-sessions/[^\"']*{act}[^\"']*", form) for act in ("ping", "release"))
        assert ping
        assert leave
        browser.post(ping[0], data={"is_editing": "1"}).raise_for_status()
        with pytest.raises(Unavailable, match="unsaved changes"):
            adapter.attach(api, entry, picture())
        browser.post(leave[0]).raise_for_status()
    assert adapter.attach(api, entry, picture()).media_id == site.image(entry.ref)


def test_a_user_who_may_not_publish_leaves_a_public_page_alone(site: Server) -> None:
    drafter = site.adapter(token=site.tokens["drafter"])
    with drafter.open() as api:
        entry, there = drafter.fetch(api, site.create("published")), site.pictures()
        with pytest.raises(CmsProblem, match="may not publish") as caught:
            drafter.attach(api, entry, picture())
    assert (caught.value.retry, site.image(entry.ref), site.pictures()) == (False, "", there)


def test_a_user_who_may_not_publish_can_put_pictures_on_drafts(site: Server) -> None:
    drafter = site.adapter(token=site.tokens["drafter"])
    with drafter.open() as api:
        entry = drafter.fetch(api, site.create("changed"))
        assert drafter.attach(api, entry, picture()).media_id == site.image(entry.ref)


def test_an_alias_takes_no_picture_of_its_own(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    alias = site.shell(
        "from wagtail.models import Page\n"
        f"print(Page.objects.get(pk={number(ref)}).specific.create_alias(update_slug='alias-{number(ref)}').pk)"
    )
    with pytest.raises(Conflict, match="alias of page"):
        adapter.fetch(api, f"blog.ArticlePage/{alias.strip()}")


def test_two_at_once_leave_one_picture(site: Server, adapter: Adapter) -> None:
    shown, there = picture(), site.pictures()
    with adapter.open() as api:
        entry = adapter.fetch(api, site.create("published"))

        def attach(_: int) -> object:
            return adapter.attach(api, entry, shown)

        with ThreadPoolExecutor(2) as both:
            first, second = both.map(attach, range(2))
    assert first == second
    assert site.pictures() == there + 1


def test_the_focal_point_arrives_in_pixels(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    receipt = adapter.attach(api, entry, replace(picture(), focal=(0.25, 0.5)))
    image = site.sent("GET", f"/images/{receipt.media_id}/")
    assert [image[f"focal_point_{name}"] for name in ("x", "y", "width", "height")] == [80, 90, 18, 18]


def test_alt_text_of_the_page_is_written_and_reverted(site: Server) -> None:
    adapter, ref = other(site, alt="hero_alt"), site.create("published")
    site.set_image(ref, picture("png").data)
    site.edit(ref, publish=True, hero_alt="The harbour at noon")
    with adapter.open() as api:
        entry = adapter.fetch(api, ref)
        receipt = adapter.attach(api, entry, picture())
        assert site.page(ref)["hero_alt"] == "A boat"
        adapter.revert(api, ref, receipt)
    assert (site.page(ref)["hero_alt"], site.state(ref)) == ("The harbour at noon", "published")


def test_a_page_reads_as_plain_text(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("draft")
    blocks = [{"type": "text", "value": "<p>Waves &amp; <b>wind</b></p>"}]
    site.edit(ref, intro="<p>At <i>noon</i></p>", body=blocks, plain=True, publish=True)
    entry = adapter.fetch(api, ref)
    assert (entry.excerpt, entry.body, entry.opted_out, entry.status) == ("At noon", "Waves & wind", True, "published")
    assert entry.url.startswith("http://gazette.example.org/")


@pytest.mark.parametrize("kind", ["webp", "jpeg", "png", "avif"])
def test_the_very_bytes_are_served(site: Server, adapter: Adapter, api: httpx.Client, kind: str) -> None:
    entry, shown = adapter.fetch(api, site.create("draft")), picture(kind)
    assert httpx.get(adapter.attach(api, entry, shown).url).content == shown.data


@pytest.mark.parametrize("kind", ["webp", "jpeg"])
def test_a_picture_that_is_cut_off_is_final(site: Server, adapter: Adapter, api: httpx.Client, kind: str) -> None:
    entry, there, shown = adapter.fetch(api, site.create("published")), site.pictures(), picture(kind)
    with pytest.raises(CmsProblem, match="cannot be read as a picture") as caught:
        adapter.attach(api, entry, replace(shown, data=shown.data[:400]))
    assert (caught.value.retry, site.pictures()) == (False, there)


@pytest.mark.parametrize(
    ("field", "words"), [("hero", "has no field hero"), ("title", "no foreign key")], ids=["unknown", "no image"]
)
def test_a_field_that_holds_no_image_is_said(site: Server, field: str, words: str) -> None:
    """Where API v3 would ignore it with a 200."""
    wrong = other(site, image=field)
    with wrong.open() as api, pytest.raises(CmsProblem, match=words):
        wrong.fetch(api, site.create("draft"))


def test_an_earlier_image_that_was_deleted_meanwhile_is_said(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.set_image(ref, picture("png").data)
    theirs = site.image(ref)
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    site.sent("DELETE", f"/images/{theirs}/")
    with pytest.raises(Conflict, match="not in the library any more"):
        adapter.revert(api, ref, receipt)


def test_recent_tells_drafts_from_what_is_public(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=1)
    draft, changed = site.create("draft"), site.create("changed")
    kinds = {event.ref: event.kind for event in adapter.recent(api, moment)}
    assert (kinds[draft], kinds[changed]) == ("created", "published")


def test_a_wrong_token_is_not_allowed(site: Server) -> None:
    wrong = site.adapter(token="wrong")
    with wrong.open() as api, pytest.raises(NotAllowed):
        wrong.fetch(api, site.create("published"))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"token": "drafter"}, "may not publish pages"),
        ({"token": "editor"}, "is not editor, whose token this is"),
        ({"types": {"blog.NewsPage": {}}}, r"no page type blog\.NewsPage"),
    ],
    ids=["rights", "user", "type"],
)
def test_the_doctor_says_what_is_missing(site: Server, keys: dict[str, Any], words: str) -> None:
    wrong = site.adapter(**(keys | ({"token": site.tokens[keys["token"]]} if "token" in keys else {})))
    with wrong.open() as api, pytest.raises(CmsProblem, match=words):
        wrong.doctor(api)


def test_the_doctor_says_what_became_of_a_delivery(
    site: Server, adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    since(adapter, service, site)
    assert "byte for byte" in " ".join(adapter.doctor(api))
    assert told(adapter, service) == Event("ping", "")
    service.status = 401
    try:
        with pytest.raises(CmsProblem, match="answered 401"):
            adapter.doctor(api)
    finally:
        service.status = 202
        service.take()


def test_a_secret_that_signs_nothing_is_said_at_the_start(site: Server, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        site.shell("", FRONTISPIECE_SECRET="short!")
    assert "is not whsec_ followed by base64" in capfd.readouterr().err


class TestDeliveries:
    """What our app tells, and when."""

    def test_each_act_is_told(self, site: Server, adapter: Adapter, service: Recorder) -> None:
        since(adapter, service, site)
        ref = site.create("draft")
        assert told(adapter, service) == Event("created", ref)
        site.edit(ref, title="Another title")
        assert told(adapter, service) == Event("updated", ref)
        site.edit(ref, publish=True, title="A third title")
        assert told(adapter, service) == Event("published", ref)
        site.sent("POST", f"/pages/{number(ref)}/actions/unpublish/", json={})
        assert told(adapter, service) == Event("updated", ref)
        site.delete(ref)
        assert told(adapter, service) == Event("deleted", ref)

    def test_a_new_page_that_is_public_at_once_is_told_once(
        self, site: Server, adapter: Adapter, service: Recorder
    ) -> None:
        since(adapter, service, site)
        first, second = site.create("published"), site.create("changed")
        assert {told(adapter, service), told(adapter, service)} == {
            Event("published", first),
            Event("published", second),
        }

    def test_our_own_writes_are_not_told(
        self, site: Server, adapter: Adapter, api: httpx.Client, service: Recorder
    ) -> None:
        refs = [site.create("draft"), site.create("published"), site.create("changed")]
        since(adapter, service, site)
        for ref in refs:
            adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), picture()))
        marker = site.create("draft")
        assert told(adapter, service) == Event("created", marker)

    def test_a_delivery_that_was_not_taken_is_sent_again(
        self, site: Server, adapter: Adapter, service: Recorder
    ) -> None:
        since(adapter, service, site)
        service.status = 503
        ref = site.create("draft")
        first = service.take()
        service.status = 202
        again = service.take()
        assert adapter.events(Delivery(again.headers, again.body)) == [Event("created", ref)]
        assert again.headers.get("webhook-id") == first.headers.get("webhook-id")
