"""What every operator that reads an extract has: its arguments, and a way to be asked to end."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from airflow_provider_payrecords._airflow import BaseOperator


class ReadingOperator(BaseOperator):
    """Takes an extract, its mapping, a place for results and options. ``PlanExtractOperator`` says what they are."""

    template_fields: Sequence[str] = ("extract", "mapping", "results", "options", "payrecords_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"mapping": "json", "options": "json"}
    ui_color = "#e8e4ff"

    _stopping: threading.Event
    """Made by ``execute``: an operator is copied before that, and an event cannot be."""

    def __init__(
        self,
        *,
        extract: Any,
        mapping: Any = None,
        results: Any = None,
        options: Mapping[str, Any] | None = None,
        payrecords_conn_id: str = "payrecords_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.extract = extract
        self.mapping = mapping
        self.results = results
        self.options = options
        self.payrecords_conn_id = payrecords_conn_id

    def on_kill(self) -> None:
        """Ask the run to end: it takes no new rows and settles what is on its way, within about two seconds."""
        stopping: threading.Event | None = getattr(self, "_stopping", None)
        if stopping is not None:
            stopping.set()
