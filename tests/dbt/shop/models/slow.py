import time


def model(dbt, session):
    dbt.config(materialized="table")
    time.sleep(float(dbt.config.get("seconds", 0)))
    return dbt.ref("stg_orders")
