"""Writes plugins/wordpress/deliveries/*.http anew, each exactly as a real WordPress sent it.

PYTHONPATH=tests python -m servers.record_wordpress
"""

from servers.recorder import Recorder, recording
from servers.wordpress import PLUGIN, SUITES, WordPress, running

FOLDER = PLUGIN.parents[1] / "deliveries"


def main() -> None:
    """The oldest and the newest core that the tests know, one file for each kind of delivery."""
    FOLDER.mkdir(exist_ok=True)
    for suite in SUITES:
        with recording() as service, running(suite, service.url) as site:
            _record(site, service)


def _record(site: WordPress, service: Recorder) -> None:
    version = site.version.rpartition(".")[0]
    site.php(
        "\\Frontispiece\\deliver('msg_test', wp_json_encode(\\Frontispiece\\test_body(), JSON_UNESCAPED_SLASHES), 3);"
    )
    _keep(service, f"test-{version}")
    number = site.post(title="Zwölf Boote & ein <em>Hafen</em>")["id"]
    _keep(service, f"created-{version}")
    with site.api("editor") as api:
        api.post(f"/wp/v2/posts/{number}", json={"excerpt": "Ein Tag am Meer"}).raise_for_status()
        _keep(service, f"updated-{version}")
        api.post(f"/wp/v2/posts/{number}", json={"status": "publish"}).raise_for_status()
        _keep(service, f"published-{version}")
        api.delete(f"/wp/v2/posts/{number}").raise_for_status()
        _keep(service, f"deleted-{version}")


def _keep(service: Recorder, name: str) -> None:
    (FOLDER / f"{name}.http").write_bytes(service.take().raw)


if __name__ == "__main__":
    main()
