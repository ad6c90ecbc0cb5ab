select order_id, customer_id, amount, cast(ordered_on as date) as ordered_on
from read_csv('{{ env_var("SHOP_ORDERS") }}')
