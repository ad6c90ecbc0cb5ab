{#- Batches are there since dbt 1.9. -#}
{{ config(
    materialized='incremental', event_time='ordered_at',
    incremental_strategy='microbatch' if dbt_version.split('.')[1] | int >= 9 else 'append',
    batch_size='year', begin='2024-01-01', full_refresh=false, concurrent_batches=false
) }}
select ordered_at, amount from {{ ref('stg_orders') }}
