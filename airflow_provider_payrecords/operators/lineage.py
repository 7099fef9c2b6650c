"""
What an operator read and what it reported, for OpenLineage and for Airflow's own lineage.

The OpenLineage provider asks an operator for its facets, in a process of its own, once the task has begun and again
when it has ended. It is optional: nothing of it is imported before it asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_payrecords._airflow import get_hook_lineage_collector, openlineage_modules
from airflow_provider_payrecords.assets import SCHEME, create_asset, to_openlineage
from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook


@dataclass(frozen=True, slots=True)
class Lineage:
    """
    What went in and what came out.

    Attributes:
        extract: Address of the file or object that was read, or None: rows and queries have none.
        account: Account of the records, as the ledger knows it, once that is known.
        facts: Counts and ids of the run, JSON-safe and free of personal data.
    """

    extract: str | None = None
    account: str | None = None
    source: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def extract_address(name: str) -> str | None:
    """Return the address of the extract *name*: ``file:///…``, ``s3://…``; None for one that is no file."""
    if "://" in name:
        return name
    path = Path(name)
    return path.resolve().as_uri() if path.is_absolute() or path.exists() else None


def collect(hook: PaymentRecordsHook, lineage: Lineage) -> None:
    """Give Airflow's lineage collector what was read and what was reported."""
    collector = get_hook_lineage_collector()
    if lineage.extract is not None:
        collector.add_input_asset(hook, uri=lineage.extract)
    if lineage.account is not None:
        collector.add_output_asset(
            hook, scheme=SCHEME, asset_kwargs={"account": lineage.account, "source": lineage.source}
        )


def operator_lineage(lineage: Lineage) -> Any:
    """Return *lineage* as OpenLineage's extractor wants it."""
    events, facets, extractors = openlineage_modules()
    rows = lineage.facts.get("rows")
    inputs, outputs = [], []
    if lineage.extract is not None:
        namespace, name = _file_dataset(lineage.extract)
        read = facets.input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=rows)
        counted = {} if rows is None else {"inputStatistics": read}
        inputs.append(events.InputDataset(namespace=namespace, name=name, inputFacets=counted))
    if lineage.account is not None and lineage.source is not None:
        made = to_openlineage(create_asset(account=lineage.account, source=lineage.source), None)
        new = lineage.facts.get("new")
        wrote = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=new)
        outputs.append(
            events.OutputDataset(namespace=made.namespace, name=made.name, outputFacets={"outputStatistics": wrote})
        )
    return extractors.OperatorLineage(inputs=inputs, outputs=outputs)


def _file_dataset(address: str) -> tuple[str, str]:
    """
    Return namespace and name of a file.

    Source:
        https://openlineage.io/docs/spec/naming
    """
    parts = urlsplit(address)
    if parts.scheme == "file":
        return "file", parts.path
    return f"{parts.scheme}://{parts.netloc}", parts.path.lstrip("/") or "/"
