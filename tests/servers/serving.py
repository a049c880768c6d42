"""A Flask app of the tests' own, served over real HTTP on a port that it keeps from one start to the next."""

import threading

from flask import Flask
from servers.database import free_port
from werkzeug.serving import BaseWSGIServer, make_server

__all__ = ["Serving"]


class Serving:
    """Stands in for a hosted service; `url` is where, on loopback."""

    def __init__(self, app: Flask) -> None:
        self.app, self.port = app, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: BaseWSGIServer | None = None

    def start(self) -> None:
        """Listens when it returns."""
        self._server = make_server("127.0.0.1", self.port, self.app, threaded=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Listens no more when it returns."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
