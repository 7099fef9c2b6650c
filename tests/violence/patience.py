"""
Runs that wait until their own patience ends. They wait at the same time, and while the other tests of this folder run.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.command_line import Workspace, kill_group
from tests.acceptance.extract_files import write_good_extract
from tests.acceptance.oracle import Extract
from tests.foreign.process import ForeignServer
from tests.transport.certificates import self_signed
from tests.violence.relay import Relay

ROWS = 24
HOST = "api.payrecords.invalid"  # RFC 6761: no resolver knows it, so only a proxy can reach it


@dataclass
class Scene:
    """
    One run under way against something that will not answer.

    Attributes:
        heal: Mends the world; after it ``again`` must complete.
    """

    extract: Extract
    server: ForeignServer
    workspace: Workspace
    arguments: list[str]
    process: subprocess.Popen[str]
    heal: Callable[[], object]
    environment: dict[str, str] = field(default_factory=dict)

    def again(self) -> subprocess.Popen[str]:
        """Start the same command again."""
        return self.workspace.start(self.arguments, environment=self.environment)


class Scenes:
    """All of them, by name. Ends what is left of them when it is closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._end = ExitStack()
        self.by_name = {
            "no such name": self._no_such_name(),
            "connection refused": self._refused(),
            "never an answer": self._silent(),
            "a proxy that answers 502": self._refusing_proxy(),
            "a proxy that is gone": self._dead_proxy(),
            "a front that answers 502": self._refusing_front(),
        }

    def close(self) -> None:
        """End every process and thread."""
        self._end.close()

    def _no_such_name(self) -> Scene:
        """First without a proxy, so the name is looked up here; then by way of one that knows it."""
        scene, _, reached_by = self._behind_a_proxy("name", environment={})
        scene.heal = lambda: scene.environment.update(reached_by)
        return scene

    def _refused(self) -> Scene:
        server = self._server("refused")
        server.kill()
        return self._scene("refused", server, server.url, server.start)

    def _silent(self) -> Scene:
        server = self._server("silent")
        server.kill()
        silent = self._end.enter_context(socket.create_server(("127.0.0.1", server.port)))

        def answer() -> None:
            silent.close()
            server.start()

        return self._scene("silent", server, server.url, answer)

    def _refusing_proxy(self) -> Scene:
        scene, proxy, _ = self._behind_a_proxy("refusing-proxy", refuses=True)
        scene.heal = lambda: setattr(proxy, "refuses", False)
        return scene

    def _dead_proxy(self) -> Scene:
        scene, proxy, _ = self._behind_a_proxy("dead-proxy", dead=True)
        scene.heal = proxy.start
        return scene

    def _refusing_front(self) -> Scene:
        server = self._server("front")
        front = self._relay(Relay(server.port))
        front.refuses = True
        return self._scene("front", server, front.url, lambda: setattr(front, "refuses", False))

    def _behind_a_proxy(
        self, name: str, environment: dict[str, str] | None = None, *, refuses: bool = False, dead: bool = False
    ) -> tuple[Scene, Relay, dict[str, str]]:
        server = self._server(name)
        tls, file = self_signed(self._folder / name, HOST)
        proxy = self._relay(Relay(self._relay(Relay(server.port, tls=tls)).port, connects=True))
        proxy.refuses = refuses
        if dead:
            proxy.kill()
        reached_by = {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(file)}
        used = reached_by if environment is None else environment
        return self._scene(name, server, f"https://{HOST}", lambda: None, used), proxy, reached_by

    def _server(self, name: str) -> ForeignServer:
        (self._folder / name).mkdir()
        server = ForeignServer(self._folder / f"{name}.jsonl")
        self._end.callback(server.kill)
        return server

    def _relay(self, relay: Relay) -> Relay:
        self._end.callback(relay.close)
        return relay

    def _scene(
        self,
        name: str,
        server: ForeignServer,
        api_base: str,
        heal: Callable[[], object],
        environment: dict[str, str] | None = None,
    ) -> Scene:
        workspace = Workspace(self._folder / name)
        extract = write_good_extract(workspace, ROWS, 91)
        arguments = workspace.report_arguments(api_base, "--concurrency=4")
        environment = dict(environment or {})
        process = workspace.start(arguments, environment=environment)
        self._end.callback(_end, process)
        return Scene(extract, server, workspace, arguments, process, heal, environment)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        kill_group(process)
        process.communicate()
