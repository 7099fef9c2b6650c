"""Sensors: wait for a state of a Payment Record."""
