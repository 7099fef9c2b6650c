"""For users' own tests: ``sandbox`` is a pytest plugin with a local Stripe, ``task_runner`` runs one Airflow task."""
