{{ config(materialized='table') }}
select region, count(*) as orders, sum(amount) as amount
from {{ ref('paid_orders') }} join {{ ref('customers') }} using (customer_id)
group by region
