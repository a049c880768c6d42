"""What the demo needs before it starts: free ports, secrets of its own and a `frontispiece.toml`, in one folder."""

import base64
import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from frontispiece.errors import ConfigProblem

CONFIG = """\
# Written by `frontispiece demo` each time it starts.

[server]
url = "{service}"
port = {port}

[sites.gazette]
plugin = "generic"
url = "{newsroom}"
webhook_secret = "{webhook_secret}"
api_token = "{api_token}"

[[rules]]
name = "articles"
site = "gazette"
events = ["published"]
slot = "hero"
template = "article/hero"
brand = "gazette"
models = {models}
review = "always"
delay = 0
"""


@dataclass(frozen=True)
class Setting:
    """One demo: its folder, the addresses of both sides, and the secrets, which stay the same from start to start."""

    folder: Path
    port: int
    newsroom_port: int
    secrets: dict[str, str]

    @property
    def service(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def newsroom(self) -> str:
        return f"http://127.0.0.1:{self.newsroom_port}"

    @property
    def gazette(self) -> Path:
        """Where the newsroom keeps its articles and pictures."""
        return self.folder / "gazette"

    @property
    def env(self) -> dict[str, str]:
        """The surroundings of what we start, without the settings of a service that somebody runs in earnest."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith("FRONTISPIECE_")}
        ours = {
            "FRONTISPIECE_CONFIG": str(self.folder / "frontispiece.toml"),
            "FRONTISPIECE_DATA": str(self.folder / "data"),
            "GAZETTE_SECRET": self.secrets["webhook_secret"],
            "GAZETTE_TOKEN": self.secrets["api_token"],
        }
        return {**bare, **ours}

    def keep(self, name: str, value: str) -> None:
        """Remembers one more secret."""
        self.secrets[name] = value
        _write(self.folder / "secrets.json", json.dumps(self.secrets, indent=2))


def prepare(folder: Path, port: int | None) -> Setting:
    """Makes the folder, or takes up the one of last time. Raises `ConfigProblem` if `port` is taken."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if port is not None and not _free(port):
        raise ConfigProblem(f"port {port} is taken; name another with --port, or leave it out")
    chosen = _first_free(8460) if port is None else port
    file = folder / "secrets.json"
    known = json.loads(file.read_text("utf8")) if file.exists() else {}
    setting = Setting(folder, chosen, _first_free(chosen + 1), known)
    if not known:
        setting.keep("webhook_secret", f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}")
        setting.keep("api_token", secrets.token_urlsafe(24))
    _write(folder / "frontispiece.toml", _config(setting))
    return setting


def _config(setting: Setting) -> str:
    models = ["flux-2-pro", "sketch"] if os.environ.get("BFL_API_KEY") else ["sketch"]
    return CONFIG.format(
        service=setting.service,
        newsroom=setting.newsroom,
        port=setting.port,
        models=json.dumps(models),
        webhook_secret=setting.secrets["webhook_secret"],
        api_token=setting.secrets["api_token"],
    )


def _write(file: Path, text: str) -> None:
    """Keeps a file that nobody else may read."""
    file.touch(mode=0o600)
    file.write_text(text, "utf8")


def _first_free(port: int) -> int:
    found = next((one for one in range(port, min(port + 100, 65536)) if _free(one)), None)
    if found is None:
        raise ConfigProblem(f"no port is free from {port} on; name another with --port")
    return found


def _free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
