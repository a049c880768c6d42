"""Zips a folder so that the same files give the same bytes: sorted names, one date, one mode.

python scripts/zip_folder.py plugins/wordpress/plugin/frontispiece dist/frontispiece-wordpress.zip
"""

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold
LEFT_OUT = {"node_modules", "tests", "__pycache__"}


def files(folder: Path) -> list[Path]:
    """What goes in: everything but hidden files, tests and what was installed for them."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and _wanted(path.relative_to(folder)))


def _wanted(path: Path) -> bool:
    return not any(part.startswith(".") or part in LEFT_OUT for part in path.parts)


def zip_folder(folder: Path, archive: Path) -> int:
    """Writes the archive, the folder's own name at its top, and returns the number of files in it."""
    found = files(folder)
    if not found:
        raise SystemExit(f"{folder} holds nothing to zip")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(archive, "w") as file:
        for path in found:
            info = ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", EPOCH)
            info.external_attr = 0o644 << 16
            file.writestr(info, path.read_bytes(), ZIP_DEFLATED)
    return len(found)


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    print(f"{target}: {zip_folder(source, target)} files")
