"""What must hold for the files of the repository as a whole."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from airflow_provider_payrecords import __version__
from tests.project.test_layers import MODULES, PACKAGE, SOURCE, imported

REPOSITORY = SOURCE.parent
MAX_LINES = 400
DISTRIBUTIONS = {"airflow": "apache-airflow", "openlineage": "openlineage-python", "yaml": "pyyaml"}
"""Where the name to import is another."""

MACHINE_PATH = re.compile(r"(?<![\w.~*/-])/(?:root|work|home|Users|opt)/[\w.]")
REGISTRY_HOST = re.compile(r"\b(?:pypi|pythonhosted|npmjs|anaconda|proxy\.golang|crates|debian)\.(?:org|com|io)\b")
BARE_MARK = re.compile(r"# (?:noqa|type: ignore|pragma:|TODO)(?!.{0,40}? [#-] ?\w.{3})")
"""A mark that switches a check off, or puts work off, without its reason beside it."""
LOCK_FILE = re.compile(r"(?:^|/)(?:uv\.lock|poetry\.lock|pdm\.lock|Pipfile\.lock|pylock\.toml|package-lock\.json)$")


def tracked() -> list[str]:
    """Return the path of every file that is, or is about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in listing.split("\0") if name and (REPOSITORY / name).is_file())


def texts() -> dict[str, str]:
    """Return path and text of every file that is text."""
    found = {}
    for name in tracked():
        content = (REPOSITORY / name).read_bytes()
        if b"\0" not in content and not name.endswith((".gz", ".parquet")):
            found[name] = content.decode()
    return found


def project() -> dict[str, list[str]]:
    """Return the requirements of the package and of each extra, by extra; its own are under ``""``."""
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    table = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    return {"": table["dependencies"], **table["optional-dependencies"]}


def pins() -> list[Requirement]:
    """Return the lines of constraints.txt."""
    return [Requirement(line) for line in (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY_HOST], ids=["machine path", "registry host"])
def test_no_file_names_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    lines = ((name, n, line) for name, text in texts().items() for n, line in enumerate(text.splitlines(), 1))
    assert [f"{name}:{n}" for name, n, line in lines if pattern.search(line)] == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "see " + "/ho" + "me/me/x"),
        (MACHINE_PATH, "path=/ro" + "ot/.cache"),
        (REGISTRY_HOST, "https://pypi." + "org/simple"),
        (REGISTRY_HOST, "files.pythonhosted." + "org"),
        (LOCK_FILE, "sub/uv.lock"),
        (BARE_MARK, "x = f()  # no" + "qa: S608"),
        (BARE_MARK, "x = f()  # type: ig" + "nore[arg-type]  # no" + "qa: S608"),
        (BARE_MARK, "x = f()  # TO" + "DO: later"),
    ],
)
def test_what_is_not_wanted_is_recognized(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_every_mark_that_switches_a_check_off_has_its_reason_beside_it() -> None:
    lines = (
        (name, n, line)
        for name, text in texts().items()
        if name.endswith((".py", ".toml"))
        for n, line in enumerate(text.splitlines(), 1)
    )
    assert [f"{name}:{n}" for name, n, line in lines if BARE_MARK.search(line)] == []


def test_no_lock_file_is_committed() -> None:
    assert [name for name in tracked() if LOCK_FILE.search(name)] == []


def test_every_line_of_the_constraints_is_a_name_a_version_and_a_marker() -> None:
    for pin in pins():
        assert [specifier.operator for specifier in pin.specifier] == ["=="], pin
        assert pin.url is None, pin


def test_constraints_pin_every_direct_dependency_within_its_bounds() -> None:
    by_name: dict[str, list[Requirement]] = {}
    for pin in pins():
        by_name.setdefault(canonicalize_name(pin.name), []).append(pin)
    for line in (line for lines in project().values() for line in lines):
        requirement = Requirement(line)
        chosen = by_name.get(canonicalize_name(requirement.name), [])
        assert chosen, f"constraints.txt has no {requirement.name}; run make constraints"
        for pin in chosen:
            version = next(iter(pin.specifier)).version
            assert requirement.specifier.contains(version, prereleases=True), f"{pin} is outside {requirement}"


def test_every_package_we_import_is_a_declared_dependency() -> None:
    declared = {canonicalize_name(Requirement(line).name) for lines in project().values() for line in lines}
    trees = [ast.parse(path.read_text("utf-8")) for path in MODULES.values()]
    tops = {name.split(".")[0] for tree in trees for _, name in imported(tree)}
    foreign = tops - sys.stdlib_module_names - {PACKAGE, "pydantic_core"}  # pydantic names the one version it takes
    assert {DISTRIBUTIONS.get(name, canonicalize_name(name)) for name in foreign} - declared == set()


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_constraints_pin_one_version_of_a_package_for_each_python(python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    environment |= {"platform_system": "Linux", "platform_machine": "x86_64"}
    names = [pin.name for pin in pins() if pin.marker is None or pin.marker.evaluate(environment)]
    assert sorted(names) == sorted(set(names))


def test_setup_accepts_the_pythons_that_the_package_declares() -> None:
    declared = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', texts()["pyproject.toml"])
    supported = re.search(r'^supported="(.*)"$', texts()["scripts/setup"], re.MULTILINE)
    assert supported is not None
    assert supported[1].split() == declared


def test_corners_are_the_ends_of_what_the_package_declares() -> None:
    pythons = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', texts()["pyproject.toml"])
    airflow = next(one for one in map(Requirement, project()[""]) if one.name == "apache-airflow")
    floor = next(one.version for one in airflow.specifier if one.operator == ">=")
    ends = {"oldest_python": pythons[0], "newest_python": pythons[-1], "oldest_airflow": floor}
    assert ends.items() <= dict(re.findall(r"^(\w+)=(\S+)", texts()["scripts/corners"], re.MULTILINE)).items()


ELSEWHERE = set("acceptance bench e2e foreign project sdk simulation violence".split())
"""Suites that are long, or about programs of their own, and ask nothing of Python or Airflow that the others do not."""


def test_corners_name_every_suite_that_they_do_not_leave_to_others() -> None:
    suites = re.search(r'^suites="(.*?)"$', texts()["scripts/corners"], re.MULTILINE | re.DOTALL)
    assert suites is not None
    assert [suite for suite in suites[1].split() if not (REPOSITORY / suite).exists()] == []
    tests = {path.name for path in (REPOSITORY / "tests").iterdir() if any(path.glob("test_*.py"))}
    assert tests == {Path(suite).parts[1] for suite in suites[1].split() if Path(suite).suffix != ".py"} | ELSEWHERE


def test_no_source_file_is_longer_than_we_can_read() -> None:
    lengths = {name: len(text.splitlines()) for name, text in texts().items() if name.endswith(".py")}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_every_module_of_core_has_the_test_module_of_its_name() -> None:
    core = {path.stem for path in (SOURCE / "core").glob("*.py")} - {"__init__"}
    tests = {path.stem.removeprefix("test_") for path in (REPOSITORY / "tests" / "core").glob("test_*.py")}
    assert core <= tests
    assert {name for name in tests if not any(name == one or name.startswith(f"{one}_") for one in core)} == set()


def listed(path: Path) -> list[str] | None:
    """Return the ``__all__`` of a module, or None if it has none."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


@pytest.mark.parametrize("module", sorted(name for name, path in MODULES.items() if listed(path) is not None))
def test_every_name_in_all_exists_once(module: str) -> None:
    loaded = importlib.import_module(PACKAGE if module == "__init__" else f"{PACKAGE}.{module}")
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []
    assert len(loaded.__all__) == len(set(loaded.__all__))


def test_changelog_tells_what_is_in_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", texts()["CHANGELOG.md"], re.MULTILINE)
    versions = [Version(heading) for heading in headings if heading != "Unreleased"]
    assert versions[0] == Version(__version__)
    assert versions == sorted(versions, reverse=True)


def test_version_is_written_once() -> None:
    places = [name for name, text in texts().items() if re.search(r"^(?:__)?version(?:__)? *=", text, re.MULTILINE)]
    assert places == [f"{PACKAGE}/__init__.py"]


def test_every_make_target_a_page_names_exists() -> None:
    pages = "\n".join(text for name, text in texts().items() if name.endswith(".md"))
    target = re.compile(r"^make ([a-z0-9]+)$|`(?:[A-Z_]+=\S+ )?make ([a-z0-9]+)", re.MULTILINE)
    named = {a or b for a, b in target.findall(pages)}
    assert {"setup", "test"} <= named
    assert named - set(re.findall(r"^([a-z0-9]+):", texts()["Makefile"], re.MULTILINE)) == set()
