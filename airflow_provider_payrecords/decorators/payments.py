"""``@task.report_payments``: a function yields payments, and each is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, overload

from airflow_provider_payrecords._airflow import AirflowException
from airflow_provider_payrecords.core.errors import ExtractError, PayRecordsError
from airflow_provider_payrecords.decorators.function import FunctionOperator, make_task
from airflow_provider_payrecords.operators.extract import ReportExtractOperator

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context, Task
    from airflow_provider_payrecords.core.commands import Command

P = ParamSpec("P")


class _ReportPayments(FunctionOperator, ReportExtractOperator):
    """Calls a function and reports the rows it yields while it goes on."""

    template_fields: Sequence[str] = (
        *FunctionOperator.template_fields,
        *(name for name in ReportExtractOperator.template_fields if name != "extract"),
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **FunctionOperator.template_fields_renderers,
        **ReportExtractOperator.template_fields_renderers,
    }
    custom_operator_name = "@task.report_payments"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(extract=(), **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Call the function, report what it yields, and return the run's summary."""
        rows = _Rows(self._function(context), self.python_callable.__name__)
        try:
            return self._report(context, rows)
        except (AirflowException, PayRecordsError):
            # The run has ended in order. What the function raised says better whether to retry, to fail or to skip.
            if rows.error is not None:
                raise rows.error from None
            raise


class _Rows:
    """
    What a user's function yields, and the exception that ended it, if one did.

    An exception in there ends the run as a broken extract does: rows already read are reported and settled.
    """

    def __init__(self, produce: Callable[[], Any], name: str) -> None:
        self._produce = produce
        self._name = name
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[Any]:
        try:
            rows = self._produce()
            if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
                text = f"{self._name} returned a {type(rows).__name__}. Yield payments, or return a list of them."
                raise ExtractError(text)
            yield from rows
        except ExtractError:
            raise
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything; it is raised again at the end
            self.error = error
            raise ExtractError(
                f"{self._name} raised {type(error).__name__}. What it had yielded is reported."
            ) from None


@overload
def report_payments(python_callable: Callable[P, Iterable[Mapping[str, Any] | Command]]) -> Task[P, dict[str, Any]]: ...


@overload
def report_payments(
    *,
    mapping: Mapping[str, Any] | str | None = ...,
    results: Any = ...,
    options: Mapping[str, Any] | None = ...,
    fail_on_rejects: bool = ...,
    payrecords_conn_id: str = ...,
    **operator_arguments: Any,
) -> Callable[[Callable[P, Iterable[Mapping[str, Any] | Command]]], Task[P, dict[str, Any]]]: ...


def report_payments(python_callable: Callable[..., Any] | None = None, **operator_arguments: Any) -> Any:
    """
    Make a task of a function that yields payments: each is reported exactly once, while the function goes on.

    The function yields rows as mappings, or commands of the mapping's endpoint (``ReportPayment``), or returns an
    iterable of them. They pass through memory a few hundred at a time, never through XCom. XCom and arguments are those
    of ``ReportExtractOperator``. An exception of the function fails the task as it always does, after the rows it had
    yielded are settled; a retry sends only what is left.

    Args:
        python_callable: The function, where the decorator is used without arguments.
    """
    return make_task(_ReportPayments, python_callable, **operator_arguments)
