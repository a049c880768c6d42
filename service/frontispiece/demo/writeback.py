"""The newsroom's side of the generic plugin's contract: entries to be read, pictures to be taken and given back."""

import hmac
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.utils import secure_filename

from frontispiece.demo.archive import Archive, Article, OtherPicture, Picture

SUFFIXES = {"image/webp": ".webp", "image/jpeg": ".jpg", "image/png": ".png", "image/avif": ".avif"}


def entry(archive: Archive, article: Article) -> dict[str, Any]:
    """An article as the contract (plugins/generic/README.md) shows it."""
    return {
        "id": str(article.id),
        "kind": "article",
        "title": article.title,
        "excerpt": article.standfirst,
        "body": article.body,
        "tags": article.tags,
        "section": article.section,
        "language": "en",
        "status": article.status,
        "version": str(article.changed),
        "url": url_for("page", number=article.id, _external=True),
        "edit_url": url_for("edit", number=article.id, _external=True),
        "image": _image(archive.picture(article.picture)),
    }


def _image(picture: Picture | None) -> dict[str, str] | None:
    if picture is None:
        return None
    url = url_for("picture", file=picture.file, _external=True)
    return {"id": str(picture.id), "url": url, "alt": picture.alt}


def faces(archive: Archive, token: str) -> Blueprint:
    """What the adapter calls; every call must bring the token."""
    room = Blueprint("writeback", __name__, url_prefix="/frontispiece/entries")

    @room.before_request
    def _let_in() -> None:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            abort(401)

    @room.get("")
    def entries() -> ResponseReturnValue:
        since = datetime.fromisoformat(request.args.get("changed_since", "1970-01-01T00:00:00+00:00")).timestamp()
        bare = request.args.get("without_image") == "true"
        found = archive.articles(changed_since=since, without_picture=bare)
        return {"entries": [entry(archive, article) for article in found], "next": None}

    @room.get("/<int:number>")
    def one(number: int) -> ResponseReturnValue:
        return entry(archive, _article(archive, number))

    @room.post("/<int:number>/picture")
    def attach(number: int) -> ResponseReturnValue:
        _article(archive, number)
        form, key = request.form, request.headers["Idempotency-Key"]
        file = save(archive, f"{number}-{Path(key).stem}")
        try:
            put = archive.attach(number, key, form["expects"], file, form["alt"], form["caption"])
        except OtherPicture:
            return {"error": "the article has another picture now"}, 409
        return {**(_image(put) or {}), "previous": _image(archive.picture(put.previous))}

    @room.delete("/<int:number>/picture")
    def detach(number: int) -> ResponseReturnValue:
        _article(archive, number)
        try:
            archive.detach(number, request.args["expects"], request.args["restore"])
        except OtherPicture:
            return {"error": "the article has another picture now"}, 409
        return "", 204

    return room


def save(archive: Archive, stem: str) -> str:
    """Keeps the form's `picture` and returns its file name; 415 for what is no picture a browser can show."""
    sent = request.files["picture"]
    suffix = SUFFIXES.get(sent.mimetype) or abort(415)
    file = secure_filename(stem) + suffix
    sent.save(archive.pictures / file)
    return file


def _article(archive: Archive, number: int) -> Article:
    return archive.article(number) or abort(404)
