"""What ``payrecords demo`` does: the sandbox, Airflow, one example DAG, and the story of what happened."""
