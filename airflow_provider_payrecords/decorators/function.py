"""What both decorators do: call a user's function, and make a task of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_payrecords._airflow import (
    DecoratedOperator,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context


class FunctionOperator(DecoratedOperator):
    """
    Calls a function for what an operator reports.

    What a function returned is data, and no template: a subclass leaves it out of ``template_fields``, and so out of
    Rendered Templates.
    """

    def _function(self, context: Context) -> Callable[[], Any]:
        """Return the function with the arguments it asks for."""
        context_merge(context, self.op_kwargs)
        arguments = determine_kwargs(self.python_callable, self.op_args, context)
        return partial(self.python_callable, *self.op_args, **arguments)


def make_task(operator: type[FunctionOperator], python_callable: Callable[..., Any] | None, **arguments: Any) -> Any:
    """Return a task of *python_callable*, or where there is none yet, what makes one of it."""
    return task_decorator_factory(
        python_callable=python_callable,
        # Airflow would infer it from a function that returns a dict, which is not what the task returns.
        multiple_outputs=False,
        decorated_operator_class=operator,
        **arguments,
    )
