{% snapshot customers_snapshot %}
{{ config(target_schema='main', strategy='check', unique_key='name', check_cols=['mail']) }}
select * from {{ ref('stg_customers') }}
{% endsnapshot %}
