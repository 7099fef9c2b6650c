"""What names one payment in a request to the pages' API."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from airflow_provider_payrecords.core.entry import Scope

Name = Annotated[str, Field(min_length=1, max_length=1_000)]


class ScopeOf(BaseModel):
    """The connection that a person chose, and where in its ledger to look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: Annotated[str, Field(max_length=250)]
    account: Name
    mode: Literal["test", "live"]
    endpoint: Name
    source: Name

    @property
    def scope(self) -> Scope:
        """The ledger's own form of it."""
        return Scope(self.account, self.mode, self.endpoint, self.source)


class PaymentOf(ScopeOf):
    """One payment."""

    key: Name


PaymentQuery = Annotated[PaymentOf, Query()]
