"""Where candidates lie: a folder of our own, or a bucket at any service that speaks S3."""

import os
import re
import tempfile
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from uuid import uuid4

from frontispiece.errors import ConfigProblem, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import S3Config, S3Store

_PART = "[A-Za-z0-9][A-Za-z0-9._-]*"
_KEY = re.compile(rf"{_PART}(/{_PART})*")


class Storage(Protocol):
    """Keeps bytes under keys such as `candidates/12-9f8e….png`; what was put is there or an error was raised."""

    place: str  # for people: the folder, or the bucket's address

    def put(self, key: str, data: bytes, mime: str) -> None:
        """Keeps the bytes, over what may lie there. They are durable on return. Raises `Problem`."""

    def get(self, key: str) -> bytes:
        """The bytes that were put. Raises `Problem`, without `retry` when there is nothing under the key."""

    def delete(self, key: str) -> None:
        """Removes what lies there; nothing there is no error. Raises `Problem`."""

    def check(self) -> None:
        """Writes, reads and removes a small file. Raises `Problem` in words fit for the person who set this up."""


def open_storage(url: str) -> Storage:
    """The storage that `FRONTISPIECE_STORAGE_URL` names: a path, `file:///path`, or an `s3://` address.

    `s3://bucket/prefix?endpoint=https://…&region=…` takes its credentials from the usual `AWS_…` variables; without
    an endpoint it is Amazon's. Raises `ConfigProblem`.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return Bucket(parts)
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return Folder(Path(unquote(parts.path)))
    if "://" in url or parts.scheme == "file" or not url:
        raise ConfigProblem(f"storage {url!r}: expected a folder, file:///folder or s3://bucket/prefix?endpoint=…")
    return Folder(Path(url).expanduser())


def kept(storage: Storage, key: str, mime: str, make: Callable[[], bytes]) -> bytes:
    """What lies under the key; made and put there the first time. Raises `Problem`, and what `make` raises."""
    try:
        return storage.get(key)
    except Problem as missing:
        if missing.retry:
            raise
    data = make()
    storage.put(key, data, mime)
    return data


def _checked(key: str) -> str:
    if len(key) > 200 or not _KEY.fullmatch(key):
        raise Problem(f"{key[:200]!r} is not the name of a stored picture")
    return key


def _round_trip(storage: Storage) -> None:
    key, data = f"check/{uuid4().hex}", b"frontispiece was here"
    storage.put(key, data, "text/plain")
    found = storage.get(key)
    storage.delete(key)
    if found != data:
        raise Problem(f"{storage.place} does not give back what was written to it")


def _in_words(problem: Exception, act: str, key: str, place: str) -> Problem:
    if isinstance(problem, FileNotFoundError) and act == "read":
        return Problem(f"there is no {key} in {place}")
    words = str(problem).split("\n\n", maxsplit=1)[0]  # obstore's debug notes follow an empty line
    return Problem(f"could not {act} {key} in {place}: {words}", retry=True)  # disks are emptied, rights are granted


class Folder:
    """Files below one folder, which is made when the first one is put."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = str(root)

    def put(self, key: str, data: bytes, mime: str) -> None:  # noqa: ARG002 - a folder keeps no types
        """Writes beside, syncs, renames: a reader or a crash never meets half a picture."""
        path = self.root / _checked(key)
        with self._said("write", key):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = _write_beside(path, data)
            try:
                beside.replace(path)
            except OSError:
                beside.unlink()
                raise
            _sync_folder(path.parent)

    def get(self, key: str) -> bytes:
        """The whole file."""
        with self._said("read", key):
            return (self.root / _checked(key)).read_bytes()

    def delete(self, key: str) -> None:
        """Removes the file; its folder stays."""
        with self._said("delete", key):
            (self.root / _checked(key)).unlink(missing_ok=True)

    def check(self) -> None:
        """As `Storage.check`."""
        _round_trip(self)

    @contextmanager
    def _said(self, act: str, key: str) -> "Iterator[None]":
        try:
            yield
        except OSError as problem:
            raise _in_words(problem, act, key, self.place) from problem


def _write_beside(path: Path, data: bytes) -> Path:
    number, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(number)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)  # the name is durable only when the folder is
    finally:
        os.close(number)


class Bucket:
    """Objects below a prefix of one bucket. Needs the extra `s3` (obstore)."""

    def __init__(self, url: SplitResult) -> None:
        self.place = f"{url.scheme}://{url.netloc}{url.path}"
        self._store = _open_bucket(url)

    def put(self, key: str, data: bytes, mime: str) -> None:
        """One PUT with the type as Content-Type; S3 shows an object whole or not at all."""
        with self._said("write", key):
            self._store.put(_checked(key), data, attributes={"Content-Type": mime}, use_multipart=False)

    def get(self, key: str) -> bytes:
        """One GET, read to its end."""
        with self._said("read", key):
            return bytes(self._store.get(_checked(key)).bytes())

    def delete(self, key: str) -> None:
        """One DELETE, which S3 answers alike when there was nothing."""
        with self._said("delete", key):
            self._store.delete(_checked(key))

    def check(self) -> None:
        """As `Storage.check`."""
        _round_trip(self)

    @contextmanager
    def _said(self, act: str, key: str) -> "Iterator[None]":
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra

        try:
            yield
        except (BaseError, OSError) as problem:
            raise _in_words(problem, act, key, self.place) from problem


def _open_bucket(url: SplitResult) -> "S3Store":
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra
        from obstore.store import S3Store  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as problem:
        raise ConfigProblem("storage on S3 needs one more package: pip install 'frontispiece[s3]'") from problem
    options = _bucket_options(url)
    plain_http = options.get("endpoint", "").startswith("http://")
    try:
        return S3Store(
            url.netloc,
            prefix=url.path.strip("/") or None,
            config=options,
            client_options={"allow_http": plain_http, "timeout": timedelta(seconds=30)},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )
    except (BaseError, ValueError) as problem:
        raise ConfigProblem(f"storage {url.geturl()}: {problem}") from problem


def _bucket_options(url: SplitResult) -> "S3Config":
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    unknown = ", ".join(sorted(options.keys() - {"endpoint", "region"}))
    if not url.netloc or unknown or "@" in url.netloc:
        wrong = f"does not know {unknown}" if unknown else "needs the bucket's name and nothing else before the slash"
        raise ConfigProblem(f"storage s3: {wrong}; expected s3://bucket/prefix?endpoint=https://…&region=…")
    config: S3Config = {}
    if "endpoint" in options:
        config["endpoint"] = options["endpoint"]
    if "region" in options:
        config["region"] = options["region"]
    return config
