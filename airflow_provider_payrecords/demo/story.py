"""What the demo tells: the summary as the task left it, the ids in XCom, and the sandbox's own count of payments."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from airflow_provider_payrecords.bulk import RunSummary
from airflow_provider_payrecords.cli import console
from airflow_provider_payrecords.cli.outcome import show_summary
from airflow_provider_payrecords.demo.place import Place

SHOWN_IDS = 5


@dataclass(frozen=True)
class Story:
    """
    One run of the example DAG.

    Attributes:
        dag_run: ``dag_id``, ``run_id``, ``state`` and the XComs, as Airflow's database has them.
        before: How often each payment stood in the sandbox's journal before the run.
        after: The same after it.
    """

    dag_run: dict[str, Any]
    before: Counter[str]
    after: Counter[str]

    @property
    def summaries(self) -> list[RunSummary]:
        """The run summaries that tasks returned."""
        values = (one["value"] for one in self.dag_run["xcoms"])
        return [RunSummary.model_validate(value) for value in values if _is_summary(value)]

    @property
    def record_ids(self) -> list[str]:
        """The ids that tasks handed on, in row order."""
        return [record for one in self.dag_run["xcoms"] if one["key"] == "record_ids" for record in one["value"]]

    @property
    def repeated(self) -> list[str]:
        """Keys of payments that were recorded more than once. There must be none."""
        return sorted(key for key, times in self.after.items() if times > 1)

    @property
    def is_good(self) -> bool:
        """The DAG ran to its end, reported something at some time, and nothing twice."""
        return self.dag_run["state"] == "success" and bool(self.after) and not self.repeated

    def as_json(self) -> dict[str, Any]:
        """Return the story as JSON-safe data."""
        return {
            **{name: self.dag_run[name] for name in ("dag_id", "run_id", "state")},
            "summaries": [summary.to_dict() for summary in self.summaries],
            "record_ids": self.record_ids,
            "payments_before": len(self.before),
            "payments_after": len(self.after),
            "repeated": self.repeated,
        }


def tell(story: Story, place: Place) -> None:
    """Print *story*."""
    run = story.dag_run
    console.say(f"\nAirflow ran the DAG {run['dag_id']} to its end: {run['state']}.\n")
    for summary in story.summaries:
        show_summary(summary)
    _tell_ids(story)
    _tell_count(story)
    console.say(f"\nEverything is in {place.home}: the ledger, the sandbox, Airflow's home, and logs.")
    once_more, in_airflow = place.again
    console.say(f"Once more, and nothing is reported twice:  {once_more}")
    console.say(f"The same in Airflow's own pages:           {in_airflow}")
    console.say(f"What the ledger holds:                     payrecords status --ledger {place.ledger}")


def _tell_ids(story: Story) -> None:
    ids = story.record_ids
    if ids:
        console.say(f"\nPayment Record ids as they stand in XCom (record_ids, {len(ids)} of them):")
        console.say(f"  {', '.join(ids[:SHOWN_IDS])}{', …' if len(ids) > SHOWN_IDS else ''}")


def _tell_count(story: Story) -> None:
    before, after = len(story.before), len(story.after)
    console.say(
        f"\nThe sandbox held {before} payments before this run and holds {after} now, {after - before} of them new."
    )
    if story.repeated:
        console.say(f"NOT as it must be: {len(story.repeated)} payments were recorded more than once.")
    elif before:
        told = f"{before} payments of earlier runs were met again and not sent; each of the {after} was recorded once."
        console.say(f"Nothing was reported twice: {told}")
    else:
        console.say("Each was recorded exactly once. Run it again: nothing will be reported twice.")


def _is_summary(value: Any) -> bool:
    return isinstance(value, dict) and {"run_id", "counts", "money", "first_rejects"} <= value.keys()
