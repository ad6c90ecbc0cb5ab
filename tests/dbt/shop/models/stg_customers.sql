select name, mail from {{ ref('raw_customers') }}
