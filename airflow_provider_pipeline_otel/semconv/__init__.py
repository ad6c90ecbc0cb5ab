"""Every attribute and metric name that the package writes, each in one place."""
