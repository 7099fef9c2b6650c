"""What happened in a world, for a person to read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any


class Trace:
    """Lines of a story. They are put into words only when somebody wants to read them."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, str, str, tuple[Any, ...]]] = []

    def note(self, when: float, who: str, text: str, *values: Any) -> None:
        """
        Add a line.

        Args:
            when: True seconds since the world began.
            text: With ``{}`` for each of *values*, which must not change later.
        """
        self._lines.append((when, who, text, values))

    def __str__(self) -> str:
        return "\n".join(
            f"{timedelta(seconds=round(when, 3))!s:>24}  {who:<9} {text.format(*values)}"
            for when, who, text, values in self._lines
        )
