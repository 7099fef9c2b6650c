"""The pages in Airflow's UI, and the API behind them."""
