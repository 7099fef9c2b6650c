"""Operators: ``report`` for one call, ``extract`` for many rows."""
