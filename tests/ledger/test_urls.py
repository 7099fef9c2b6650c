"""Opening a ledger by URL or path, and showing where it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from airflow_provider_payrecords.core.errors import LedgerUnavailableError, SettingsError
from airflow_provider_payrecords.ledger.urls import open_ledger, safe_url
from tests.ledger.samples import ANNA, NOW, SCOPE, intent


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("L.db", "L.db"),
        ("sqlite:///L.db", "L.db"),
        ("sqlite:///some/folder/L.db", "some/folder/L.db"),
        ("sqlite+pysqlite:///L.db", "L.db"),
        ("~/L.db", "home/L.db"),
        ("odd name?x=1&%41.db", "odd name?x=1&%41.db"),
    ],
)
def test_a_ledger_is_made_where_the_url_says(tmp_path: Path, url: str, made: str) -> None:
    open_ledger(url).close()
    assert (tmp_path / made).stat().st_size > 0


def test_a_path_and_an_absolute_url_name_the_same_ledger(tmp_path: Path) -> None:
    first = open_ledger(tmp_path / "L.db")
    first.claim(SCOPE, [intent()], ANNA, NOW)
    first.close()
    second = open_ledger(f"sqlite:///{tmp_path}/L.db")
    assert list(second.look_up(SCOPE, ["k1"])) == ["k1"]
    second.close()


def test_a_new_ledger_and_its_new_folder_belong_to_this_user_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        ledger = open_ledger(tmp_path / "new" / "L.db")
        ledger.claim(SCOPE, [intent()], ANNA, NOW)
    finally:
        os.umask(old)
    assert mode(tmp_path / "new") == 0o700
    modes = {path.name: mode(path) for path in (tmp_path / "new").iterdir()}
    assert modes == {"L.db": 0o600, "L.db-wal": 0o600, "L.db-shm": 0o600}
    ledger.close()


def test_permissions_a_person_set_are_kept(tmp_path: Path) -> None:
    (tmp_path / "L.db").touch()
    (tmp_path / "L.db").chmod(0o660)
    open_ledger(tmp_path / "L.db").close()
    assert mode(tmp_path / "L.db") == 0o660


@pytest.mark.parametrize(
    "url",
    [
        ":memory:",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite:///file:x?uri=true&mode=memory&cache=shared",
    ],
)
def test_a_ledger_that_forgets_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="forget at once what was sent"):
        open_ledger(url)


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailableError, match="Check that its folder can be made and written") as caught:
        open_ledger(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnavailableError, match="folder"):
        open_ledger(tmp_path / "file" / "L.db")


def test_a_missing_file_opened_by_sqlites_own_uri_is_reported(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailableError, match="Check that its folder exists"):
        open_ledger(f"sqlite:///file:{tmp_path}/none.db?mode=ro&uri=true")


@pytest.mark.parametrize(
    "url", ["mysql://user:hunter2@host/db", "sq lite://:hunter2@", "postgresql://u:hunter2@h:port/d"]
)
def test_a_url_that_cannot_be_a_ledger_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError, match="Give sqlite:///path/ledger.db") as caught:
        open_ledger(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert safe_url(url) == "(unreadable URL)"


def test_postgresql_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerUnavailableError, match=r"airflow-provider-payrecords\[postgres\]") as caught:
        open_ledger("postgresql://user:hunter2@127.0.0.1:9/ledger")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:hunter2@host:5432/ledger", "postgresql+psycopg://user@host:5432/ledger"),
        ("postgres://user:hunter2@host/ledger?password=hunter2", "postgresql+psycopg://user@host/ledger"),
        ("postgresql+psycopg2://host/ledger", "postgresql+psycopg://host/ledger"),
        ("sqlite:////var/lib/L.db", "/var/lib/L.db"),
        ("sqlite://", ":memory:"),
        ("L.db", "L.db"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert safe_url(url) == shown
