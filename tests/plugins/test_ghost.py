"""The Ghost adapter without a Ghost: signatures, tokens, odd bodies and odd answers."""

import base64
import hashlib
import hmac
import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from servers.recorder import parse

from frontispiece import cms
from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Current,
    Delivery,
    Entry,
    Event,
    Headers,
    Picture,
    Refused,
    Unavailable,
    Unreadable,
)

Ghost = cms.load("ghost")
DELIVERIES = Path(__file__).parents[2] / "plugins/ghost/deliveries"
CAPTURED = sorted(DELIVERIES.glob("*.http"))
SITE = tomllib.loads((DELIVERIES / "site.toml").read_text())
ID = "0123456789abcdef01234567"
NOW = 1_800_000_000.0
PICTURE = Picture("boats-1-2.webp", "image/webp", b"RIFF....WEBP", 640, 360, "Boats")
FILE = f"boats-1-2-{hashlib.sha256(PICTURE.data).hexdigest()[:12]}.webp"
Answers = Callable[[httpx.Request], httpx.Response]


def ghost(**keys: Any) -> Adapter:
    return Ghost(Ghost.Settings.model_validate(SITE | {"url": "https://blog.example.org"} | keys))


def said(event: str = "post.published", **fields: Any) -> Delivery:
    about = {"current": {"id": ID}, "previous": {}} | fields
    return Delivery(Headers(), json.dumps({"event": event, event.partition(".")[0]: about}).encode())


def signed(*values: str, body: bytes = b"{}") -> Delivery:
    headers = Headers([("X-Ghost-Signature", value) for value in values])
    return Delivery(headers, body, received=NOW)


def signature(words: bytes) -> str:
    return hmac.new(SITE["webhook_secret"].encode(), words, hashlib.sha256).hexdigest()


def post(**fields: Any) -> dict[str, Any]:
    """As Ghost answers one."""
    usual: dict[str, Any] = {
        "id": ID,
        "title": "Boats",
        "html": None,
        "custom_excerpt": None,
        "status": "draft",
        "tags": [],
    }
    image = {"feature_image": None, "feature_image_alt": None, "feature_image_caption": None}
    more = {"url": "", "primary_tag": None, "primary_author": None, "updated_at": "2026-11-21T08:00:00.000Z"}
    return usual | image | more | fields


def posts(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json={"posts": [post(**fields)]})


def entry(image: Current | None = None) -> Entry:
    return Entry(ref=f"posts/{ID}", kind="article", title="Boats", image=image)


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_a_captured_delivery_says_what_its_file_is_called_after(path: Path) -> None:
    kind, _, what = path.stem.partition(".")
    [event] = ghost().events(Delivery(Headers(), parse(path.read_bytes()).body))
    assert event.ref.startswith(f"{kind}s/")
    assert event.kind == {"added": "created", "edited": "updated"}.get(what, what)


def test_what_ghost_would_sign_is_authentic() -> None:
    stamp = str(int(NOW * 1000))
    right = signature(b"{}" + stamp.encode())
    assert ghost().verify(signed(f"sha256={right}, t={stamp}")) == ""


@pytest.mark.parametrize("ahead", [-301, 301])
def test_a_signature_more_than_five_minutes_off_is_refused(ahead: int) -> None:
    stamp = str(int((NOW + ahead) * 1000))
    right = signature(b"{}" + stamp.encode())
    with pytest.raises(Refused, match="five minutes"):
        ghost().verify(signed(f"sha256={right}, t={stamp}"))


def test_another_time_than_the_signed_one_is_refused() -> None:
    right = signature(b"{}" + str(int(NOW * 1000)).encode())
    with pytest.raises(Refused, match="does not match"):
        ghost().verify(signed(f"sha256={right}, t={int(NOW * 1000) + 1}"))


STAMP = str(int(NOW * 1000))
RIGHT = signature(b"{}" + STAMP.encode())


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        [f"sha256={RIGHT}"],
        [f"t={STAMP}"],
        [f"sha256={signature(b'{}')}"],
        [f"sha256={RIGHT.upper()}, t={STAMP}"],
        [f"sha256={RIGHT}, t={STAMP}", f"sha256={RIGHT}, t={STAMP}"],
        [f"sha256={RIGHT}, t={STAMP}, t={STAMP}"],
        [f"sha256={RIGHT}, t=\N{ARABIC-INDIC DIGIT ONE}{STAMP[1:]}"],
        [f"sha1={RIGHT[:40]}, t={STAMP}"],
        [f"sha256={RIGHT}, t={STAMP}\n"],
        [base64.b64encode(bytes.fromhex(RIGHT)).decode()],
    ],
)
def test_a_signature_of_any_other_form_is_refused(values: list[str]) -> None:
    with pytest.raises(Refused):
        ghost().verify(signed(*values))


@pytest.mark.parametrize(
    "event", ["site.changed", "tag.added", "member.edited", "post.unpublished", "post.tag.attached"]
)
def test_other_events_are_not_for_us(event: str) -> None:
    assert ghost().events(said(event)) == []


def test_a_page_is_told_as_a_page() -> None:
    assert ghost().events(said("page.added")) == [Event("created", f"pages/{ID}")]


def test_an_edit_of_the_image_alone_is_not_told() -> None:
    edit = said("post.edited", previous={"feature_image": None, "updated_at": "2026-11-21T08:00:00.000Z"})
    assert ghost().events(edit) == []


@pytest.mark.parametrize(
    ("event", "previous"),
    [
        ("post.edited", {"feature_image": None, "updated_at": "…", "title": "Boat"}),
        ("post.edited", {"updated_at": "…"}),
        ("post.edited", {}),
        ("post.published", {"feature_image": None, "updated_at": "…"}),
    ],
)
def test_an_edit_of_anything_else_is_told(event: str, previous: dict[str, str]) -> None:
    assert len(ghost().events(said(event, previous=previous))) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"3",
        b"\xff",
        b"{",
        b"[" * 100_000,
        b'{"post": {"current": {"id": "0123456789abcdef01234567"}, "previous": {}}}',
        b'{"event": 1}',
        b'{"event": "post.added"}',
        b'{"event": "post.added", "post": []}',
        b'{"event": "post.added", "post": {"current": {}, "previous": {}}}',
        b'{"event": "post.edited", "post": {"current": {"id": "0123456789abcdef01234567"}, "previous": null}}',
        b'{"event": "post.added", "post": {"current": {"id": 12}, "previous": {}}}',
        b'{"event": "post.added", "post": {"current": {"id": "../../settings"}, "previous": {}}}',
        b'{"event": "post.added", "post": {"current": {"id": "0123456789ABCDEF01234567"}, "previous": {}}}',
    ],
)
def test_what_ghost_does_not_send_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="is this Ghost older"):
        ghost().events(Delivery(Headers(), body))


@pytest.mark.parametrize(
    "key", ["", "abc", f"{ID}:{'0' * 63}", f"{ID}{'0' * 64}", f"{ID}:{'g' * 64}", f"{ID}:{'0' * 64}\n"]
)
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="Admin API key"):
        ghost(admin_key=key)


def test_each_call_carries_a_fresh_token_made_of_the_key() -> None:
    with ghost(admin_key=f"{ID}:{'ab' * 32}").open(httpx.MockTransport(lambda _: posts())) as api:
        token = api.get("/").request.headers["Authorization"].removeprefix("Ghost ")
    head, claims, mark = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    right = hmac.digest(b"\xab" * 32, token.rpartition(".")[0].encode(), "sha256")
    issued = json.loads(claims).pop("iat")
    assert mark == right
    assert json.loads(head) == {"alg": "HS256", "typ": "JWT", "kid": ID}
    assert json.loads(claims) == {"iat": issued, "exp": issued + 300, "aud": "/admin/"}
    assert abs(issued - datetime.now(UTC).timestamp()) < 60


def test_a_post_without_a_title_has_none() -> None:
    with ghost().open(httpx.MockTransport(lambda _: posts(title="(Untitled)"))) as api:
        assert ghost().fetch(api, f"posts/{ID}").title == ""


def test_editors_are_led_to_the_post_in_ghost() -> None:
    with ghost().open(httpx.MockTransport(lambda _: posts())) as api:
        found = ghost().fetch(api, f"posts/{ID}")
    assert found.edit_url == f"https://blog.example.org/ghost/#/editor/post/{ID}"


@pytest.mark.parametrize("body", ["[]", "{}", "null", '{"pages": []}', "<h1>Hello</h1>"])
def test_an_answer_that_is_not_ghosts_asks_for_the_url(body: str) -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(200, text=body))
    with ghost().open(answers) as api, pytest.raises(CmsProblem, match="url"):
        ghost().fetch(api, f"posts/{ID}")


def test_a_redirect_is_not_followed() -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(301, headers={"Location": "https://elsewhere.example.org/"}))
    with ghost().open(answers) as api, pytest.raises(CmsProblem, match="answered 301"):
        ghost().fetch(api, f"posts/{ID}")


def writing(**kept: Any) -> Answers:
    """A Ghost that takes an upload and keeps these fields of a write; nothing was uploaded before."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            url = f"https://blog.example.org/content/images/2026/11/{FILE}"
            return httpx.Response(201, json={"images": [{"url": url}]})
        if request.method == "PUT":
            return posts(**json.loads(request.content)["posts"][0] | kept)
        return posts() if "/api/" in request.url.path else httpx.Response(404)

    return answer


@pytest.mark.parametrize("kept", [{"feature_image": None}, {"feature_image_alt": "Another"}])
def test_a_write_that_ghost_does_not_keep_is_a_problem(kept: dict[str, Any]) -> None:
    with (
        ghost().open(httpx.MockTransport(writing(**kept))) as api,
        pytest.raises(CmsProblem, match="kept feature_image"),
    ):
        ghost().attach(api, entry(), PICTURE)


def test_only_the_image_and_its_words_are_written_under_the_lock() -> None:
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            sent.append(json.loads(request.content)["posts"][0])
        return writing()(request)

    with ghost().open(httpx.MockTransport(answer)) as api:
        ghost().attach(api, entry(), PICTURE)
    [fields] = sent
    assert fields.keys() == {"feature_image", "feature_image_alt", "feature_image_caption", "updated_at"}


def test_what_an_earlier_try_has_left_is_taken_below_the_folder_of_the_site() -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(f"{request.method} {request.url.path}")
        if "_o.webp" in request.url.path:
            return httpx.Response(200, content=PICTURE.data)
        return writing()(request)

    below = ghost(url="https://example.org/blog")
    with below.open(httpx.MockTransport(answer)) as api:
        receipt = below.attach(api, entry(), PICTURE)
    assert receipt.url.startswith("/blog/content/images/")
    assert receipt.url.endswith(FILE)
    assert all(path.startswith(("GET /blog/", f"PUT /blog/ghost/api/admin/posts/{ID}/")) for path in paths)


def test_a_look_for_an_earlier_try_never_asks_for_the_address_that_visitors_use() -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return writing()(request)

    with ghost().open(httpx.MockTransport(answer)) as api:
        ghost().attach(api, entry(), PICTURE)
    looks = [url for url in asked if "/content/images/" in url.path]
    assert looks
    assert all(url.query for url in looks)


def test_an_image_that_went_away_meanwhile_is_a_conflict() -> None:
    before = Current("https://blog.example.org/own.jpg", "https://blog.example.org/own.jpg")
    with ghost().open(httpx.MockTransport(lambda _: posts())) as api, pytest.raises(Conflict, match="none"):
        ghost().attach(api, entry(before), PICTURE)


def test_an_image_whose_name_only_begins_like_ours_is_a_persons() -> None:
    theirs = f"https://blog.example.org/content/images/2026/11/{FILE.replace('.webp', '-cropped.webp')}"
    with ghost().open(httpx.MockTransport(lambda _: posts(feature_image=theirs))) as api, pytest.raises(Conflict):
        ghost().attach(api, entry(), PICTURE)


def test_a_ghost_that_is_away_while_we_look_is_asked_again_later() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return posts() if "/api/" in request.url.path else httpx.Response(502)

    with ghost().open(httpx.MockTransport(answer)) as api, pytest.raises(Unavailable):
        ghost().attach(api, entry(), PICTURE)


def test_recent_goes_on_to_the_last_page() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        meta = {"pagination": {"next": page + 1 if page < 3 else None}}
        return httpx.Response(200, json={"posts": [{"id": f"{page:024x}", "status": "published"}], "meta": meta})

    with ghost(post_types=("posts",)).open(httpx.MockTransport(answer)) as api:
        found = list(ghost(post_types=("posts",)).recent(api, datetime(2026, 1, 1, tzinfo=UTC)))
    assert found == [Event("published", f"posts/{page:024x}") for page in (1, 2, 3)]


def test_recent_asks_for_an_order_in_which_no_two_posts_are_equal() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["order"])
        return httpx.Response(200, json={"posts": []})

    with ghost(post_types=("posts",)).open(httpx.MockTransport(answer)) as api:
        list(ghost(post_types=("posts",)).recent(api, datetime(2026, 1, 1, tzinfo=UTC)))
    assert asked == ["updated_at asc, id asc"]


def test_a_webhook_that_ghost_refuses_for_another_reason_is_a_problem() -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(403, text="Your plan has no custom integrations"))
    with ghost().open(answers) as api, pytest.raises(CmsProblem, match="custom integrations"):
        ghost().connect(api, "https://frontispiece.example.org/hooks/blog")


def test_the_doctor_sends_no_key_to_where_pictures_are_kept_elsewhere() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.method == "POST":
            return httpx.Response(201, json={"images": [{"url": "https://cdn.example.org/test.png"}]})
        told = {"site": {"version": "6.65"}, "posts": []}
        return httpx.Response(200, json=told) if "/api/" in request.url.path else httpx.Response(404)

    with ghost().open(httpx.MockTransport(answer)) as api:
        words = ghost().doctor(api)
    assert set(asked) == {"blog.example.org"}
    assert "kept at cdn.example.org" in words[2]
