"""Settings > Frontispiece in a real WordPress: what it keeps, what it hides, what its buttons do and say."""

import json
import re
from pathlib import Path

import pytest
from servers.recorder import Recorder
from servers.wordpress import SECRET, SUITES, TOKEN, WordPress

from frontispiece.cms import Delivery

pytestmark = [pytest.mark.real, pytest.mark.timeout(300), pytest.mark.usefixtures("quiet")]
PAGE = "/wp-admin/options-general.php?page=frontispiece"


def form(page: str, marker: str) -> dict[str, str]:
    """The hidden fields of the form that contains the marker."""
    found = next(text for text in re.findall(r"<form.*?</form>", page, re.DOTALL) if marker in text)
    hidden = re.findall(r"<input[^>]*type=[\"']hidden[\"'][^>]*>", found)
    pairs = [(re.search(r"name=[\"']([^\"']+)", tag), re.search(r"value=[\"']([^\"']*)", tag)) for tag in hidden]
    return {name[1]: value[1] for name, value in pairs if name and value}


def test_the_settings_page_never_shows_a_secret(site: WordPress) -> None:
    with site.browser("admin") as admin:
        page = admin.get(PAGE).text
    assert "Webhook secret" in page
    assert [secret for secret in (SECRET, TOKEN) if secret in page] == []


def test_an_editor_may_not_see_the_settings_page(site: WordPress) -> None:
    with site.browser("editor") as editor:
        assert editor.get(PAGE).status_code == 403


def test_the_button_sends_a_test_delivery_and_says_so(site: WordPress, service: Recorder) -> None:
    with site.browser("admin") as admin:
        page = admin.post("/wp-admin/admin-post.php", data=form(admin.get(PAGE).text, "frontispiece_test")).text
    request = service.take()
    events = site.adapter().events(Delivery(request.headers, request.body))
    assert [event.kind for event in events] == ["ping"]
    assert "The service took the test delivery." in page


def test_a_refused_test_delivery_is_explained(site: WordPress, service: Recorder) -> None:
    service.status = 401
    with site.browser("admin") as admin:
        page = admin.post("/wp-admin/admin-post.php", data=form(admin.get(PAGE).text, "frontispiece_test")).text
    assert "does not accept the signature" in page


def test_the_test_button_needs_its_nonce(site: WordPress, service: Recorder) -> None:
    with site.browser("admin") as admin:
        answer = admin.post("/wp-admin/admin-post.php", data={"action": "frontispiece_test"})
    assert answer.status_code == 403
    assert service.arrived.empty()


def save_settings(site: WordPress, **fields: str) -> str:
    good = {"service": site.php("return \\Frontispiece\\setting('service');"), "site": "blog", "user": "frontispiece"}
    values = {f"frontispiece[{name}]": value for name, value in (good | {"secret": "", "token": ""} | fields).items()}
    with site.browser("admin") as admin:
        hidden = form(admin.get(PAGE).text, "frontispiece[service]")
        page = admin.post("/wp-admin/options.php", data=hidden | values | {"frontispiece[post_types][]": "post"})
    return page.text


def test_an_empty_secret_field_keeps_the_secret(site: WordPress) -> None:
    assert "Settings saved" in save_settings(site)
    assert site.php("return \\Frontispiece\\setting('secret');") == SECRET


def test_a_wrong_secret_is_explained_and_not_stored(site: WordPress) -> None:
    assert "whsec_ and at least 24 bytes" in save_settings(site, secret="whsec_short")
    assert site.php("return \\Frontispiece\\setting('secret');") == SECRET


def test_what_was_given_up_is_sent_by_the_button(site: WordPress, service: Recorder) -> None:
    service.status = 503
    number = site.post()["id"]
    service.take()
    site.php("global $wpdb; $wpdb->query('UPDATE ' . \\Frontispiece\\outbox() . ' SET tries = 99, due = 1');")
    site.run_cron()
    service.status = 202
    with site.browser("admin") as admin:
        page = admin.post("/wp-admin/admin-post.php", data=form(admin.get(PAGE).text, "frontispiece_send")).text
    assert json.loads(service.take().body)["id"] == number
    assert "Everything was sent." in page


def test_a_private_address_is_refused_until_the_constant_allows_it(tmp_path: Path, service: Recorder) -> None:
    site = WordPress(SUITES[0], tmp_path, allow_private=False)
    site.configure(service=service.url, site="blog", secret=SECRET)
    words = site.php("return \\Frontispiece\\trouble(\\Frontispiece\\deliver('msg_1', '{}', 3));")
    assert "FRONTISPIECE_ALLOW_PRIVATE" in words
    assert service.arrived.empty()
