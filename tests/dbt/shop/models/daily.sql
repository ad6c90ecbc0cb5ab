{{ config(
    materialized='incremental', incremental_strategy='microbatch', event_time='ordered_at',
    batch_size='year', begin='2024-01-01', full_refresh=false, concurrent_batches=false
) }}
select ordered_at, amount from {{ ref('stg_orders') }}
