"""``python -m airflow_provider_payrecords`` is ``payrecords``."""

from airflow_provider_payrecords.cli import main

if __name__ == "__main__":
    main()
