"""A real Airflow in a folder, for the demo, the tests and the benchmarks."""
