"""Foreign servers for the tests in this folder."""

from tests.foreign.fixtures import start_server

__all__ = ["start_server"]
