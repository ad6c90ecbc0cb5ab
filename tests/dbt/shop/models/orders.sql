{{ config(materialized='incremental', unique_key='id') }}
select o.*, c.mail from {{ ref('stg_orders') }} o join {{ ref('stg_customers') }} c on c.name = o.customer
{% if is_incremental() %} where o.ordered_at > (select max(ordered_at) from {{ this }}) {% endif %}
