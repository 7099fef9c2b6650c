"""Report off-Stripe payments to the Payment Records API from Apache Airflow."""

__version__ = "0.1.0"
