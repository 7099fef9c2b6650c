"""How a run behaves, as one frozen value."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.partition import make_partition
from airflow_provider_payrecords.settings import DEFAULT_RATE_LIMIT


def _count_or_share(value: int | float) -> int | float:
    if isinstance(value, float) and not 0 < value < 1:
        raise ValueError("a share lies between 0 and 1; a count is a whole number of at least 1")
    if isinstance(value, int) and value < 1:
        raise ValueError("a count is a whole number of at least 1; a share lies between 0 and 1")
    return value


def _part(value: str) -> str:
    try:
        part = make_partition(value)
    except UsageError as error:
        raise ValueError(error.message.removeprefix("partition: ")) from None
    return f"{part.number}/{part.of}"


class RunOptions(BaseModel):
    """
    How a run behaves.

    Attributes:
        concurrency: Payments under way at once, at most. As many are as ``rate_limit`` and the API's latency ask for.
        rate_limit: Requests per second that the run never exceeds; a 429 lowers it for a while.
        canary: Send this many payments, then stop for a look.
        stop_after_rejects: Stop once this many rows (whole number) or this share of the rows (between 0 and 1) were
            rejected by the API or by our checks in this run.
        on_reject: ``stop`` ends the run at the first reject.
        partition: Take only this part of the extract's rows, such as ``3/8``, told apart by the hash of their keys.
        dry_run: Check every row and say what would be sent. Sends nothing and changes nothing.
        stamp_metadata: Put the row key and source into the record's metadata, so that it can be found again.
        share_rate: All runs on this ledger that report to the same endpoint of the account keep one rate together.
            None: where ``partition`` is set.
        lease_seconds: How long a claim keeps other workers away after its worker vanished.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(default=32, ge=1, le=256)
    rate_limit: float = Field(default=DEFAULT_RATE_LIMIT, ge=0.1, le=10_000, allow_inf_nan=False)
    canary: int | None = Field(default=None, ge=1)
    stop_after_rejects: Annotated[int | float, AfterValidator(_count_or_share)] | None = None
    on_reject: Literal["keep_going", "stop"] = "keep_going"
    partition: Annotated[str, AfterValidator(_part)] | None = None
    dry_run: bool = False
    stamp_metadata: bool = True
    share_rate: bool | None = None
    lease_seconds: float = Field(default=300.0, ge=10, le=86_400, allow_inf_nan=False)

    @property
    def shares_rate(self) -> bool:
        """Whether other runs on the ledger keep the rate together with this one."""
        return self.partition is not None if self.share_rate is None else self.share_rate
