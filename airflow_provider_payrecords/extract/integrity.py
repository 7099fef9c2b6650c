"""
What DuckDB does not check: that a compressed file is whole, and text in other encodings than UTF-8.

Measured on DuckDB 2.0: a zstd file that was cut off reads as fewer rows without an error, and the checksum of a gzip
file is not compared.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from airflow_provider_payrecords.core.errors import ExtractError

GZIP, ZSTD, NONE = "gzip", "zstd", "none"
_MAGIC = {b"\x1f\x8b": GZIP, b"\x28\xb5\x2f\xfd": ZSTD}
_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"
_CHUNK_BYTES = 1 << 20
_ZSTD_FRAME, _ZSTD_SKIPPABLE = 0xFD2FB528, 0x184D2A50
_RLE_BLOCK, _RESERVED_BLOCK = 1, 3


def compression_of(path: Path, name: str) -> str:
    """
    Return how the file is compressed, by its first bytes.

    Raises:
        ExtractError: It is a zip archive or a spreadsheet.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head == _ZIP:
        raise ExtractError(f"{name} is a zip archive or an Excel workbook. Unpack it, or export it as CSV.")
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), NONE)


def has_parquet_magic(path: Path) -> bool:
    """Return whether the file starts as Parquet does, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) == _PARQUET


def check_whole(path: Path, name: str, compression: str) -> None:
    """
    Check that a compressed file is whole: gzip by its checksum, zstd by its frames.

    Raises:
        ExtractError: It is cut off or damaged.
    """
    if compression == GZIP:
        is_whole = _is_whole_gzip(path)
    elif compression == ZSTD:
        with path.open("rb") as file:
            is_whole = _is_whole_zstd(file, path.stat().st_size)
    else:
        return
    if not is_whole:
        raise ExtractError(f"{name} is no whole {compression} file: cut off or damaged. Write or copy it again.")


def transcode(source: Path, target: Path, name: str, encoding: str, compression: str) -> None:
    """
    Copy text as UTF-8 without compression, in pieces.

    Raises:
        ExtractError: The bytes are not text in *encoding*.
    """
    with _decompressed(source, name, compression) as binary, private_file(target) as copy:
        text = io.TextIOWrapper(binary, encoding=encoding, errors="strict", newline="")
        try:
            while piece := text.read(_CHUNK_BYTES):
                copy.write(piece.encode("utf-8"))
        except UnicodeError:
            raise ExtractError(f"{name} is not {encoding} text. Set options.encoding to what it is.") from None


def private_file(path: Path) -> BinaryIO:
    """Open a new file that only this user can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _decompressed(path: Path, name: str, compression: str) -> BinaryIO:
    if compression == ZSTD:
        raise ExtractError(f"{name}: zstd is read for UTF-8 text only. Decompress it, or write it as UTF-8.")
    return gzip.open(path, "rb") if compression == GZIP else path.open("rb")  # type: ignore[return-value]  # GzipFile reads bytes as BinaryIO does


def _is_whole_gzip(path: Path) -> bool:
    try:
        with gzip.open(path, "rb") as file:
            while file.read(_CHUNK_BYTES):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True


def _is_whole_zstd(file: BinaryIO, size: int) -> bool:
    """
    Walk the frames and blocks without unpacking them.

    Source:
        RFC 8878, section 3.1 (frame and block headers)
    """
    while file.tell() < size:
        magic = int.from_bytes(file.read(4), "little")
        if magic & 0xFFFFFFF0 == _ZSTD_SKIPPABLE:
            header = file.read(4)
            file.seek(int.from_bytes(header, "little") if len(header) == 4 else size, os.SEEK_CUR)
        elif magic != _ZSTD_FRAME or not _skip_frame(file, size):
            return False
    return file.tell() == size


def _skip_frame(file: BinaryIO, size: int) -> bool:
    descriptor = int.from_bytes(file.read(1), "little")
    is_single_segment, has_checksum = bool(descriptor & 0x20), bool(descriptor & 0x04)
    content_size_bytes = (1 if is_single_segment else 0, 2, 4, 8)[descriptor >> 6]
    dictionary_bytes = (0, 1, 2, 4)[descriptor & 0x03]
    file.seek((0 if is_single_segment else 1) + dictionary_bytes + content_size_bytes, os.SEEK_CUR)
    is_last = False
    while not is_last:
        header = file.read(3)
        if len(header) < 3:
            return False
        bits = int.from_bytes(header, "little")
        is_last, kind, block_bytes = bool(bits & 1), bits >> 1 & 3, bits >> 3
        if kind == _RESERVED_BLOCK:
            return False
        file.seek(1 if kind == _RLE_BLOCK else block_bytes, os.SEEK_CUR)
    file.seek(4 if has_checksum else 0, os.SEEK_CUR)
    return file.tell() <= size
