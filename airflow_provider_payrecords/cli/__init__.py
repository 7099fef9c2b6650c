"""The command line ``payrecords``: the same engine as the operators, where Airflow need not be installed."""

from airflow_provider_payrecords.cli.app import main

__all__ = ["main"]
