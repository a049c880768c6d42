"""Gets WordPress from Debian and the SQLite drop-in from npm, and installs it once into a template folder to be copied.

Needs apt-get, dpkg-deb, npm, unzip and PHP (install-php.sh), and writes nothing outside the cache folder.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from servers.installed import installed

FILES = Path(__file__).with_name("wordpress-files")
SUITES = ("trixie", "sid")  # Debian stable carries an older core, sid the newest
PACKAGES = (
    "wordpress",
    "php-getid3",
    "libphp-phpmailer",
    "libjs-cropper",
    "libjs-underscore",
    "libjs-lodash",
    "libjs-jquery-ui",
)
SQLITE = "@wp-playground/cli@3.1.56"  # carries the official SQLite Database Integration 3.0.2
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def template(suite: str) -> Path:
    """A folder with an installed WordPress of this Debian suite, to be copied and never run in place."""
    return installed(f"wordpress-{suite}", [Path(__file__), FILES], partial(_build, suite)) / "site"


def php() -> list[str]:
    """The command line of PHP as the tests want it; opcache looks at every file's time, so that edits count."""
    found = shutil.which("php")
    if found is None:
        raise FileNotFoundError("PHP is missing: run tests/servers/install-php.sh as root")
    limits = ("memory_limit=256M", "upload_max_filesize=32M", "post_max_size=34M", "opcache.revalidate_freq=0")
    return [found, *(part for limit in limits for part in ("-d", limit))]


def _build(suite: str, made: Path) -> None:
    with tempfile.TemporaryDirectory(dir=made.parent) as work:
        _put_together(suite, Path(work), made / "site")


def _put_together(suite: str, work: Path, site: Path) -> None:
    root = work / "root"
    _unpack_debs(suite, work, root)
    _copy_resolved(root / "usr/share/wordpress", site, root)
    (site / "wp-config.php").unlink()  # Debian's own looks in /etc
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", site / "wp-includes/certificates/ca-bundle.crt")
    shutil.copy(FILES / "wp-config.php", site)
    shutil.copytree(FILES / "theme", site / "wp-content/themes/stub", dirs_exist_ok=True)
    (site / "wp-content/mu-plugins").mkdir()
    shutil.copy(FILES / "quiet.php", site / "wp-content/mu-plugins")
    _add_sqlite(work, site / "wp-content")
    _install(site)


def _unpack_debs(suite: str, work: Path, root: Path) -> None:
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    (work / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {suite} main\n")
    (work / "apt.conf").write_text(
        f'Dir::State "{work}/state"; Dir::State::status "{work}/status"; Dir::Cache "{work}/cache";'
        f'Dir::Etc::sourcelist "{work}/sources.list"; Dir::Etc::sourceparts "/dev/null";'
        'Acquire::Languages "none"; APT::Sandbox::User "root";'
    )
    apt = os.environ | {"APT_CONFIG": str(work / "apt.conf")}
    subprocess.run(["apt-get", "-qq", "update"], check=True, env=apt)
    subprocess.run(["apt-get", "-qq", "download", *PACKAGES], check=True, env=apt, cwd=work / "debs")
    for deb in (work / "debs").glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb, root], check=True)


def _mirror() -> str:
    """The Debian archive that this machine already uses, from either format of its apt sources."""
    etc = Path("/etc/apt")
    files = [
        etc / "sources.list",
        *sorted(etc.glob("sources.list.d/*.list")),
        *sorted(etc.glob("sources.list.d/*.sources")),
    ]
    text = "\n".join(path.read_text() for path in files if path.exists())
    found = re.search(r"^(?:deb\b|URIs:).*?(https?://\S+/debian)/?(?:\s|$)", text, re.MULTILINE)
    if found is None:
        raise LookupError("the apt sources of this machine name no Debian archive (…/debian)")
    return found[1]


def _copy_resolved(source: Path, target: Path, root: Path) -> None:
    """Copies a tree whose absolute links mean files below `root`; links that lead nowhere are left out."""
    target.mkdir()
    for entry in source.iterdir():
        real = _resolved(entry, root)
        if real.is_dir():
            _copy_resolved(real, target / entry.name, root)
        elif real.exists():
            shutil.copy(real, target / entry.name)


def _resolved(path: Path, root: Path) -> Path:
    for _ in range(20):
        if not path.is_symlink():
            return path
        aim = path.readlink()
        path = root / aim.relative_to("/") if aim.is_absolute() else path.parent / aim
    raise OSError(f"{path}: links in a circle")


def _add_sqlite(work: Path, content: Path) -> None:
    subprocess.run(["npm", "pack", "--silent", SQLITE], check=True, cwd=work, stdout=subprocess.DEVNULL)
    subprocess.run(["tar", "xzf", next(work.glob("*.tgz")).name], check=True, cwd=work)
    (content / "plugins").mkdir(exist_ok=True)
    subprocess.run(
        ["unzip", "-q", work / "package/sqlite-database-integration.zip", "-d", content / "plugins"], check=True
    )
    plugin = content / "plugins/sqlite-database-integration"
    (content / "plugins/plugin-sqlite-database-integration").rename(plugin)
    (content / "database").mkdir()
    dropin = (plugin / "db.copy").read_text()
    dropin = dropin.replace("{SQLITE_PLUGIN}", "sqlite-database-integration/load.php")
    (content / "db.php").write_text(dropin.replace("{SQLITE_IMPLEMENTATION_FOLDER_PATH}", "/nowhere"))


def _install(site: Path) -> None:
    facts = {"url": "http://127.0.0.1:80", "allow_private": True}
    (site / "site.json").write_text(json.dumps(facts))
    done = subprocess.run([*php(), FILES / "install.php", site], check=True, capture_output=True, text=True)
    (site / "site.json").write_text(json.dumps(facts | json.loads(done.stdout)))
