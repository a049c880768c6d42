"""What a real WordPress with our plugin tells the service, and what it keeps to itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from servers.recorder import Recorded, Recorder
from servers.wordpress import WordPress

from frontispiece.cms import Delivery

pytestmark = [pytest.mark.real, pytest.mark.timeout(300), pytest.mark.usefixtures("quiet")]


def said(request: Recorded) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.body)
    return body


def change(site: WordPress, number: int, login: str = "editor", **fields: Any) -> None:
    with site.api(login) as api:
        api.post(f"/wp/v2/posts/{number}", json=fields).raise_for_status()


def assert_nothing_came(site: WordPress, service: Recorder) -> None:
    """Deliveries leave before a request ends; so the next one to come is the one we now cause."""
    marker = site.post(title="Marker")
    assert said(service.take())["id"] == marker["id"]


def make_due(site: WordPress) -> None:
    site.php(
        "global $wpdb; $wpdb->query('UPDATE ' . \\Frontispiece\\outbox() . ' SET due = 1');"
        "wp_clear_scheduled_hook('frontispiece_retry'); \\Frontispiece\\schedule();"
    )


def upload(site: WordPress, name: str = "own.png") -> int:
    dot = Path(__file__).with_name("dot.png").read_bytes()
    with site.api("editor") as api:
        answer = api.post("/wp/v2/media", files={"file": (name, dot, "image/png")})
    return int(answer.raise_for_status().json()["id"])


def test_a_delivery_is_signed_so_that_the_adapter_accepts_it(site: WordPress, service: Recorder) -> None:
    site.post(title="Zwölf <em>Boote</em>")
    request = service.take()
    sent_id = site.adapter().verify(Delivery(request.headers, request.body))
    assert sent_id == request.headers.get("webhook-id")


def test_publishing_in_one_request_is_told_after_image_and_tags_are_stored(site: WordPress, service: Recorder) -> None:
    with site.api("editor") as api:
        tag = api.post("/wp/v2/tags", json={"name": "Harbour"}).raise_for_status().json()["id"]
    image = upload(site)
    post = site.post(status="publish", tags=[tag], featured_media=image)
    assert said(service.take()) | {"title": ""} == {
        "event": "entry.published",
        "site": "blog",
        "rest_root": f"{site.url}/wp-json/",
        "rest_base": "posts",
        "id": post["id"],
        "status": "publish",
        "previous_status": "new",
        "locale": "en-US",
        "title": "",
        "link": post["link"],
        "modified_gmt": post["modified_gmt"] + "Z",
        "featured_media": image,
    }


def test_a_post_is_told_from_draft_to_bin(site: WordPress, service: Recorder) -> None:
    number = site.post()["id"]
    change(site, number, title="Another day at sea")
    change(site, number, status="publish")
    with site.api("editor") as api:
        api.delete(f"/wp/v2/posts/{number}").raise_for_status()
    told = [said(service.take()) for _ in range(4)]
    assert [(one["event"], one["previous_status"]) for one in told] == [
        ("entry.created", "new"),
        ("entry.updated", "draft"),
        ("entry.published", "draft"),
        ("entry.deleted", "publish"),
    ]


def test_a_post_deleted_past_the_bin_is_told(site: WordPress, service: Recorder) -> None:
    number = site.post()["id"]
    service.take()
    with site.api("editor") as api:
        api.delete(f"/wp/v2/posts/{number}", params={"force": True}).raise_for_status()
    assert said(service.take())["event"] == "entry.deleted"


def test_changed_tags_are_an_update(site: WordPress, service: Recorder) -> None:
    number = site.post()["id"]
    service.take()
    with site.api("editor") as api:
        tag = api.post("/wp/v2/tags", json={"name": f"Tag {number}"}).raise_for_status().json()["id"]
    change(site, number, tags=[tag])
    assert said(service.take())["event"] == "entry.updated"


def test_the_wish_for_no_picture_is_an_update_that_the_adapter_reads(site: WordPress, service: Recorder) -> None:
    number = site.post()["id"]
    service.take()
    change(site, number, frontispiece={"opted_out": True})
    assert said(service.take())["event"] == "entry.updated"
    with site.adapter().open() as api:
        assert site.adapter().fetch(api, f"posts/{number}").opted_out is True


def test_a_scheduled_post_is_told_when_it_comes_out(site: WordPress, service: Recorder) -> None:
    number = site.post(status="future", date="2035-01-01T00:00:00")["id"]
    service.take()
    site.php(f"wp_publish_post({number});")
    told = said(service.take())
    assert (told["event"], told["previous_status"]) == ("entry.published", "future")


def test_a_save_without_a_change_is_not_told(site: WordPress, service: Recorder) -> None:
    number = site.post()["id"]
    service.take()
    change(site, number, title="A day at sea")
    assert_nothing_came(site, service)


def test_a_person_who_only_sets_the_image_is_not_told(site: WordPress, service: Recorder) -> None:
    number = site.post()["id"]
    service.take()
    change(site, number, featured_media=upload(site))
    assert_nothing_came(site, service)


def test_what_the_service_user_writes_is_not_told(site: WordPress, service: Recorder) -> None:
    number = site.post()["id"]
    service.take()
    change(site, number, login="frontispiece", title="Written by the service user")
    assert_nothing_came(site, service)


def test_a_post_type_that_is_not_ticked_is_not_told(site: WordPress, service: Recorder) -> None:
    with site.api("editor") as api:
        api.post("/wp/v2/pages", json={"title": "Imprint", "status": "publish"}).raise_for_status()
    assert_nothing_came(site, service)


def test_an_autosave_waits_for_the_save_and_keeps_its_event(site: WordPress, service: Recorder) -> None:
    number = site.php(
        "define('DOING_AUTOSAVE', true);"
        "$id = wp_insert_post(array('post_status' => 'auto-draft', 'post_title' => 'Auto Draft'));"
        "wp_update_post(array('ID' => $id, 'post_status' => 'draft', 'post_title' => 'Half a ti')); return $id;"
    )
    assert_nothing_came(site, service)
    change(site, number, title="Half a title")
    assert said(service.take())["event"] == "entry.created"


def test_what_the_service_missed_comes_again_with_the_same_id_and_body(site: WordPress, service: Recorder) -> None:
    service.status = 503
    site.post(title="Missed")
    first = service.take()
    service.status = 202
    make_due(site)
    site.run_cron()
    again = service.take()
    assert (again.headers.get("webhook-id"), again.body) == (first.headers.get("webhook-id"), first.body)
    assert site.adapter().verify(Delivery(again.headers, again.body)) == first.headers.get("webhook-id")
    assert site.php("return \\Frontispiece\\waiting()['count'];") == 0


def test_a_retry_waits_longer_each_time(site: WordPress, service: Recorder) -> None:
    service.status = 503
    site.post(title="Missed")
    pauses = []
    for _ in range(3):
        service.take()
        pauses.append(
            site.php("global $wpdb; return $wpdb->get_var('SELECT due FROM ' . \\Frontispiece\\outbox()) - time();")
        )
        make_due(site)
        site.run_cron()
    service.take()
    service.status = 202
    make_due(site)
    site.run_cron()
    service.take()
    assert [round(pause / 60) for pause in pauses] == [1, 5, 15]


def test_a_delivery_outlives_the_process_that_was_to_send_it(site: WordPress, service: Recorder) -> None:
    with pytest.raises(RuntimeError):
        site.php(
            "wp_insert_post(array('post_title' => 'Cut off', 'post_status' => 'draft')); posix_kill(getmypid(), 9);"
        )
    make_due(site)
    site.run_cron()
    assert said(service.take())["title"] == "Cut off"


def test_a_service_that_is_away_delays_no_other_delivery_of_the_request(site: WordPress, service: Recorder) -> None:
    site.configure(service="http://127.0.0.1:9")
    site.php(
        "foreach (array('One', 'Two') as $t) { wp_insert_post(array('post_title' => $t, 'post_status' => 'draft')); }"
    )
    tries = site.php(
        "global $wpdb; return $wpdb->get_col('SELECT tries FROM ' . \\Frontispiece\\outbox() . ' ORDER BY id');"
    )
    site.configure(service=service.url)
    make_due(site)
    site.run_cron()
    assert [int(number) for number in tries] == [1, 0]
    assert [said(service.take())["title"] for _ in range(2)] == ["One", "Two"]


def test_a_later_save_does_not_wait_for_a_service_that_is_away(site: WordPress, service: Recorder) -> None:
    site.configure(service="http://127.0.0.1:9")
    site.post(title="Meets nobody")
    site.post(title="Does not try")
    site.configure(service=service.url)
    tries = site.php("global $wpdb; return $wpdb->get_col('SELECT tries FROM ' . \\Frontispiece\\outbox());")
    make_due(site)
    site.run_cron()
    assert [int(number) for number in tries] == [1, 0]
    assert [said(service.take())["title"] for _ in range(2)] == ["Meets nobody", "Does not try"]


def test_what_the_service_cannot_read_is_not_sent_again(site: WordPress, service: Recorder) -> None:
    service.status = 422
    site.post()
    service.take()
    assert site.php("return \\Frontispiece\\waiting()['count'];") == 0


def test_no_php_warning_was_logged(site: WordPress) -> None:
    log = site.folder / "debug.log"
    assert (log.read_text() if log.exists() else "") == ""
