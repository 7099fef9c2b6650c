"""The plugin as Airflow finds it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from airflow_provider_payrecords.plugins.app import STATIC
from airflow_provider_payrecords.plugins.payrecords_plugin import PayRecordsPlugin

VENDOR = STATIC / "vendor"
IMPORTED = re.compile(r'^(?:import|\}).* from "([^"]+)";$', re.MULTILINE)
NAMES_IMPORTED = re.compile(r'^import \{([^}]+)\} from "([^"]+)";$', re.MULTILINE)


def test_entry_point_leads_to_the_plugin() -> None:
    found = [point for point in entry_points(group="airflow.plugins") if point.name == "payrecords"]
    assert [point.load() for point in found] == [PayRecordsPlugin]


def test_both_pages_are_in_the_navigation_and_their_modules_set_their_names() -> None:
    apps = PayRecordsPlugin().react_apps
    assert [app["destination"] for app in apps] == ["nav", "nav"]
    for app in apps:
        module = (STATIC / app["bundle_url"].removeprefix("payrecords/static/")).read_text("utf-8")
        assert f'globalThis["{app["name"]}"] = ' in module


def test_app_is_mounted_under_its_prefix() -> None:
    (mounted,) = PayRecordsPlugin().fastapi_apps
    assert mounted["url_prefix"] == "/payrecords"


def test_nothing_is_there_when_the_pages_are_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__PAGES", "False")
    plugin = PayRecordsPlugin()
    assert plugin.fastapi_apps == []
    assert plugin.react_apps == []


def test_airflow_loads_the_plugin_and_builds_no_app_for_it() -> None:
    program = """
import json, sys
from airflow.sdk import plugins_manager
import airflow_provider_payrecords.plugins.payrecords_plugin as ours
ours.PayRecordsPlugin()
print(json.dumps([name for name in ("fastapi", "airflow_provider_payrecords.hooks.payrecords") if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_vendored_files_are_those_of_the_table() -> None:
    rows = re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.*s*")}
    assert {name: sum_ for name, sum_ in found.items() if not name.endswith((".LICENSE", ".md"))} == dict(rows)


def own_modules() -> list[Path]:
    """Return every script that is ours."""
    return [path for path in STATIC.rglob("*.js") if VENDOR not in path.parents]


@pytest.mark.parametrize("path", own_modules(), ids=lambda path: path.name)
def test_script_makes_no_markup_of_data_and_loads_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    forbidden = ("innerHTML", "outerHTML", "document.write", "eval(", "new Function", "insertAdjacentHTML")
    assert [word for word in forbidden if word in text] == []
    assert all(name.startswith(("./", "../")) for name in IMPORTED.findall(text))
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize("path", own_modules(), ids=lambda path: path.name)
def test_script_imports_only_what_there_is(path: Path) -> None:
    for names, module in NAMES_IMPORTED.findall(path.read_text("utf-8")):
        other = (path.parent / module).read_text("utf-8")
        exported = set(re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", other, re.MULTILINE))
        assert {name.strip() for name in names.split(",") if name.strip()} <= exported
