{{ config(tags=['broken']) }}
select cast(mail as integer) as mail from {{ ref('stg_customers') }}
