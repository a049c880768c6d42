"""What is put into storage comes back whole, from a folder and from a bucket at a real S3 server; the rest is words."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from moto.server import ThreadedMotoServer

from frontispiece.errors import ConfigProblem, Problem
from frontispiece.storage import Bucket, Folder, Storage, open_storage

KEY = "candidates/12-9f8e7d.png"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The `s3://` address of a new bucket, with a prefix."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    name = f"pictures-{uuid4().hex[:8]}"
    httpx.put(f"{s3}/{name}", trust_env=False).raise_for_status()
    return f"s3://{name}/front/page?endpoint={s3}&region=us-east-1"


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return open_storage(f"file://{tmp_path}/media")
    return open_storage(request.getfixturevalue("bucket"))


def test_what_was_put_comes_back(storage: Storage) -> None:
    data = os.urandom(300_000)
    storage.put(KEY, data, "image/png")
    assert storage.get(KEY) == data


def test_a_second_put_takes_the_firsts_place(storage: Storage) -> None:
    storage.put(KEY, b"first", "image/png")
    storage.put(KEY, b"second", "image/png")
    assert storage.get(KEY) == b"second"


def test_what_is_not_there_is_told_and_not_worth_another_try(storage: Storage) -> None:
    with pytest.raises(Problem, match=r"there is no candidates/12-9f8e7d\.png in ") as caught:
        storage.get(KEY)
    assert caught.value.retry is False


def test_what_was_deleted_is_gone(storage: Storage) -> None:
    storage.put(KEY, b"x", "image/png")
    storage.delete(KEY)
    with pytest.raises(Problem, match="there is no"):
        storage.get(KEY)


def test_deleting_what_is_not_there_is_no_error(storage: Storage) -> None:
    storage.delete(KEY)


def test_a_working_storage_passes_its_check(storage: Storage) -> None:
    storage.check()


@pytest.mark.parametrize(
    "key",
    [
        "../secret",
        "a/../../b",
        "/etc/passwd",
        "",
        ".",
        "a//b",
        "a/",
        "a\\b",
        ".hidden",
        "a/.b",
        "a\nb",
        "ä",
        "a b",
        "x" * 201,
    ],
)
def test_a_key_that_we_would_not_make_is_refused(storage: Storage, key: str) -> None:
    for act in (storage.get, storage.delete, lambda key: storage.put(key, b"x", "image/png")):
        with pytest.raises(Problem, match="is not the name of a stored picture"):
            act(key)


# A folder


def test_a_plain_path_is_a_folder(tmp_path: Path) -> None:
    assert open_storage(str(tmp_path)).place == str(tmp_path)


def test_a_file_address_may_have_spaces() -> None:
    assert open_storage("file:///srv/my%20pictures").place == "/srv/my pictures"


def test_a_put_leaves_nothing_beside_the_picture(tmp_path: Path) -> None:
    Folder(tmp_path).put(KEY, b"x", "image/png")
    assert [path.name for path in (tmp_path / "candidates").iterdir()] == ["12-9f8e7d.png"]


def test_a_put_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / KEY).mkdir(parents=True)
    with pytest.raises(Problem, match=r"could not write candidates/12-9f8e7d\.png in .*: .*[Dd]irectory") as caught:
        Folder(tmp_path).put(KEY, b"x", "image/png")
    assert (caught.value.retry, [path.name for path in (tmp_path / "candidates").iterdir()]) == (
        True,
        ["12-9f8e7d.png"],
    )


def test_a_picture_that_is_being_replaced_is_never_met_in_part(tmp_path: Path) -> None:
    Folder(tmp_path).put(KEY, b"old", "image/png")
    with (tmp_path / KEY).open("rb") as reader:
        Folder(tmp_path).put(KEY, b"new and longer", "image/png")
        assert reader.read() == b"old"


def test_a_picture_is_for_the_service_alone_to_read(tmp_path: Path) -> None:
    Folder(tmp_path).put(KEY, b"x", "image/png")
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_fails_its_check_in_words(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file")
    with pytest.raises(Problem, match=r"could not write check/\w+ in .*/media: "):
        Folder(tmp_path / "media").check()


# A bucket


def test_a_picture_in_a_bucket_lies_below_the_prefix_with_its_type(s3: str, bucket: str) -> None:
    open_storage(bucket).put(KEY, b"x", "image/png")
    name = bucket.removeprefix("s3://").partition("/")[0]
    known = {"Authorization": "AWS key:this server takes any signature"}
    told = httpx.head(f"{s3}/{name}/front/page/{KEY}", headers=known, trust_env=False)
    assert (told.status_code, told.headers["Content-Type"]) == (200, "image/png")


def test_a_bucket_that_is_not_there_fails_its_check_in_words(s3: str, bucket: str) -> None:
    missing = open_storage(f"s3://nobodys/x?endpoint={s3}")
    with pytest.raises(Problem, match=r"could not write check/\w+ in s3://nobodys/x: .*") as caught:
        missing.check()
    assert (bucket != "", "debug" in str(caught.value).lower()) == (True, False)


def test_a_storage_names_its_place_without_the_query(bucket: str) -> None:
    assert open_storage(bucket).place == bucket.partition("?")[0]


# What cannot be opened


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "expected a folder, file:///folder or s3://"),
        ("ftp://host/pictures", "expected a folder, file:///folder or s3://"),
        ("file://pictures", "expected a folder, file:///folder or s3://"),
        ("s3:///prefix", "needs the bucket's name"),
        ("s3://key:secret@bucket/x", "needs the bucket's name"),
        ("s3://bucket/x?endpont=http://a", "does not know endpont"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str, words: str) -> None:
    with pytest.raises(ConfigProblem, match=words):
        open_storage(url)


def test_an_address_with_a_secret_in_it_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigProblem) as caught:
        open_storage("s3://key:hush@bucket/x")
    assert "hush" not in str(caught.value)


def test_a_bucket_without_the_extra_says_what_to_install() -> None:
    without = "import sys; sys.modules['obstore'] = None; sys.modules['obstore.exceptions'] = None"
    code = f"{without}; from frontispiece.storage import open_storage; open_storage('s3://bucket')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stderr.endswith(
        "ConfigProblem: storage on S3 needs one more package: pip install 'frontispiece[s3]'\n"
    )


def test_the_two_kinds_are_told_apart(bucket: str, tmp_path: Path) -> None:
    assert [type(open_storage(bucket)), type(open_storage(str(tmp_path)))] == [Bucket, Folder]
