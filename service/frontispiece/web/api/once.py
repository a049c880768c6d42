"""`Idempotency-Key`: a POST that is sent twice under the same key is done once and answered the same both times."""

import re
from collections.abc import Callable
from hashlib import sha256

from flask import Response, request

from frontispiece import kept
from frontispiece.web import security
from frontispiece.web.api import callers

HEADER = "Idempotency-Key"
PATTERN = r"^[!-~]([ -~]{0,198}[!-~])?$"  # 1 to 200 printable ASCII characters; HTTP takes spaces off the ends
REPLAYED = {"Idempotency-Replayed": "true"}


def answered(answer: Callable[[], Response]) -> Response:
    """The answer, or what was answered before under the key that was sent; without a key simply the answer."""
    key = request.headers.get(HEADER)
    if key is None:
        return answer()
    if not re.fullmatch(PATTERN, key):
        return callers.error(400, f"{HEADER} has 1 to 200 printable ASCII characters.")
    try:
        begun = kept.begin(security.house().database, callers.holder(), key, _digest())
    except kept.OtherRequest as problem:
        return callers.error(422, problem.words)
    except kept.AtWork as problem:
        return callers.error(409, problem.words, {"Retry-After": "1"})
    if isinstance(begun, tuple):
        status, body = begun
        return Response(body, status, REPLAYED, mimetype="application/json")
    return _kept(begun, answer)


def _kept(begun: kept.Begun, answer: Callable[[], Response]) -> Response:
    made: Response | None = None
    try:
        made = answer()
    finally:
        if made is None or made.status_code >= 500:  # trying again may go better
            begun.release()
    if made.status_code < 500:
        begun.keep(made.status_code, made.get_data(as_text=True))
    return made


def _digest() -> str:
    """A hash of what was sent; not of a form's bytes, whose boundary is another one each time."""
    known = sha256(f"{request.method} {request.full_path}\n".encode("utf8", "replace"))
    if request.mimetype != "multipart/form-data":
        known.update(request.get_data())
        return known.hexdigest()
    for name, value in sorted(request.form.items(multi=True)):
        known.update(f"{name!r}={value!r}\n".encode("utf8", "replace"))
    for name, file in sorted(request.files.items(multi=True), key=lambda part: part[0]):
        known.update(f"{name!r}:{sha256(file.stream.read()).hexdigest()}\n".encode("utf8", "replace"))
        file.stream.seek(0)
    return known.hexdigest()
