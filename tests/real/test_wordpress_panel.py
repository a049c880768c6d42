"""The editor panel's routes in a real WordPress: who may see and decide what, and what never leaves the server."""

from collections.abc import Iterator

import httpx
import pytest
from servers.panel_api import PanelApi, illustration, panel_api
from servers.wordpress import SUITES, TOKEN, WordPress, running

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def running_service() -> Iterator[PanelApi]:
    with panel_api(TOKEN) as api:
        api.picture = b"RIFF\x00\x00\x00\x00WEBPVP8 "
        yield api


@pytest.fixture
def service(running_service: PanelApi) -> PanelApi:
    running_service.illustrations, running_service.refuse = [], None
    running_service.token, running_service.confused = TOKEN, False
    running_service.asked.clear()
    return running_service


@pytest.fixture(scope="module", params=SUITES)
def site(request: pytest.FixtureRequest, running_service: PanelApi) -> Iterator[WordPress]:
    with running(request.param, running_service.url) as wordpress:
        yield wordpress


@pytest.fixture
def post(site: WordPress, service: PanelApi) -> int:
    """An editor's post whose illustration 7 waits in review with candidate 107."""
    number = int(site.post()["id"])
    service.illustrations = [illustration(7, f"posts/{number}")]
    return number


def ask(site: WordPress, login: str, path: str, method: str = "GET", **body: object) -> httpx.Response:
    with site.api(login) as api:
        return api.request(method, f"/frontispiece/v1/posts/{path}", json=body or None)


def test_an_editor_sees_the_state_in_words(site: WordPress, post: int) -> None:
    assert ask(site, "editor", f"{post}/illustrations").json() == {
        "illustrations": [
            {
                "id": 7,
                "state": "in_review",
                "words": "The picture is ready for your decision.",
                "reason": "",
                "alt": "A boat",
                "candidates": [107],
                "desk": "https://desk.example.org/desk/7",
            }
        ]
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "illustrations"),
        ("GET", "candidates/107/image"),
        ("POST", "illustrations/7/approve"),
        ("POST", "illustrations/7/regenerate"),
    ],
)
def test_who_may_not_edit_the_post_gets_nothing(
    site: WordPress, service: PanelApi, post: int, method: str, path: str
) -> None:
    answer = ask(site, "author", f"{post}/{path}", method, candidate=107)
    assert answer.status_code == 403
    assert service.asked == []


def test_who_is_not_logged_in_gets_nothing(site: WordPress, service: PanelApi, post: int) -> None:
    assert httpx.get(f"{site.url}/wp-json/frontispiece/v1/posts/{post}/illustrations").status_code == 401
    assert service.asked == []


def test_an_author_decides_about_their_own_post(site: WordPress, service: PanelApi) -> None:
    number = site.post("author")["id"]
    service.illustrations = [illustration(7, f"posts/{number}")]
    answer = ask(site, "author", f"{number}/illustrations/7/approve", "POST", candidate=107)
    assert answer.json()["state"] == "approved"


def test_approving_says_who_did_it(site: WordPress, service: PanelApi, post: int) -> None:
    ask(site, "editor", f"{post}/illustrations/7/approve", "POST", candidate=107, alt="Two <b>boats</b>")
    decision = {"candidate": 107, "by": "Editor (WordPress)", "alt": "Two boats"}
    assert service.asked[-1] == ("POST", "/api/v1/illustrations/7/approve", f"Bearer {TOKEN}", decision)


def test_regenerating_sends_a_prompt_only_if_there_is_one(site: WordPress, service: PanelApi, post: int) -> None:
    ask(site, "editor", f"{post}/illustrations/7/regenerate", "POST")
    ask(site, "editor", f"{post}/illustrations/7/regenerate", "POST", prompt="Rain")
    sent = [body for method, _, _, body in service.asked if method == "POST"]
    assert sent == [{"by": "Editor (WordPress)"}, {"prompt": "Rain", "by": "Editor (WordPress)"}]


def test_another_posts_illustration_cannot_be_decided(site: WordPress, service: PanelApi, post: int) -> None:
    service.illustrations.append(illustration(8, "posts/999999"))
    answer = ask(site, "editor", f"{post}/illustrations/8/regenerate", "POST")
    assert answer.status_code == 404
    assert [method for method, *_ in service.asked] == ["GET"]


def test_another_posts_candidate_cannot_be_approved(site: WordPress, service: PanelApi, post: int) -> None:
    service.illustrations.append(illustration(8, "posts/999999"))
    answer = ask(site, "editor", f"{post}/illustrations/7/approve", "POST", candidate=108)
    assert answer.status_code == 404
    assert [method for method, *_ in service.asked] == ["GET"]


def test_an_answer_about_another_post_or_site_is_not_believed(site: WordPress, service: PanelApi, post: int) -> None:
    service.illustrations = [illustration(7, f"posts/{post}", site="elsewhere"), illustration(8, f"posts/{post}0")]
    service.confused = True
    assert ask(site, "editor", f"{post}/illustrations").json() == {"illustrations": []}


def test_a_candidate_is_shown_as_the_picture_it_is(site: WordPress, service: PanelApi, post: int) -> None:
    answer = ask(site, "editor", f"{post}/candidates/107/image")
    assert (answer.headers["content-type"], answer.content) == ("image/webp", service.picture)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_another_posts_candidate_is_not_shown(site: WordPress, service: PanelApi, post: int) -> None:
    service.illustrations.append(illustration(8, "posts/999999"))
    assert ask(site, "editor", f"{post}/candidates/108/image").status_code == 404


def test_the_token_is_in_no_answer_and_in_no_page(site: WordPress, service: PanelApi, post: int) -> None:
    answers = [ask(site, "admin", f"{post}/illustrations"), ask(site, "admin", f"{post}/candidates/107/image")]
    service.token = "another"
    answers.append(ask(site, "admin", f"{post}/illustrations"))
    with site.browser("admin") as admin:
        answers.append(admin.get(f"/wp-admin/post.php?post={post}&action=edit"))
        answers.append(admin.get("/wp-json/wp/v2/settings"))
    assert "panel.js" in answers[3].text
    assert [TOKEN.encode() in answer.content for answer in answers] == [False] * 5


def test_a_wrong_token_is_the_administrators_business(site: WordPress, service: PanelApi, post: int) -> None:
    service.token = "another"
    answer = ask(site, "editor", f"{post}/illustrations")
    assert answer.status_code == 502
    assert "Settings > Frontispiece" in answer.json()["message"]


def test_a_decision_that_came_too_late_says_so_in_the_services_words(
    site: WordPress, service: PanelApi, post: int
) -> None:
    service.refuse = (409, "Somebody decided first.")
    answer = ask(site, "editor", f"{post}/illustrations/7/approve", "POST", candidate=107)
    assert (answer.status_code, answer.json()["message"]) == (409, "Somebody decided first.")


def test_a_page_that_is_not_told_has_no_panel(site: WordPress) -> None:
    with site.api("editor") as api:
        number = api.post("/wp/v2/pages", json={"title": "About us"}).json()["id"]
    assert ask(site, "admin", f"{number}/illustrations").status_code == 403
