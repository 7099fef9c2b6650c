"""Where the demo keeps everything, and the environment its processes get. Nobody's own Airflow or keys are touched."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_payrecords.core.errors import UsageError

DEFAULT_HOME = ".payrecords"
"""Folder of the demo, in the checkout."""
EXAMPLE_DAG = "example_csv_extract"
AIRFLOW_CHILD = "airflow_provider_payrecords.demo.dag_run"
"""What the demo runs in a process of its own, because Airflow reads its configuration when it is imported."""
ACCOUNT = "demo"
"""Name of the account in the ledger: the same for every run, whatever port the sandbox got."""
SANDBOX_KEY = "sk_test_sandbox"
_NOT_HANDED_ON = ("AIRFLOW", "STRIPE_", "PAYRECORDS_", "PYTHONDONTWRITEBYTECODE", "_AIRFLOW")


@dataclass(frozen=True)
class Place:
    """
    The folders of one demo.

    Attributes:
        home: Everything the demo writes.
        dags: The example DAGs of the checkout.
    """

    home: Path
    dags: Path

    @property
    def airflow_home(self) -> Path:
        """Airflow's configuration, database, logs and the results of runs."""
        return self.home / "airflow"

    @property
    def again(self) -> tuple[str, str]:
        """What to type for another run here, and for Airflow's pages."""
        if self.home == self.dags.parent / DEFAULT_HOME:
            return "make demo", "make airflow"
        return f"payrecords demo --home {self.home}", f"payrecords demo --serve --home {self.home}"

    @property
    def sandbox_state(self) -> Path:
        """What the sandbox has recorded."""
        return self.home / "sandbox.db"

    @property
    def ledger(self) -> Path:
        """What was reported."""
        return self.home / "ledger.db"

    @property
    def cheques(self) -> Path:
        """The database of example_sql_table."""
        return self.home / "cheques.db"

    @property
    def logs(self) -> Path:
        """What the processes of the demo printed."""
        return self.home / "logs"


def find_place(home: Path | None) -> Place:
    """
    Return the folders of the demo.

    Args:
        home: Where to keep everything; ``.payrecords`` in the checkout when None.

    Raises:
        UsageError: The package is installed without its checkout, so there are no example DAGs.
    """
    checkout = Path(__file__).resolve().parents[2]
    dags = checkout / "dags"
    if not (dags / f"{EXAMPLE_DAG}.py").is_file():
        raise UsageError(
            f"The example DAGs are not beside this package (looked in {dags}): they are in the repository, not in the "
            "wheel. Clone it and run `make demo` there; or try `payrecords sandbox` with an extract of your own."
        )
    place = Place((home or checkout / DEFAULT_HOME).resolve(), dags)
    for folder in (place.home, place.airflow_home, place.logs):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def need_airflow() -> None:
    """
    Check that Airflow can be started with this Python.

    Raises:
        UsageError: It is not installed here.
    """
    from importlib.util import find_spec

    if find_spec("airflow") is None:
        raise UsageError(
            f"Airflow is not installed for {sys.executable}, and the demo runs a DAG through it. Run `make demo` in "
            "the checkout, or install apache-airflow there."
        )


def environment(place: Place, sandbox_url: str) -> dict[str, str]:
    """Return the environment of an Airflow of the demo, wired to the sandbox at *sandbox_url*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)}
    connection = {
        "conn_type": "payrecords",
        "host": sandbox_url,
        "password": SANDBOX_KEY,
        "extra": {"account": ACCOUNT},
    }
    return {
        **kept,
        # Airflow starts its parts as `airflow …`; they must be of this very installation.
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", os.defpath))),
        "AIRFLOW_HOME": str(place.airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(place.dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__PAYRECORDS__LEDGER": f"sqlite:///{place.ledger}",
        "AIRFLOW_CONN_PAYRECORDS_DEFAULT": json.dumps(connection),
        "AIRFLOW_CONN_PAYRECORDS_CHEQUES": json.dumps({"conn_type": "sqlite", "host": str(place.cheques)}),
    }


def free_port() -> int:
    """Return a loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def only_one(place: Place) -> Iterator[None]:
    """
    Keep a second demo out of the same folder. The lock ends with the process, however that ends.

    Raises:
        UsageError: Another demo is running there.
    """
    import fcntl

    with (place.home / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(
                f"Another demo is running in {place.home}. Stop it first, or name another folder with --home."
            ) from None
        yield
