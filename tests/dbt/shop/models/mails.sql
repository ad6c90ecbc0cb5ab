{{ config(materialized='table', tags=['broken']) }}
select mail from {{ ref('stg_customers') }}
