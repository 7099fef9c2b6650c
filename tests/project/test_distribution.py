"""What a user gets: the wheel, and the wheel where Airflow is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.project.test_layers import PACKAGE
from tests.project.test_repository import project

WITHOUT_AIRFLOW = (
    "settings",
    "core.commands",
    "ledger",
    "transport",
    "client",
    "extract",
    "bulk",
    "compose.http",
    "sandbox",
    "cli",
)

IMPORT = """
import importlib
for name in {names}:
    assert importlib.import_module("{package}." + name).__file__, name
"""
AIRFLOW_IS_NOT_THERE = """
import sys

class NotThere:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "airflow":
            raise ModuleNotFoundError(f"imported {name}", name=name)

sys.meta_path.insert(0, NotThere())
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run *command* away from the checkout and return what it printed; a failure shows all of it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=repository)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def bare_python(wheel: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the wheel and its dependencies, less Airflow."""
    folder = tmp_path_factory.mktemp("bare")
    uv = Path(sys.executable).parent / "uv"
    needed = [line for line in project()[""] if Requirement(line).name != "apache-airflow"]
    run(uv, "venv", "--quiet", "--python", sys.executable, folder / "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", python]
    run(*install, "--constraints", repository / "constraints.txt", *needed, cwd=folder)
    run(*install, "--no-deps", wheel, cwd=folder)
    return python


def test_wheel_holds_the_typed_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert f"{PACKAGE}/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert sorted(top for top in tops if not top.endswith(".dist-info")) == [PACKAGE]
    assert [name for name in names if name.endswith("/licenses/LICENSE")]


def test_wheel_holds_all_that_the_pages_are_made_of(wheel: Path, repository: Path) -> None:
    static = repository / PACKAGE / "plugins" / "static"
    names = {str(path.relative_to(repository)) for path in static.rglob("*") if path.is_file()}
    assert f"{PACKAGE}/plugins/static/vendor/htm.module.js" in names
    assert names <= set(zipfile.ZipFile(wheel).namelist())


def test_wheel_names_the_provider_and_the_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    entry_points = archive.read(next(name for name in archive.namelist() if name.endswith("entry_points.txt"))).decode()
    assert "[apache_airflow_provider]" in entry_points
    assert f"payrecords = {PACKAGE}.cli:main" in entry_points
    assert "[airflow.plugins]" in entry_points


@pytest.mark.parametrize("module", WITHOUT_AIRFLOW)
def test_module_never_reaches_for_airflow(module: str, tmp_path: Path) -> None:
    run(sys.executable, "-c", AIRFLOW_IS_NOT_THERE + IMPORT.format(package=PACKAGE, names=[module]), cwd=tmp_path)


def test_provider_info_is_read_by_every_airflow_process_and_loads_nothing_else(tmp_path: Path) -> None:
    program = f"""
import sys, {PACKAGE}.provider_info
print(sorted(name for name in sys.modules if name.split(".")[0] in ("airflow", "pydantic", "{PACKAGE}")))
"""
    assert run(sys.executable, "-c", program, cwd=tmp_path).strip() == f"['{PACKAGE}', '{PACKAGE}.provider_info']"


def test_reaching_for_airflow_would_be_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="imported airflow"):
        run(sys.executable, "-c", AIRFLOW_IS_NOT_THERE + "import airflow.sdk", cwd=tmp_path)


def test_bare_environment_has_no_airflow(bare_python: Path, tmp_path: Path) -> None:
    found = run(
        bare_python, "-c", "import importlib.util as u, sys; print(u.find_spec('airflow'), sys.prefix)", cwd=tmp_path
    )
    assert found.split() == ["None", str(bare_python.parent.parent)]


def test_engine_works_where_airflow_is_not_installed(bare_python: Path, tmp_path: Path) -> None:
    run(bare_python, "-c", IMPORT.format(package=PACKAGE, names=WITHOUT_AIRFLOW), cwd=tmp_path)


def test_command_line_works_where_airflow_is_not_installed(bare_python: Path, tmp_path: Path) -> None:
    assert "report" in run(bare_python.parent / "payrecords", "--help", cwd=tmp_path)
