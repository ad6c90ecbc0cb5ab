{{ config(materialized='table', tags=['broken']) }}
select * from {{ ref('broken') }}
