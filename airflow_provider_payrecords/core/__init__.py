"""Pure values and rules: no clock, no chance, no socket, no file, no logging, no Airflow."""
