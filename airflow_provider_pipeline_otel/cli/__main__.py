"""`python -m airflow_provider_pipeline_otel.cli`, where the script isn't on the path."""

from airflow_provider_pipeline_otel.cli import main

raise SystemExit(main())
