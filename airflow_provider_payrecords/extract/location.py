"""Where the files of an extract are: local paths and globs are read in place, everything else is copied first."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit, urlunsplit

import fsspec

from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract.integrity import private_file

_CHUNK_BYTES = 1 << 20
_LOCAL_SCHEMES = ("", "file", "local")


class ObjectPath(Protocol):
    """A path in object storage: Airflow's ``ObjectStoragePath``, or universal_pathlib's ``UPath``."""

    def open(self, mode: str) -> Any:
        """Return a binary file."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A local file to read, and the name people know it by."""

    path: Path
    name: str


def shown_name(location: object) -> str:
    """Return a path or URL without user, password and query."""
    text = str(location)
    if "://" not in text:
        return text
    parts = urlsplit(text)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def fetch(location: str | os.PathLike[str] | ObjectPath, folder: Path) -> list[SourceFile]:
    """
    Return the files of *location* in order of their names, copied into *folder* unless they are local.

    Args:
        location: A path, a glob, a URL that fsspec knows, or an object with ``open("rb")`` and a scheme.

    Raises:
        ExtractError: Nothing is there, it is a directory, or it may not be read.
    """
    name = shown_name(location)
    scheme = str(location).partition("://")[0] if "://" in str(location) else ""
    try:
        if scheme and not isinstance(location, str) and hasattr(location, "open"):
            return [_copy(location.open("rb"), folder, 0, name)]
        if scheme not in _LOCAL_SCHEMES:
            return list(_download(str(location), folder, name))
        return [_readable(path, shown_name(path)) for path in _local(str(location).partition("://")[2] or location)]
    except FileNotFoundError as error:
        raise ExtractError(f"{name} does not exist. Check the path, and that the task before it wrote it.") from error
    except PermissionError as error:
        raise ExtractError(f"{name} may not be read by this user. Give it permission to read the extract.") from error
    except IsADirectoryError as error:
        raise ExtractError(
            f"{name} is a directory. Name a file, or a glob such as {name.rstrip('/')}/*.csv."
        ) from error
    except ImportError as error:
        raise ExtractError(f"{name} needs a library that is not installed ({error}). Install it for fsspec.") from error
    except OSError as error:
        raise ExtractError(f"{name} cannot be read: {error.strerror or type(error).__name__}.") from error


def _local(location: str | os.PathLike[str] | ObjectPath) -> list[Path]:
    text = str(location)
    if Path(text).exists() or not glob.has_magic(text):
        return [Path(text)]
    matches = sorted(glob.glob(text, recursive=True))
    found = [path for path in map(Path, matches) if not path.is_dir()]
    if not found:
        raise ExtractError(f"No file matches {text}. Check the pattern, and that the task before it wrote files.")
    return found


def _readable(path: Path, name: str) -> SourceFile:
    with path.open("rb") as file:
        file.read(1)
    return SourceFile(path, name)


def _download(url: str, folder: Path, name: str) -> Iterator[SourceFile]:
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ValueError as error:
        raise ExtractError(f"{name}: {str(error).rstrip('.')}. Use a path, or a URL that fsspec knows.") from error
    paths = sorted(system.glob(path)) if glob.has_magic(path) else [path]
    if not paths:
        raise ExtractError(f"No file matches {name}. Check the pattern, and that the task before it wrote files.")
    for number, one in enumerate(paths):
        if system.isdir(one):
            raise IsADirectoryError(one)
        yield _copy(system.open(one, "rb"), folder, number, name if len(paths) == 1 else shown_name(one))


def _copy(source: BinaryIO, folder: Path, number: int, name: str) -> SourceFile:
    path = folder / f"{number:06d}"
    with source, private_file(path) as copy:
        shutil.copyfileobj(source, copy, _CHUNK_BYTES)
    return _readable(path, name)
