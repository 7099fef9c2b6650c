"""The short codes that the package can give to what is wrong, read off its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import airflow_provider_payrecords
from airflow_provider_payrecords.bulk.results import FIELDS

PACKAGE = Path(airflow_provider_payrecords.__file__).parent
NOT_OURS = ("sandbox", "testing", "demo")
"""Parts that speak as the API, or that no user's row passes."""

_POSITION_OF_CODE = {"CellError": 0, "PydanticCustomError": 0, "Problem": 1, "_invalid": 1}
_TABLES = {"_CODES"}
_CONSTANTS_ARE_CODES = ("core/entry.py", "core/flows.py")
"""Modules whose text constants are codes of ledger entries."""


def codes() -> set[str]:
    """Return every problem code that stands in the source."""
    files = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in NOT_OURS]
    return {code for path in files for code in _codes_in(path)}


def _codes_in(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    has_constants = path.relative_to(PACKAGE).as_posix() in _CONSTANTS_ARE_CODES
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.Dict):
            yield from _of_dict(node)
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, value = statement.targets[0].id, statement.value
            if has_constants and name.isupper():
                yield from _texts(value)
            if name in _TABLES and isinstance(value, ast.Dict):
                yield from (text for one in value.values for text in _texts(one))


def _of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    position = _POSITION_OF_CODE.get(name)
    if position is not None and len(node.args) > position:
        yield from _texts(node.args[position])
    if name == "MoneyError":
        yield from (text for keyword in node.keywords if keyword.arg == "code" for text in _texts(keyword.value))


def _of_dict(node: ast.Dict) -> Iterator[str]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "code":
            yield from (text for text in _texts(value) if text not in FIELDS)


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
