"""What holds for every CMS, asked of a real server where one can be had, else of a stand-in built from its contract.

A site is whatever `servers/<name>.py` calls `Server`. What is particular to one CMS is in `tests/real/test_<name>.py`.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr
from servers.recorder import Recorded, Recorder, recording
from servers.site import Site, State
from servers.sites import PARAMS, Cut, drawing, picture, server

from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Entry, Event, Gone, Receipt, Unavailable

STATES: tuple[State, ...] = ("draft", "published", "changed")

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", params=PARAMS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = server(request.param)(tmp_path_factory.mktemp(request.param))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def service(site: Site) -> Iterator[Recorder]:
    """Takes the deliveries in Frontispiece's place."""
    with recording() as recorder:
        recorder.status = site.adapter().accepted
        site.hook(f"{recorder.url}/hooks/cms")
        yield recorder


def written(site: Site, adapter: Adapter, api: httpx.Client, state: State = "published") -> tuple[Entry, Receipt]:
    """A new entry, and what came of our picture on it."""
    entry = adapter.fetch(api, site.create(state))
    return entry, adapter.attach(api, entry, picture(adapter, entry))


def told(adapter: Adapter, service: Recorder, wanted: Callable[[Event], bool]) -> list[Event]:
    """The events of all deliveries until one that is wanted, this one included."""
    found: list[Event] = []
    while not any(map(wanted, found)):
        found += _events(adapter, service.take())
    return found


def _events(adapter: Adapter, request: Recorded) -> list[Event]:
    delivery = Delivery(request.headers, request.body, request.path)
    adapter.verify(delivery)
    return adapter.events(delivery)


def about(ref: str) -> Callable[[Event], bool]:
    return lambda event: event.ref == ref


def test_an_entry_reads_as_it_was_written(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published", title="Twelve boats & a harbour")
    entry = adapter.fetch(api, ref)
    assert (entry.ref, entry.title, entry.image) == (ref, "Twelve boats & a harbour", None)


def test_an_entry_that_was_deleted_is_gone(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.delete(ref)
    with pytest.raises(Gone):
        adapter.fetch(api, ref)


def test_a_published_entry_is_told_in_a_delivery(site: Site, adapter: Adapter, service: Recorder) -> None:
    ref = site.create("published")
    kinds = {event.kind for event in told(adapter, service, about(ref)) if event.ref == ref}
    assert kinds & {"published", "created", "updated"}


@pytest.mark.parametrize("state", STATES)
def test_our_picture_changes_nothing_but_the_image(
    site: Site, adapter: Adapter, api: httpx.Client, state: State
) -> None:
    """Where the CMS leaves no way to do so, the adapter says so and writes nothing."""
    if state not in site.states:
        return
    ref = site.create(state)
    entry, before = adapter.fetch(api, ref), (site.state(ref), site.title(ref), site.public_title(ref))
    try:
        adapter.attach(api, entry, picture(adapter, entry))
        written_ = True
    except Conflict:
        written_ = False
    assert (site.state(ref), site.title(ref), site.public_title(ref)) == before
    assert bool(site.image(ref)) is written_
    assert written_ or state == "changed"


def test_the_entry_shows_the_picture_of_the_receipt(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    entry, receipt = written(site, adapter, api)
    shown = adapter.fetch(api, entry.ref).image
    assert shown is not None
    assert shown.id == receipt.media_id


def test_the_alt_text_arrives(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    entry, _ = written(site, adapter, api)
    assert site.alt(entry.ref) == ("A boat leaves the harbour" if adapter.alt_text else "")


def test_attaching_twice_leaves_one_picture(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    entry, there = adapter.fetch(api, site.create("published")), site.pictures()
    shown = picture(adapter, entry)
    first = adapter.attach(api, entry, shown)
    assert adapter.attach(api, entry, shown) == first
    assert site.pictures() == there + 1


def test_an_editor_s_own_image_is_never_replaced(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    site.set_image(entry.ref, drawing(kind="png"))
    theirs = site.image(entry.ref)
    with pytest.raises(Conflict):
        adapter.attach(api, entry, picture(adapter, entry))
    assert site.image(entry.ref) == theirs


def test_an_image_that_may_be_replaced_is_put_back_by_a_revert(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.set_image(ref, drawing(kind="png"))
    theirs, entry = site.image(ref), adapter.fetch(api, ref)
    receipt = adapter.attach(api, entry, picture(adapter, entry))
    assert site.image(ref) != theirs
    adapter.revert(api, ref, receipt)
    assert site.image(ref) == theirs


def test_a_revert_leaves_an_entry_without_an_image(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    entry, receipt = written(site, adapter, api)
    adapter.revert(api, entry.ref, receipt)
    assert (site.image(entry.ref), adapter.fetch(api, entry.ref).image) == ("", None)


def test_a_revert_leaves_what_somebody_has_set_since(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    entry, receipt = written(site, adapter, api)
    site.set_image(entry.ref, drawing(kind="png"))
    theirs = site.image(entry.ref)
    with pytest.raises(Conflict):
        adapter.revert(api, entry.ref, receipt)
    assert site.image(entry.ref) == theirs


def test_what_our_write_makes_the_cms_tell_is_known_as_our_own(
    site: Site, adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    entry, receipt = written(site, adapter, api)
    marker = site.create("published")
    for event in told(adapter, service, about(marker)):
        if event.ref == entry.ref and event.kind != "deleted":
            shown = adapter.fetch(api, event.ref, event.locale).image
            assert shown is not None
            assert shown.id == receipt.media_id


def test_recent_finds_what_has_no_image(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    bare, full = site.create("published"), written(site, adapter, api)[0].ref
    found = {event.ref for event in adapter.recent(api, since)}
    assert (bare in found, full in found) == (True, False)


def test_recent_leaves_out_what_was_not_changed_since(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    later = datetime.now(UTC) + timedelta(minutes=5)
    assert ref not in {event.ref for event in adapter.recent(api, later)}


@pytest.mark.usefixtures("service")
def test_the_doctor_finds_a_fresh_connection_healthy_and_leaves_nothing(
    site: Site, adapter: Adapter, api: httpx.Client
) -> None:
    there = site.pictures()
    words = adapter.doctor(api)
    assert words
    assert site.pictures() == there or any("stays" in line for line in words)


def test_wrong_credentials_are_said(site: Site, adapter: Adapter) -> None:
    webhook = ("webhook_secret", "previous_webhook_secret")
    secret = [name for name, value in adapter.settings if isinstance(value, SecretStr) and name not in webhook]
    wrong = site.adapter(**{name: _other(site.keys[name]) for name in secret if site.keys.get(name)})
    ref = site.create("published")
    with wrong.open() as api, pytest.raises(CmsProblem) as caught:
        wrong.fetch(api, ref)
    assert not caught.value.retry


def _other(secret: str) -> str:
    """Another secret of the same form."""
    return secret.translate(str.maketrans("abcdef0123456789", "bcdefa1234567890"))


@pytest.mark.parametrize("answered", [False, True], ids=["lost on the way there", "answer lost"])
def test_a_write_that_is_cut_off_leaves_one_picture_when_tried_again(
    site: Site, adapter: Adapter, answered: bool
) -> None:
    for write in range(1, 20):
        with adapter.open() as api:
            entry, there = adapter.fetch(api, site.create("published")), site.pictures()
            shown = picture(adapter, entry)
        with adapter.open(Cut(write, answered=answered)) as cut:
            try:
                adapter.attach(cut, entry, shown)
            except Unavailable:
                pass
            else:
                assert write > 1
                return
        with adapter.open() as api:
            receipt = adapter.attach(api, entry, shown)
            found = adapter.fetch(api, entry.ref).image
            assert (found and found.id, site.pictures()) == (receipt.media_id, there + 1)
    pytest.fail("attach never came to its end")


def test_a_cms_that_ends_between_upload_and_attach_and_comes_back_has_one_picture(site: Site, adapter: Adapter) -> None:
    with adapter.open() as api:
        entry, there = adapter.fetch(api, site.create("published")), site.pictures()
    shown = picture(adapter, entry)
    with adapter.open(Cut(1, answered=True, then=site.stop)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    with adapter.open() as api, pytest.raises(Unavailable):
        adapter.fetch(api, entry.ref)
    site.start()
    with adapter.open() as api:
        receipt = adapter.attach(api, entry, shown)
        found = adapter.fetch(api, entry.ref).image
    assert (found and found.id, site.pictures()) == (receipt.media_id, there + 1)


def test_a_broken_picture_is_final_where_the_cms_minds_it(site: Site, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    broken = picture(adapter, entry, data=drawing(kind=adapter.formats[0])[:400])
    problem: CmsProblem | None = None
    try:
        adapter.attach(api, entry, broken)
    except CmsProblem as found:
        problem = found
    assert problem is None or (problem.retry, site.image(entry.ref)) == (False, "")


def test_connecting_twice_makes_one_webhook(site: Site, adapter: Adapter, api: httpx.Client, service: Recorder) -> None:
    if not adapter.connects:
        return
    for _ in range(2):
        adapter.connect(api, f"{service.url}/hooks/cms")
    first, marker = site.create("published"), site.create("published")
    found = told(adapter, service, about(marker))
    kinds = [event.kind for event in found if event.ref == first]
    assert len(kinds) == len(set(kinds)) > 0
