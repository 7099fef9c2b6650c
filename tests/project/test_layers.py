"""
Who may import whom.

One row per top-level name of the package, or for a module that differs from its neighbours. Imports inside functions,
under TYPE_CHECKING and by name count as well.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "airflow_provider_payrecords"
SOURCE = Path(__file__).resolve().parents[2] / PACKAGE

CLOCK_AND_CHANCE = frozenset({"time", "random", "secrets", "uuid"})
INPUT_AND_OUTPUT = frozenset(
    "asyncio http io logging os pathlib shutil socket sqlite3 ssl subprocess tempfile threading urllib.request".split()
)


@dataclass(frozen=True)
class Layer:
    """
    What modules below one name may import.

    Attributes:
        ours: Names below the package, each with all that is in it.
        others: Third-party packages.
        banned: Standard library modules. All others are free.
    """

    ours: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    banned: frozenset[str] = frozenset()


def layer(ours: str = "", others: str = "", banned: frozenset[str] = frozenset({"sqlite3"})) -> Layer:
    """Return a row of the table from words."""
    return Layer(frozenset(ours.split()), frozenset(others.split()), banned)


_PURE = "core settings"
_L2 = f"{_PURE} ledger.store transport"
_ENGINE = f"{_PURE} ledger transport extract client bulk"
_SKIN = f"{_ENGINE} _airflow __init__ connection provider_info hooks operators sensors triggers decorators links"
_SKIN += " notifications plugins assets retry_policy airflow_cli"

LAYERS = {
    "core": layer(_PURE, "pydantic pydantic_core typing_extensions", CLOCK_AND_CHANCE | INPUT_AND_OUTPUT),
    "settings": layer(_PURE, "pydantic pydantic_core typing_extensions", CLOCK_AND_CHANCE | INPUT_AND_OUTPUT - {"os"}),
    "ledger": layer(f"{_PURE} ledger", "sqlalchemy pydantic", frozenset()),
    "transport": layer(f"{_PURE} transport", "aiohttp anyio httpx uvloop yarl"),
    "scratch": layer(),
    "extract": layer(f"{_PURE} extract scratch", "duckdb fsspec pydantic yaml sqlalchemy", frozenset()),
    "client": layer(f"{_L2} client", "httpx pydantic"),
    "bulk": layer(f"{_L2} ledger.liveness extract client bulk scratch", "anyio httpx pydantic duckdb fsspec"),
    "sandbox": layer(f"{_L2} sandbox", "httpx pydantic starlette uvicorn", frozenset()),
    "testing": layer(f"{_ENGINE} sandbox testing _airflow", "httpx pydantic pytest"),
    "compose": layer(f"{_ENGINE} compose", "httpx"),
    "cli": layer(f"{_ENGINE} compose sandbox demo cli", "typer rich pydantic yaml", frozenset()),
    "demo": layer(f"{_ENGINE} sandbox cli demo", "rich"),
    "demo.dag_run": layer(f"{_PURE} bulk demo", "airflow"),  # the program of a process of its own, inside Airflow
    "__main__": layer("cli"),
    "__init__": layer("provider_info"),
    "provider_info": layer(_SKIN),  # names classes as text
    "_airflow": layer("", "airflow packaging openlineage"),
    "connection": layer(_SKIN, "pydantic"),
    **{
        name: layer(_SKIN, "pydantic")
        for name in ("hooks", "operators", "sensors", "triggers", "decorators", "links", "notifications")
    },
    "assets": layer(_SKIN),
    "airflow_cli": layer(f"{_SKIN} cli airflow_cli", "airflow"),  # Airflow's command line, not its SDK
    "retry_policy": layer(_SKIN),
    "plugins": layer(f"{_SKIN} compose", "pydantic fastapi starlette yaml"),
}


def module_names() -> dict[str, Path]:
    """Return every module of the package by its name below the package."""
    names = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return names


MODULES = module_names()


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the full dotted name of all a module imports, and of names of ours it writes as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from ((node.lineno, str(a.value)) for a in node.args[:1] if isinstance(a, ast.Constant))
        elif isinstance(node, ast.Constant) and re.fullmatch(rf"{PACKAGE}\.[\w.]+(:\w+)?", str(node.value)):
            yield node.lineno, str(node.value).split(":")[0]


def violations(module: str, text: str) -> list[str]:
    """Return a line for every import in *text*, the source of *module*, that the table does not allow."""
    rows = [prefix for prefix in LAYERS if within(module, prefix)]
    if not rows:
        return [f"{module}: no row in LAYERS; decide what it may import and add one"]
    row = LAYERS[max(rows, key=len)]
    found = (f"{module}:{line}: imports {name}" for line, name in imported(ast.parse(text)) if not allowed(row, name))
    return sorted(set(found))


def allowed(row: Layer, name: str) -> bool:
    """Tell whether modules of *row* may import the dotted *name*."""
    first, _, rest = name.partition(".")
    if first == PACKAGE:
        return rest == "__version__" or any(within(rest, prefix) for prefix in row.ours)
    if first in sys.stdlib_module_names:
        return not any(within(name, banned) for banned in row.banned)
    return first in row.others


def within(name: str, prefix: str) -> bool:
    """Tell whether *name* is *prefix* or below it."""
    return name == prefix or name.startswith(f"{prefix}.")


def reads_of_the_world(text: str) -> list[str]:
    """Return the calls in *text* that read a clock, a file or a keyboard, without an import that shows it."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [
        f"line {call.lineno}: {ast.unparse(call.func)}()"
        for call in calls
        if (isinstance(call.func, ast.Attribute) and call.func.attr in ("now", "utcnow", "today"))
        or (isinstance(call.func, ast.Name) and call.func.id in ("open", "input", "print"))
    ]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_module_imports_only_what_its_layer_may(module: str) -> None:
    assert violations(module, MODULES[module].read_text("utf-8")) == []


@pytest.mark.parametrize("module", sorted(name for name in MODULES if within(name, "core")))
def test_core_reads_no_clock_and_no_file(module: str) -> None:
    assert reads_of_the_world(MODULES[module].read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("core.money", "import random"),
        ("core.money", "from time import time"),
        ("core.money", "import urllib.request"),
        ("core.money", "def f():\n    import httpx"),
        ("core.money", f"if TYPE_CHECKING:\n    from {PACKAGE}.ledger.store import LedgerStore"),
        ("core.money", f"from {PACKAGE} import transport"),
        ("core.money", "from . import errors"),
        ("settings", "import logging"),
        ("ledger.sql", f"import {PACKAGE}.transport.blocking"),
        ("ledger.sql", "import httpx"),
        ("transport.blocking", f"from {PACKAGE}.ledger import store"),
        ("extract.source", "from airflow.sdk import ObjectStoragePath"),
        ("bulk.run", f"from {PACKAGE}.ledger.sql import SqlLedger"),
        ("bulk.run", f'importlib.import_module("{PACKAGE}.sandbox.app")'),
        ("bulk.run", "import airflow"),
        ("bulk", f'NAMES = {{"App": "{PACKAGE}.sandbox.app:App"}}'),
        ("operators.report", "from airflow.sdk import BaseOperator"),
        ("operators.report", "import httpx"),
        ("operators.report", "import sqlite3"),
        ("hooks.payrecords", f"from {PACKAGE}.sandbox.inprocess import transport"),
        ("demo.once", "from airflow.sdk import BaseOperator"),
        ("helpers.text", "import re"),
    ],
)
def test_forbidden_import_is_found(module: str, text: str) -> None:
    assert len(violations(module, text)) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("core.money", f"from decimal import Decimal\nfrom {PACKAGE}.core.errors import CommandError"),
        ("settings", "import os\nfrom pydantic import SecretStr"),
        ("transport.http", f"import httpx\nfrom {PACKAGE} import __version__"),
        ("bulk.run", f"from {PACKAGE}.ledger.store import LedgerStore\nfrom {PACKAGE}.ledger import store"),
        ("operators.report", f"from {PACKAGE}._airflow import BaseOperator"),
        ("_airflow", "from airflow.sdk import BaseOperator"),
    ],
)
def test_allowed_import_is_let_through(module: str, text: str) -> None:
    assert violations(module, text) == []


@pytest.mark.parametrize("text", ["x = datetime.now(UTC)", "x = date.today()", "open('x')"])
def test_reading_a_clock_or_a_file_is_found(text: str) -> None:
    assert len(reads_of_the_world(text)) == 1
