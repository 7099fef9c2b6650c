"""
Answers kept under their idempotency key, per account and mode.

Source:
    https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from airflow_provider_payrecords.sandbox.errors import invalid, key_in_use, other_endpoint, other_parameters
from airflow_provider_payrecords.sandbox.objects import Realm

MAX_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """
    A first answer.

    Attributes:
        path: Path it was given on.
        digest: Of the parameters it was given for.
        request_id: Of the first request.
        saved_at: Epoch seconds; the answer is kept from here.
    """

    realm: Realm
    key: str
    path: str
    digest: str
    status: int
    content: str
    request_id: str
    saved_at: float


class IdempotencyCache:
    """Saved answers, and the keys of requests that are still running."""

    def __init__(self, keep_seconds: float) -> None:
        self._keep_seconds = keep_seconds
        self._answers: dict[tuple[Realm, str], SavedAnswer] = {}
        self._running: set[tuple[Realm, str]] = set()

    def look_up(self, realm: Realm, key: str, path: str, digest: str, now: float) -> SavedAnswer | None:
        """
        Return the answer to give again, or None for a key that is new or forgotten.

        Raises:
            RefusalError: The key is too long, in use, or was first used for something else.
        """
        if len(key) > MAX_KEY_LENGTH:
            raise invalid(f"Idempotency keys can be up to {MAX_KEY_LENGTH} characters long.")
        if (realm, key) in self._running:
            raise key_in_use(key)
        saved = self._answers.get((realm, key))
        if saved is None or now - saved.saved_at >= self._keep_seconds:
            return None
        if saved.path != path:
            raise replace(other_endpoint(key, saved.path, path), headers=_original(saved))
        if saved.digest != digest:
            raise replace(other_parameters(key), headers=_original(saved))
        return saved

    def save(self, answer: SavedAnswer) -> None:
        """Keep *answer*, in place of one that was forgotten."""
        self._answers[answer.realm, answer.key] = answer

    def hold(self, realm: Realm, key: str) -> None:
        """Mark *key* as in use until ``release``."""
        self._running.add((realm, key))

    def release(self, realm: Realm, key: str) -> None:
        """Mark *key* as no longer in use."""
        self._running.discard((realm, key))

    def clear(self) -> None:
        """Forget everything."""
        self._answers.clear()
        self._running.clear()


def _original(saved: SavedAnswer) -> dict[str, str]:
    return {"original-request": saved.request_id}
