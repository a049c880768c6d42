"""What the adapter reads from a real WordPress: an entry, what was missed, and whether all is well."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from servers.wordpress import SUITES, WordPress, running

from frontispiece.cms import Adapter, CmsProblem, Entry, Gone

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
DOT = Path(__file__).with_name("dot.png")


@pytest.fixture(scope="module", params=SUITES)
def site(request: pytest.FixtureRequest) -> Iterator[WordPress]:
    with running(request.param, "http://127.0.0.1:9") as wordpress:  # nobody listens: saving must not need it
        yield wordpress


def test_an_entry_is_read_as_plain_text(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    with site.api("admin") as admin:
        tag = admin.post("/wp/v2/tags", json={"name": f"Salt & sea {site.port}"}).json()["id"]
        section = admin.post("/wp/v2/categories", json={"name": f"Travel {site.port}"}).json()["id"]
    post = site.post(
        status="publish",
        title="Zwölf <em>Boote</em> &amp; mehr",
        excerpt="<p>Kurz</p>",
        content="<!-- wp:paragraph --><p>One\ntwo &lt;3</p><!-- /wp:paragraph --><ul><li>a</li><li>b</li></ul>",
        tags=[tag],
        categories=[section],
    )
    assert adapter.fetch(api, f"posts/{post['id']}") == Entry(
        ref=f"posts/{post['id']}",
        kind="article",
        title="Zwölf Boote & mehr",
        locale="en-US",
        excerpt="Kurz",
        body="One two <3\na\nb",
        tags=(f"Salt & sea {site.port}",),
        section=f"Travel {site.port}",
        sections=(f"Travel {site.port}",),
        author="Editor",
        status="publish",
        url=post["link"],
        edit_url=f"{site.url}/wp-admin/post.php?post={post['id']}&action=edit",
        version=post["modified_gmt"],
    )


def test_a_page_is_read_like_a_post(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    with site.api("editor") as editor:
        number = editor.post("/wp/v2/pages", json={"title": "About us"}).json()["id"]
    assert adapter.fetch(api, f"pages/{number}").title == "About us"


def test_an_entry_that_is_not_there_is_gone(adapter: Adapter, api: httpx.Client) -> None:
    with pytest.raises(Gone):
        adapter.fetch(api, "posts/999999")


def test_recent_finds_what_has_no_image(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    with site.api("editor") as editor:
        files = {"file": ("dot.png", DOT.read_bytes(), "image/png")}
        media = editor.post("/wp/v2/media", files=files).raise_for_status().json()["id"]
    done = site.post(featured_media=media)["id"]
    draft = site.post()["id"]
    public = site.post(status="publish")["id"]
    found = {event.ref: event.kind for event in adapter.recent(api, datetime.now(UTC) - timedelta(hours=1))}
    assert {ref: found.get(ref) for ref in (f"posts/{done}", f"posts/{draft}", f"posts/{public}")} == {
        f"posts/{done}": None,
        f"posts/{draft}": "created",
        f"posts/{public}": "published",
    }


def test_recent_leaves_out_what_is_older_in_any_time_zone(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    site.php("update_option('timezone_string', 'Pacific/Auckland');")
    site.post()
    found = list(adapter.recent(api, datetime.now(UTC) + timedelta(minutes=1)))
    site.php("update_option('timezone_string', 'UTC');")
    assert found == []


def test_recent_turns_every_page(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    site.php(
        "for ($i = 0; $i < 120; $i++) { wp_insert_post(array('post_title' => \"Many $i\", 'post_status' => 'draft')); }"
    )
    site.php("global $wpdb; $wpdb->query('DELETE FROM ' . \\Frontispiece\\outbox());")
    refs = [event.ref for event in adapter.recent(api, datetime.now(UTC) - timedelta(hours=1))]
    assert len(refs) >= 120
    assert len(set(refs)) == len(refs)


def test_the_doctor_is_content(adapter: Adapter, api: httpx.Client) -> None:
    assert adapter.doctor(api)[:2] == [
        "user frontispiece is accepted and may upload pictures and set them",
        "the Frontispiece plugin is active",
    ]


def test_the_doctor_sees_missing_rights(site: WordPress) -> None:
    author = site.adapter(user="author", password=site.passwords["author"])
    with author.open() as client, pytest.raises(CmsProblem, match="may not edit_others_posts"):
        author.doctor(client)


def test_the_doctor_sees_that_our_plugin_is_off(site: WordPress, adapter: Adapter, api: httpx.Client) -> None:
    site.php("deactivate_plugins('frontispiece/frontispiece.php');")
    with pytest.raises(CmsProblem, match="plugin is not active"):
        adapter.doctor(api)
    site.php("activate_plugin('frontispiece/frontispiece.php');")
