"""
Start the foreign server: ``python -m tests.foreign.server --port 0 --seed 7 --mix mixed --state-file F``.

Prints its URL and serves until it is killed. ``GET /__log``, ``/__count`` and ``/__commits`` tell what it saw and did.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.foreign.application import Application, Behaviour
from tests.foreign.faults import MIXES
from tests.foreign.protocol import serve_connection


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state-file", type=Path)
    parser.add_argument("--delay-seconds", type=float, default=30.0, help="how late a late answer is")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mix", choices=MIXES, default="clean")
    parser.add_argument("--most-faults", type=int, default=3, help="per idempotency key or path")
    parser.add_argument("--prefix", default="pr_")
    parser.add_argument("--answers", choices=("full", "minimal", "extra", "any"), default="full")
    parser.add_argument("--no-lists", dest="lists", action="store_false")
    parser.add_argument("--no-reports", dest="reports", action="store_false")
    parser.add_argument("--revoked", action="append", default=[])
    parser.add_argument("--forbidden", action="append", default=[])
    parser.add_argument("--refuse-after", type=int)
    parser.add_argument("--refuse-status", type=int, choices=(401, 403), default=401)
    parser.add_argument("--redirect-to")
    return parser.parse_args()


async def _serve(application: Application, port: int, delay_seconds: float) -> None:
    connected = partial(serve_connection, handle=application.handle, delay_seconds=delay_seconds)
    server = await asyncio.start_server(connected, "127.0.0.1", port, backlog=512, limit=2**20)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    values = vars(_arguments())
    port, state_file, delay_seconds = (values.pop(name) for name in ("port", "state_file", "delay_seconds"))
    lists_of_keys: dict[str, Any] = {name: tuple(values.pop(name)) for name in ("revoked", "forbidden")}
    asyncio.run(_serve(Application(Behaviour(**values, **lists_of_keys), state_file), port, delay_seconds))


if __name__ == "__main__":
    main()
