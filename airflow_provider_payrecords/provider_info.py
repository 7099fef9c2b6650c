"""
What Airflow asks of a provider, as data. Imports nothing: every Airflow process runs this.

The shape is Airflow's ``provider_info.schema.json``. One mistake here breaks provider discovery for a whole deployment.
"""

from __future__ import annotations

from typing import Any

_INTEGRATION = "Stripe Payment Records"
_SINCE = "0.1.0"


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description."""
    return {
        "package-name": "airflow-provider-payrecords",
        "name": _INTEGRATION,
        "description": "Report off-Stripe payments to Stripe's Payment Records API, each exactly once.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://docs.stripe.com/payments/payment-records",
                "how-to-guide": ["/docs/operators.md", "/docs/sensors.md"],
                "tags": ["service", "payments"],
            }
        ],
        "operators": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_provider_payrecords.operators.report",
                    "airflow_provider_payrecords.operators.extract",
                    "airflow_provider_payrecords.operators.replay",
                    "airflow_provider_payrecords.operators.reconcile",
                ],
            }
        ],
        "hooks": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["airflow_provider_payrecords.hooks.payrecords"],
            }
        ],
        "sensors": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["airflow_provider_payrecords.sensors.payment_record"],
            }
        ],
        "triggers": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_provider_payrecords.triggers.payment_record",
                    "airflow_provider_payrecords.triggers.new_payment_records",
                ],
            }
        ],
        "connection-types": [_connection_type()],
        "cli": ["airflow_provider_payrecords.airflow_cli.get_cli_commands"],
        "task-decorators": [
            {"name": name, "class-name": f"airflow_provider_payrecords.decorators.{name}"}
            for name in ("report_payment", "report_payments")
        ],
        "extra-links": ["airflow_provider_payrecords.links.payment_record.PaymentRecordLink"],
        "notifications": ["airflow_provider_payrecords.notifications.rejects.RejectsNotifier"],
        "asset-uris": [
            {
                "schemes": ["payrecords"],
                "handler": "airflow_provider_payrecords.assets.sanitize_uri",
                "factory": "airflow_provider_payrecords.assets.create_asset",
                "to_openlineage_converter": "airflow_provider_payrecords.assets.to_openlineage",
            }
        ],
        "config": {
            "payrecords": {
                "description": "Defaults of the operators that report payments to Stripe.",
                "options": _options(),
            }
        },
    }


def _connection_type() -> dict[str, Any]:
    return {
        "connection-type": "payrecords",
        "hook-class-name": "airflow_provider_payrecords.hooks.payrecords.PaymentRecordsHook",
        "hook-name": _INTEGRATION,
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "login"],
            "relabeling": {"password": "API key", "host": "API base URL"},
            "placeholders": {
                "password": "sk_test_… or a restricted key, rk_test_…",
                "host": "https://api.stripe.com",
            },
        },
        "conn-fields": {
            "stripe_version": _field("API version", "Empty: the version this provider was made for.", "string"),
            "stripe_account": _field("Connected account", "Act on this account (acct_…).", "string"),
            "account": _field(
                "Account name",
                "Name of the account in the ledger. Leave empty for the connection id. Changing it makes every payment "
                "look new.",
                "string",
            ),
            "timeout": _field("Timeout", "Seconds to wait for an answer.", "number", minimum=1, maximum=300),
            "max_retries": _field("Retries", "Sends after the first, per call.", "integer", minimum=0, maximum=100),
            "rate_limit": _field("Rate limit", "Requests per second.", "number", minimum=0.01, maximum=10000),
            "ledger_conn_id": _field(
                "Ledger connection",
                "Connection of the database that remembers what was reported: sqlite or postgres.",
                "string",
            ),
        },
    }


def _field(label: str, description: str, kind: str, **limits: float) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": [kind, "null"], **limits}}


def _options() -> dict[str, Any]:
    return {
        "ledger": _option(
            "string",
            "Where it is remembered what was reported: a URL (sqlite:////path/ledger.db, postgresql://…), the path of "
            "a SQLite file, or a connection id. Default: payrecords/ledger.db under AIRFLOW_HOME. Workers on several "
            "machines need one they share.",
            example="postgresql://payrecords@db/payrecords",
            sensitive=True,
        ),
        "results": _option(
            "string",
            "Folder for results files, local or object storage. Default: payrecords/results under AIRFLOW_HOME.",
            example="s3://aws_default@bucket/payrecords",
        ),
        "concurrency": _option("integer", "Payments under way at once, at most, per run.", example="32"),
        "rate_limit": _option("float", "Requests per second, per run. A connection's rate_limit wins.", example="20"),
        "canary": _option("integer", "Send this many payments, then stop for a look.", example="10"),
        "stop_after_rejects": _option(
            "string", "Stop a run at this many rejected rows (5) or this share of them (0.1).", example="0.1"
        ),
        "on_reject": _option("string", "What a run does at a rejected row: keep_going or stop.", example="keep_going"),
        "stamp_metadata": _option(
            "boolean", "Put key and source into a record's metadata, to find it again.", example="True"
        ),
        "share_rate": _option(
            "boolean", "All runs on the ledger keep rate_limit together. Default: the parts of an extract do.", "True"
        ),
        "lease_seconds": _option(
            "float", "How long a claim keeps other workers away after its worker vanished.", example="300"
        ),
        "pages": _option(
            "boolean", "Show the pages of Payment Records in Airflow's UI. False: nothing of them is there.", "False"
        ),
    }


def _option(kind: str, description: str, example: str, **more: bool) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": _SINCE,
        "type": kind,
        "example": example,
        "default": None,
        **more,
    }
