"""Compressed files are whole, and text is what it is said to be."""

from __future__ import annotations

import gzip

import pytest

from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract.integrity import check_whole, compression_of, private_file, transcode
from tests.extract.sample import write

# Made by hand after RFC 8878: a frame of one raw block "ab", with content size, without checksum.
FRAME = bytes.fromhex("28b52ffd 20 02 110000") + b"ab"
RLE_FRAME = bytes.fromhex("28b52ffd 20 05 2b0000") + b"x"
CHECKED_FRAME = bytes.fromhex("28b52ffd 24 02 110000") + b"ab" + b"\0\0\0\0"
SKIPPABLE = bytes.fromhex("502a4d18 03000000") + b"any"


@pytest.mark.parametrize("content", [FRAME, RLE_FRAME, CHECKED_FRAME, FRAME + SKIPPABLE + FRAME])
def test_whole_frames_pass_and_every_shorter_file_does_not(tmp_path, content):
    check_whole(write(tmp_path / "a.zst", content), "a.zst", "zstd")
    ends = {len(FRAME), len(FRAME + SKIPPABLE)} if SKIPPABLE in content else set()
    for length in set(range(1, len(content))) - ends:
        with pytest.raises(ExtractError, match="a.zst is no whole zstd file"):
            check_whole(write(tmp_path / "a.zst", content[:length]), "a.zst", "zstd")


def test_bytes_that_are_no_frame_are_damage(tmp_path):
    reserved = bytes.fromhex("28b52ffd 20 02 170000") + b"ab"
    for content in (FRAME + b"rest", reserved):
        with pytest.raises(ExtractError):
            check_whole(write(tmp_path / "a.zst", content), "a.zst", "zstd")


def test_gzip_is_whole_by_its_checksum(tmp_path):
    check_whole(write(tmp_path / "a.gz", gzip.compress(b"x") * 2), "a.gz", "gzip")
    with pytest.raises(ExtractError, match="a.gz is no whole gzip file"):
        check_whole(write(tmp_path / "a.gz", b"plain"), "a.gz", "gzip")


def test_the_first_bytes_tell_the_compression(tmp_path):
    kinds = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"id,gross": "none", b"": "none"}
    for content, kind in kinds.items():
        assert compression_of(write(tmp_path / "a", content), "a") == kind


def test_text_is_copied_as_utf8_across_pieces(tmp_path):
    text = "é\r\n€" * 700_000
    source = write(tmp_path / "a", text.encode("utf-16"))
    transcode(source, tmp_path / "b", "a", "utf-16", "none")
    assert (tmp_path / "b").read_bytes() == text.encode()


def test_zstd_with_another_encoding_is_refused(tmp_path):
    with pytest.raises(ExtractError, match="zstd is read for UTF-8 text only"):
        transcode(write(tmp_path / "a", FRAME), tmp_path / "b", "a", "latin-1", "zstd")


def test_a_private_file_is_new(tmp_path):
    with private_file(tmp_path / "a") as file:
        file.write(b"x")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        private_file(tmp_path / "a")
