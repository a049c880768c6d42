"""The Gazette: a small newspaper to try Frontispiece with, in a process of its own.

It is a client of the public faces only: it signs and sends webhooks, and takes pictures through the generic
plugin's contract. `python -m frontispiece.demo.newsroom --help` starts it.
"""

import argparse
import json
import os
import secrets
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask, abort, redirect, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server

from frontispiece.demo import stories, writeback
from frontispiece.demo.archive import Archive, Article
from frontispiece.demo.wire import Wire

SECTIONS = ("City", "Culture", "Food", "Science", "Travel")


class Gazette:
    """The newspaper's pages, as the Flask `app`; what is published is told to `wire`, where there is one."""

    def __init__(self, archive: Archive, wire: Wire | None, token: str, desk: str = "") -> None:
        self.archive, self.wire, self.desk = archive, wire, desk
        self.app = Flask(__name__, template_folder="pages", static_folder="static")
        self.app.config["MAX_CONTENT_LENGTH"] = 20_000_000  # bytes
        self.app.register_blueprint(writeback.faces(archive, token))
        self.app.before_request(_from_here_only)
        self.app.after_request(_bolt)
        self.app.context_processor(self._shared)
        self._lay_out()

    def _lay_out(self) -> None:
        for path, view, methods in (
            ("/", self.front, ["GET"]),
            ("/articles/<int:number>", self.page, ["GET"]),
            ("/articles/<int:number>/figure", self.figure, ["GET"]),
            ("/pictures/<file>", self.picture, ["GET"]),
            ("/write", self.write, ["GET", "POST"]),
            ("/articles/<int:number>/edit", self.edit, ["GET", "POST"]),
            ("/articles/<int:number>/delete", self.delete, ["POST"]),
            ("/articles/<int:number>/picture", self.choose, ["POST"]),
            ("/ping", self.ping, ["POST"]),
        ):
            self.app.add_url_rule(path, view.__name__, view, methods=methods)

    def front(self) -> str:
        articles = self.archive.articles()
        return render_template("front.html", articles=articles)

    def page(self, number: int) -> str:
        article = self._article(number)
        others = [other for other in self.archive.articles() if other.id != number and other.status == "published"]
        return render_template("article.html", article=article, others=others[:3])

    def figure(self, number: int) -> str:
        """The article's picture alone, for the script that waits for it."""
        return render_template("figure.html", article=self._article(number), place=request.args.get("place", "page"))

    def picture(self, file: str) -> ResponseReturnValue:
        return send_from_directory(self.archive.pictures, file, max_age=3600)

    def write(self) -> ResponseReturnValue:
        if request.method == "GET":
            return render_template("write.html", story=stories.suggestion(self.archive), number=None)
        number = self.archive.write(**_story())
        self._tell("created" if request.form["act"] == "draft" else "published", number)
        return redirect(url_for("page", number=number), 303)

    def edit(self, number: int) -> ResponseReturnValue:
        before = self._article(number)
        if request.method == "GET":
            return render_template("write.html", story=_editable(before), number=number)
        after = _story()
        self.archive.rewrite(number, **after)
        newly = before.status == "draft" and after["status"] == "published"
        self._tell("published" if newly else "updated", number)
        return redirect(url_for("page", number=number), 303)

    def delete(self, number: int) -> ResponseReturnValue:
        self._article(number)
        self._tell("deleted", number)
        self.archive.delete(number)
        return redirect(url_for("front"), 303)

    def choose(self, number: int) -> ResponseReturnValue:
        """A person's own picture, which nothing else may replace."""
        self._article(number)
        file = writeback.save(self.archive, f"{number}-own-{secrets.token_hex(4)}")
        self.archive.choose(number, file, request.form["alt"])
        return redirect(url_for("page", number=number), 303)

    def ping(self) -> ResponseReturnValue:
        self._send("ping", None, None)
        return redirect(url_for("write"), 303)

    def _tell(self, what: str, number: int) -> None:
        entry = writeback.entry(self.archive, self._article(number))
        self._send(f"entry.{what}", number, {"id": str(number)} if what == "deleted" else entry)

    def _send(self, kind: str, number: int | None, data: dict[str, Any] | None) -> None:
        if self.wire is None:
            return
        body = {"type": kind, "timestamp": datetime.now(UTC).isoformat(timespec="seconds"), "data": data}
        self.archive.post(f"msg_{secrets.token_hex(12)}", number, json.dumps(body, ensure_ascii=False))
        self.wire.wake()

    def _article(self, number: int) -> Article:
        return self.archive.article(number) or abort(404)

    def _shared(self) -> dict[str, Any]:
        return {
            "archive": self.archive,
            "desk": self.desk,
            "connected": self.wire is not None,
            "sections": SECTIONS,
            "today": datetime.now().astimezone(),
            "when": lambda seconds: datetime.fromtimestamp(seconds).astimezone(),
        }


def _story() -> dict[str, Any]:
    form = request.form
    words = {name: form[name].replace("\r\n", "\n").strip() for name in ("title", "standfirst", "body", "section")}
    if not words["title"]:
        abort(400, "an article needs a title")
    tags = [tag.strip() for tag in form["tags"].split(",") if tag.strip()]
    return {**words, "tags": tags, "status": "draft" if form["act"] == "draft" else "published"}


def _editable(article: Article) -> dict[str, str]:
    texts = {name: getattr(article, name) for name in ("title", "standfirst", "body", "section", "status")}
    return {**texts, "tags": ", ".join(article.tags)}


def _from_here_only() -> None:
    """Forms of other sites must not write in this newspaper."""
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        abort(403)


def _bolt(answer: Any) -> Any:
    answer.headers["Content-Security-Policy"] = "default-src 'self'; base-uri 'none'; form-action 'self'"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def open_archive(folder: Path) -> Archive:
    """The archive in `folder`, with the older stories in it."""
    archive = Archive(folder)
    shutil.copy(Path(__file__).parent / "static" / "lighthouse.svg", archive.pictures)
    stories.fill(archive)
    return archive


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="newsroom", description="The Gazette, a small newspaper")
    options.add_argument("--port", type=int, default=8461)
    options.add_argument("--data", type=Path, required=True, help="folder for articles and pictures")
    options.add_argument("--hook", default="", help="where deliveries go: http://…/hooks/gazette")
    options.add_argument("--secret", default=os.environ.get("GAZETTE_SECRET", ""), help="whsec_… (or GAZETTE_SECRET)")
    options.add_argument("--token", default=os.environ.get("GAZETTE_TOKEN", ""), help="for callers (or GAZETTE_TOKEN)")
    options.add_argument("--desk", default="", help="the review desk, to link to")
    chosen = options.parse_args()
    if not chosen.token or (chosen.hook and not chosen.secret):
        options.error("a token is needed, and a secret where there is a hook")
    return chosen


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(0)


def main() -> None:
    """Serves until it is ended."""
    chosen = _options()
    archive = open_archive(chosen.data)
    wire = Wire(archive, chosen.hook, chosen.secret) if chosen.hook else None
    if wire:
        wire.start()
    signal.signal(signal.SIGTERM, _leave)
    gazette = Gazette(archive, wire, chosen.token, chosen.desk)
    server = make_server("127.0.0.1", chosen.port, gazette.app, threaded=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
