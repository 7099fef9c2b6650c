"""What Airflow is told about the provider."""

from __future__ import annotations

import ast
import importlib
import importlib.resources
import json
from importlib.metadata import entry_points, metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from airflow_provider_payrecords import provider_info
from airflow_provider_payrecords.connection import Extras
from airflow_provider_payrecords.operators.options import CONFIGURED

INFO = provider_info.get_provider_info()
CONNECTION_TYPE = INFO["connection-types"][0]
OPTIONS = INFO["config"]["payrecords"]["options"]


def modules() -> list[str]:
    kinds = ("operators", "hooks", "sensors", "triggers")
    return [name for kind in kinds for entry in INFO[kind] for name in entry["python-modules"]]


def test_fits_the_schema_that_airflow_ships() -> None:
    schema = json.loads(importlib.resources.files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)


def test_package_name_is_the_distribution_and_the_entry_point_leads_here() -> None:
    assert INFO["package-name"] == metadata("airflow-provider-payrecords")["Name"]
    found = [point for point in entry_points(group="apache_airflow_provider") if "payrecords" in point.value]
    assert [point.load() for point in found] == [provider_info.get_provider_info]


@pytest.mark.parametrize("name", modules())
def test_named_module_exports_what_it_holds(name: str) -> None:
    module = importlib.import_module(name)
    assert all(getattr(module, exported).__module__ == name for exported in getattr(module, "__all__", ()))


@pytest.mark.parametrize("kind", ["operators", "sensors", "triggers"])
def test_every_module_with_public_names_is_named(kind: str) -> None:
    folder = Path(provider_info.__file__).parent / kind
    public = {path.stem for path in folder.glob("*.py") if "__all__" in path.read_text("utf-8")}
    assert {name.rsplit(".", 1)[1] for name in modules() if f".{kind}." in name} == public


def test_guides_exist(repository: Path) -> None:
    guides = [guide for integration in INFO["integrations"] for guide in integration["how-to-guide"]]
    assert guides
    assert all((repository / guide.lstrip("/")).is_file() for guide in guides)


def test_hook_class_is_of_this_connection_type() -> None:
    module, name = CONNECTION_TYPE["hook-class-name"].rsplit(".", 1)
    hook = getattr(importlib.import_module(module), name)
    assert hook.conn_type == CONNECTION_TYPE["connection-type"]
    assert hook.hook_name == CONNECTION_TYPE["hook-name"]
    assert getattr(hook("some_connection"), hook.conn_name_attr) == "some_connection"


def test_form_fields_are_the_known_extras() -> None:
    assert list(CONNECTION_TYPE["conn-fields"]) == list(Extras.model_fields)


def test_form_field_may_be_left_empty() -> None:
    assert all("null" in field["schema"]["type"] for field in CONNECTION_TYPE["conn-fields"].values())


def test_configuration_offers_the_defaults_of_a_run() -> None:
    assert set(OPTIONS) - {"ledger", "results", "pages"} == set(CONFIGURED)


def test_configured_defaults_are_no_booleans() -> None:
    assert not any(isinstance(option["default"], bool) for option in OPTIONS.values())


def test_module_imports_nothing_of_weight() -> None:
    tree = ast.parse(Path(provider_info.__file__).read_text("utf-8"))
    imported = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))}
    assert imported == {"from __future__ import annotations", "from typing import Any"}


def test_info_is_a_fresh_value_each_time() -> None:
    changed: dict[str, Any] = provider_info.get_provider_info()
    changed.clear()
    assert provider_info.get_provider_info() == INFO
