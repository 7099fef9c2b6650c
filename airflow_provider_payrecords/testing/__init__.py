"""For users' own tests: ``fixtures`` and ``sandbox`` are pytest plugins, ``task_runner`` runs one Airflow task."""
