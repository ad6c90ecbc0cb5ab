"""dbt's artifacts and log as spans; knows neither Airflow nor dbt itself."""
