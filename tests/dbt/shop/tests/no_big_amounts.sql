select * from {{ ref('daily') }} where amount > 30
