"""What Airflow is told about the provider: its options with their defaults, its task decorator.

Airflow 3 imports this module while its own configuration is half built: it imports nothing.
"""

from __future__ import annotations

SECTION = "pipeline_otel"

EXPORTER = "pipeline_otel"
"""What OTEL_TRACES_EXPORTER calls the exporter of exporter.py."""

OPTIONS: dict[str, dict[str, str]] = {
    "enabled": {
        "description": "Turn every DAG run into one OpenTelemetry trace.",
        "type": "boolean",
        "example": "True",
        "default": "False",
    },
    "disabled_dags": {
        "description": "DAGs that leave no trace: names or patterns, separated by commas.",
        "type": "string",
        "example": "airflow_*,backfill_?",
        "default": "",
    },
    "spool_dir": {
        "description": (
            "Folder on a local disk in which spans wait for their delivery. Empty: "
            "pipeline_otel/spool under AIRFLOW_HOME, else under XDG_STATE_HOME."
        ),
        "type": "string",
        "example": "/var/lib/airflow/pipeline_otel",
        "default": "",
    },
    "flush_deadline": {
        "description": "Seconds that a task may wait at its end until its spans are delivered.",
        "type": "float",
        "example": "1.0",
        "default": "0.5",
    },
    "window": {
        "description": (
            "Seconds after which the tries of a run that goes on are written, by windows of that "
            "length; the same on all schedulers. 0: at the run's end."
        ),
        "type": "float",
        "example": "300",
        "default": "600",
    },
    "trigger_links": {
        "description": (
            "Let TriggerDagRunOperator put a traceparent into the conf of the run that it "
            "triggers, so that this run's trace links to the triggering task."
        ),
        "type": "boolean",
        "example": "False",
        "default": "True",
    },
    "spool_max_bytes": {
        "description": "Bytes that the spool may hold; beyond, the oldest go and are counted.",
        "type": "integer",
        "example": "1073741824",
        "default": "268435456",
    },
    "spool_max_age": {
        "description": "Seconds after which spans that could not be delivered go and are counted.",
        "type": "float",
        "example": "86400",
        "default": "604800",
    },
    "spool_max_files": {
        "description": "Files that the spool may hold; beyond, the oldest go and are counted.",
        "type": "integer",
        "example": "50000",
        "default": "20000",
    },
    "sample_ratio": {
        "description": (
            "Share of runs whose details (all but runs, tries and workers) are kept, from 0 to 1. "
            "Those of processes that failed or were killed are kept all the same."
        ),
        "type": "float",
        "example": "0.1",
        "default": "1.0",
    },
    "dag_sample_ratios": {
        "description": (
            "Shares of their own for DAGs, as pattern=share, separated by commas; the first that "
            "matches counts."
        ),
        "type": "string",
        "example": "billing_*=1, *_hourly=0.01",
        "default": "",
    },
    "capture_exception_message": {
        "description": (
            "What spans say of an exception besides its class: redacted (message and stack trace "
            "without values), type_only (neither), off (no exceptions)."
        ),
        "type": "string",
        "example": "type_only",
        "default": "redacted",
    },
    "redact_ip_addresses": {
        "description": "Take IP addresses out of spans.",
        "type": "boolean",
        "example": "True",
        "default": "False",
    },
    "redact_phone_numbers": {
        "description": "Take phone numbers out of spans.",
        "type": "boolean",
        "example": "True",
        "default": "False",
    },
    "redact_patterns": {
        "description": "Regular expressions, one a line: what they find is taken out of spans.",
        "type": "string",
        "example": "CUST-[0-9]{6}",
        "default": "",
    },
    "redact_allowed_keys": {
        "description": (
            "Attributes whose names look like secrets and are none, separated by commas: their "
            "values are looked at as any others are."
        ),
        "type": "string",
        "example": "app.token_count_key",
        "default": "",
    },
    "keep": {
        "description": (
            "MiB of delivered spans that stay in the spool for `pipeline-otel show`; the oldest go."
        ),
        "type": "float",
        "example": "0",
        "default": "64",
    },
}


def get_provider_info() -> dict[str, object]:
    """Return the provider's description, as the schema of `apache_airflow_provider` wants it."""
    return {
        "package-name": "airflow-provider-pipeline-otel",
        "name": "Pipeline OpenTelemetry",
        "description": "Every DAG run as one complete OpenTelemetry trace.",
        "config": {
            SECTION: {
                "description": "Traces of DAG runs by airflow-provider-pipeline-otel.",
                "options": {
                    name: {"version_added": "0.1.0", "sensitive": False, **option}
                    for name, option in OPTIONS.items()
                },
            }
        },
        "task-decorators": [
            {
                "name": "traced",
                "class-name": "airflow_provider_pipeline_otel.operators.python.traced_task",
            }
        ],
    }
