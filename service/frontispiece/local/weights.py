"""The headers of safetensors files, which tell how large a model is, and whether its download was cut off.

The format: https://huggingface.co/docs/safetensors/index#format.
"""

import json
import math
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

HEADER = 100_000_000  # bytes, the most that the format allows


def cut(file: Path) -> bool:
    """Whether fewer bytes are there than the header says."""
    there = file.stat()
    return _cut(file, there.st_size, there.st_mtime_ns)


@lru_cache(maxsize=1000)
def _cut(file: Path, size: int, _changed: int) -> bool:
    """A header is read once, until the file is another."""
    try:
        start, tensors = _header(file)
    except (OSError, ValueError, struct.error):
        return True
    return size < start + max((each["data_offsets"][1] for each in tensors.values()), default=0)


def parameters(part: Path) -> int:
    """How many numbers the model in this folder consists of."""
    headers = [_header(file)[1] for file in part.glob("*.safetensors")]
    return sum(math.prod(each["shape"]) for tensors in headers for each in tensors.values())


def parts(folder: Path) -> dict[str, int]:
    """How many numbers each part of a pipeline consists of; parts without weights are left out."""
    counted = {part.name: parameters(part) for part in sorted(folder.iterdir()) if part.is_dir()}
    return {name: count for name, count in counted.items() if count}


def _header(file: Path) -> tuple[int, dict[str, Any]]:
    """Where the tensors begin, and what is said of each. Raises `ValueError`, `struct.error`."""
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        if length > HEADER:
            raise ValueError(f"{file} is no safetensors file")
        tensors: dict[str, Any] = json.loads(opened.read(length))
    tensors.pop("__metadata__", None)
    return 8 + length, tensors
