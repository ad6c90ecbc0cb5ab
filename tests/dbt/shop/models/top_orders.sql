{{ config(materialized='table') }}
select * from {{ ref('big_orders') }}
