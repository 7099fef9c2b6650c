"""What pydantic found wrong with a command, in the API's words and without the value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_payrecords.core.parameters import CLEAR, SET

_CODES = {
    "missing": "parameter_missing",
    "extra_forbidden": "parameter_unknown",
    "literal_error": "invalid_value",
    "string_unicode": "invalid_text",
    "string_too_long": "too_long",
    "greater_than_equal": "parameter_invalid_integer",
    "less_than_equal": "parameter_invalid_integer",
}
_MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "The API does not know this field.",
    "string_too_long": "At most {max_length} characters.",
    "too_long": "At most {max_length} characters.",
    "literal_error": "Must be one of {expected}.",
    "string_type": "Send text.",
    "model_type": "Send a hash of fields.",
    "dict_type": "Send a hash of fields.",
    "greater_than_equal": "Must be at least {ge}.",
    "less_than_equal": "Must be at most {le}.",
}
_NOT_A_FIELD = frozenset({SET, CLEAR, "[key]"})


def explain(detail: Mapping[str, Any]) -> dict[str, str]:
    """
    Return one finding as ``field`` (dotted path), ``code`` and ``message``.

    Args:
        detail: One of ``ValidationError.errors()``.
    """
    kind = detail["type"]
    context = detail.get("ctx", {})
    field = ".".join(str(part) for part in detail["loc"] if part not in _NOT_A_FIELD)
    if "field" in context:
        field = f"{field}.{context['field']}" if field else context["field"]
    known = kind in _MESSAGES
    return {
        "field": field,
        "code": _CODES.get(kind, kind if isinstance(kind, str) and "_type" not in kind else "invalid_type"),
        "message": _MESSAGES[kind].format(**context) if known else detail["msg"],
    }
