"""Triggers: what waits in the triggerer. They only read."""
