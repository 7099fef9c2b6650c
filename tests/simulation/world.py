"""One world: a scenario that happens. ``run(seed)`` returns what was wrong in it, with its trace."""

from __future__ import annotations

import gc
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from pydantic import SecretStr

from airflow_provider_payrecords.bulk.choice import Choice, RejectSelection
from airflow_provider_payrecords.bulk.machine import Machine
from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.bulk.run import ExtractRun, Report
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.errors import LedgerError, ResultsError
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.pace import uniform_jitter
from tests.simulation.extract import MAPPING, FewPayments, Payment
from tests.simulation.invariants import Invariants
from tests.simulation.loop import EndlessError, Timeline
from tests.simulation.process import EPOCH, Crash, Fate, Process
from tests.simulation.scenario import Scenario, draw
from tests.simulation.server import Server
from tests.simulation.store import Ledger, Results
from tests.simulation.trace import Trace
from tests.simulation.verdict import forgotten
from tests.simulation.weather import Weather
from tests.simulation.wire import Wire

MAX_STEPS = 100_000
MAX_SECONDS = 3 * 24 * 3600.0
"""No run may take longer, its machine's sleep included."""


@dataclass(frozen=True)
class Story:
    """What came of a world: what was wrong, if anything, and all that happened."""

    seed: int
    wrong: list[str]
    trace: Trace

    def __str__(self) -> str:
        return "\n".join((f"World {self.seed}", str(self.trace), *(f"WRONG: {one}" for one in self.wrong)))


def run(seed: int) -> Story:
    """Let the world of *seed* happen. The same seed gives the same story."""
    world = World(seed)
    gc.disable()  # it would end what a process left behind at some moment, and every moment must be the same again
    try:
        world.happen()
    finally:
        gc.enable()
    return Story(seed, world.wrong, world.trace)


def look(seeds: range) -> list[str]:
    """Return the stories of the worlds in which something was wrong."""
    return [str(story) for story in map(run, seeds) if story.wrong]


class World:
    """A timeline, an API, a ledger, and the processes of a scenario."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)  # noqa: S311  # chance that repeats, and protects nothing
        self.scenario: Scenario = draw(random)
        self.trace = Trace()
        self._random = random
        self._timeline = Timeline(random)
        self._weather = Weather(random)
        self._settings = Settings(
            api_key=SecretStr("sk_test_simulation"),
            api_base="http://127.0.0.1:1",
            read_timeout_seconds=self.scenario.read_timeout,
            connect_timeout_seconds=1,
            write_timeout_seconds=1,
            pool_timeout_seconds=1,
            max_retries=self.scenario.max_retries,
            max_total_seconds=10,
        )
        self._scope = Scope(self._settings.account_scope, self._settings.mode, MAPPING.endpoint, MAPPING.source)
        self._ledger = MemoryLedger()
        self._invariants = Invariants(self._ledger, self._scope)
        self._server = Server(
            self._timeline,
            self._weather,
            self.trace,
            EPOCH.timestamp(),
            lists=self.scenario.lists,
            on_record=self._invariants.recorded,
        )
        self._processes: list[Process] = []

    @property
    def wrong(self) -> list[str]:
        """What was wrong so far."""
        return self._invariants.broken

    def happen(self) -> None:
        """Let everything happen: first the trouble, then as many quiet runs as it may take to make all whole."""
        try:
            self._trouble()
            if not self.wrong:
                self._quiet_runs()
        except EndlessError as error:
            self.wrong.append(str(error))
        finally:
            self._bury()

    def _bury(self) -> None:
        """End what still runs where a world went wrong."""
        for process in self._processes:
            process.die("with its world")
        with suppress(EndlessError):
            self._timeline.run_until(lambda: all(one.over for one in self._processes), MAX_STEPS, MAX_SECONDS)
        for process in self._processes:
            process.loop.end()

    def _trouble(self) -> None:
        when, left = 0.0, len(self.scenario.launches)
        for launch in self.scenario.launches:
            when += launch.after
            self._timeline.at(when, lambda one=launch: self._start(one.rows, one.options, one.fate, one.is_replay))

        def is_over() -> bool:
            return bool(self.wrong) or (len(self._processes) == left and all(one.over for one in self._processes))

        self._timeline.run_until(is_over, MAX_STEPS, 2 * MAX_SECONDS)
        for process in self._processes:
            if process.over:
                self._check_outcome(process)

    def _quiet_runs(self) -> None:
        self._weather.clear = True
        scenario = self.scenario
        options = RunOptions(concurrency=2, rate_limit=100, stamp_metadata=scenario.stamped)
        wrong: list[str] = []
        for pause in scenario.healing:
            self._pass(pause)
            process = self._start(scenario.final, options, Fate())
            self._timeline.run_until(lambda one=process: one.over, MAX_STEPS, MAX_SECONDS)
            self._check_outcome(process)
            entries = self._ledger.look_up(self._scope, [one.key for one in scenario.final])
            wrong = list(forgotten(scenario, entries, self._server, process, self._timeline.now))
            if not wrong:
                break
        self.wrong.extend(wrong)

    def _pass(self, seconds: float) -> None:
        when = self._timeline.now + seconds
        self._timeline.at(when, lambda: None)
        self._timeline.run_until(lambda: self._timeline.now >= when, MAX_STEPS, seconds + 1)

    def _start(self, rows: list[Payment], options: RunOptions, fate: Fate, is_replay: bool = False) -> Process:
        process = Process(self._timeline, self.trace, f"process{len(self._processes) + 1}", fate, rows, self._jumped)
        self._processes.append(process)
        wire = Wire(process, self._server, self._weather, self._timeline, self._invariants)
        machine = Machine(
            network=wire,
            now=process.now,
            clock=process.loop.time,
            jitter=lambda: uniform_jitter(self._random),
            owner=process.owner,
            is_dead=self._is_dead,
            open_results=lambda _: Results(process, self._weather, self._invariants),
        )
        choice = Choice(RejectSelection(all=True)) if is_replay else None
        ledger = Ledger(process, self._ledger, self._weather, self._invariants)
        run = ExtractRun(FewPayments(rows), MAPPING, self._settings, ledger, options, None, None, 0, machine, choice)
        process.start(lambda: run.report(process.should_stop, lambda _: None))
        return process

    def _jumped(self, when: float) -> float:
        jump = self.scenario.clock_jump
        return jump[1] if jump is not None and when >= jump[0] else 0.0

    def _is_dead(self, owner: str) -> bool:
        return any(one.owner == owner and one.fate.seen_dead and (one.dead or one.over) for one in self._processes)

    def _check_outcome(self, process: Process) -> None:
        outcome, rows = process.outcome, process.payments
        if isinstance(outcome, Report):
            told = len(process.lines) + outcome.summary.left_alone
            if outcome.summary.status == "finished" and told != len(rows):
                self.wrong.append(f"{process.name} finished {len(rows)} rows and says of {told}")
        elif not (
            (process.dead and isinstance(outcome, Crash))
            or (process.troubled and isinstance(outcome, (LedgerError, ResultsError)))
        ):
            self.wrong.append(f"{process.name} ended with {outcome!r}")
