"""Where results go: local paths, ``scheme://`` addresses, and path objects that can ``open`` themselves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import fsspec

Place = Any
"""A path, a ``scheme://`` address, or an object with ``open`` and ``parent`` such as ``ObjectStoragePath``."""


def local_path(place: Place) -> Path | None:
    """Return the local path of *place*, or None if it lies elsewhere."""
    text = os.fspath(place) if isinstance(place, (str, Path)) else str(place)
    if "://" not in text:
        return Path(text)
    parts = urlsplit(text)
    return Path(unquote(parts.path)) if parts.scheme in ("file", "local") else None


def suffix(place: Place) -> str:
    """Return the suffix of the last part of *place*, lowercase."""
    return Path(str(place).rsplit("/", 1)[-1]).suffix.lower()


def beside(place: Place, word: str) -> Place:
    """Return the place of ``name.word.suffix`` in the folder of *place*."""
    name = str(place).rsplit("/", 1)[-1]
    ending = Path(name).suffix
    renamed = f"{name[: len(name) - len(ending)]}.{word}{ending}"
    if hasattr(place, "with_name"):
        return place.with_name(renamed)
    return str(place)[: len(str(place)) - len(name)] + renamed


def open_for_writing(place: Place) -> BinaryIO:
    """Open a place that is not local."""
    if hasattr(place, "open"):
        return cast("BinaryIO", place.open("wb"))
    return cast("BinaryIO", fsspec.open(str(place), "wb").open())


def exists(place: Place) -> bool:
    """Say whether there is a file at *place*."""
    local = local_path(place)
    if local is not None:
        return local.exists()
    if hasattr(place, "exists"):
        return bool(place.exists())
    filesystem, path = fsspec.core.url_to_fs(str(place))
    return bool(filesystem.exists(path))


def remove(place: Place) -> None:
    """Remove a file of an earlier run, if it is there and can be removed."""
    local = local_path(place)
    if local is not None:
        local.unlink(missing_ok=True)
    elif hasattr(place, "unlink"):
        place.unlink(missing_ok=True)
    else:
        filesystem, path = fsspec.core.url_to_fs(str(place))
        if filesystem.exists(path):
            filesystem.rm_file(path)
