"""``@task.report_payments``: a function yields payments, and each is reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, overload

from airflow_provider_payrecords._airflow import (
    AirflowException,
    DecoratedOperator,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)
from airflow_provider_payrecords.core.errors import ExtractError, PayRecordsError
from airflow_provider_payrecords.operators.extract import ReportExtractOperator

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context, Task
    from airflow_provider_payrecords.core.commands import Command

P = ParamSpec("P")


class _ReportPayments(DecoratedOperator, ReportExtractOperator):
    """Calls a function and reports the rows it yields while it goes on."""

    # Not ``extract``: what a function yields is data, not a template.
    template_fields: Sequence[str] = (
        *DecoratedOperator.template_fields,
        "mapping",
        "results",
        "options",
        "payrecords_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **DecoratedOperator.template_fields_renderers,
        **ReportExtractOperator.template_fields_renderers,
    }
    custom_operator_name = "@task.report_payments"

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, extract=(), **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Call the function, report what it yields, and return the run's summary."""
        context_merge(context, self.op_kwargs)
        arguments = determine_kwargs(self.python_callable, self.op_args, context)
        rows = _Rows(lambda: self.python_callable(*self.op_args, **arguments), self.python_callable.__name__)
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
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=False,
        decorated_operator_class=_ReportPayments,
        **operator_arguments,
    )
