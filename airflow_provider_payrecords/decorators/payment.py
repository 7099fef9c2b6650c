"""``@task.report_payment``: a function returns one payment, and it is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, overload

from airflow_provider_payrecords.decorators.function import FunctionOperator, make_task
from airflow_provider_payrecords.operators.report import ReportPaymentOperator

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context, Task
    from airflow_provider_payrecords.core.commands import ReportPayment

P = ParamSpec("P")


class _ReportPayment(FunctionOperator, ReportPaymentOperator):
    """Calls a function and reports the payment it returns."""

    template_fields: Sequence[str] = (
        *FunctionOperator.template_fields,
        *(name for name in ReportPaymentOperator.template_fields if name != "payment"),
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {**FunctionOperator.template_fields_renderers}
    custom_operator_name = "@task.report_payment"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(payment={}, **kwargs)

    def _fields(self, context: Context) -> dict[str, Any]:
        from airflow_provider_payrecords.operators.values import payment_fields

        return payment_fields(self._function(context)(), self.python_callable.__name__)


@overload
def report_payment(python_callable: Callable[P, Mapping[str, Any] | ReportPayment]) -> Task[P, str]: ...


@overload
def report_payment(
    *,
    key: str | None = ...,
    source: str = ...,
    payrecords_conn_id: str = ...,
    **operator_arguments: Any,
) -> Callable[[Callable[P, Mapping[str, Any] | ReportPayment]], Task[P, str]]: ...


def report_payment(python_callable: Callable[..., Any] | None = None, **operator_arguments: Any) -> Any:
    """
    Make a task of a function that returns one payment: it is reported, through the ledger, exactly once.

    The function returns the fields of ``report_payment`` as a mapping, or a ``ReportPayment``. XCom and arguments are
    those of ``ReportPaymentOperator``: ``return_value`` is the Payment Record's id.

    Args:
        python_callable: The function, where the decorator is used without arguments.
    """
    return make_task(_ReportPayment, python_callable, **operator_arguments)
