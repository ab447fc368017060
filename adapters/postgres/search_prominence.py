"""What speaks for a product whatever is asked, as `prominence` of search_ranking.py has it, of what the database has now."""

from sqlalchemy import Float, Integer, case, cast, func

from adapters.postgres.tables import product_ratings, products
from adapters.search_ranking import (
    MOST_YEARS,
    POPULARITY_HALF,
    POPULARITY_WEIGHT,
    PRIOR_RATINGS,
    RATING_PRIOR,
    RATING_WEIGHT,
    RECENCY_WEIGHT,
    RECENT_FROM,
    STOCK_WEIGHT,
    YEAR_S,
)
from domain.search.request import BEST_RATING

P, R = products.c, product_ratings.c
LISTED_AT = func.coalesce(P.published_at, P.created_at)
POPULARITY = func.ln(1 + cast(func.coalesce(R.rating_count, 0), Float))
MEAN = case(
    (R.rating_count > 0, cast(R.rating_total + RATING_PRIOR * PRIOR_RATINGS, Float) / (R.rating_count + PRIOR_RATINGS)),
    else_=0.0,
)
YEARS = func.extract("epoch", LISTED_AT - RECENT_FROM) / YEAR_S
PROMINENCE = (
    POPULARITY_WEIGHT * POPULARITY / (POPULARITY + POPULARITY_HALF)
    + RATING_WEIGHT * func.greatest(MEAN - 1, 0.0) / (BEST_RATING - 1)
    + STOCK_WEIGHT * cast(cast(P.sellable_quantity > 0, Integer), Float)
    + RECENCY_WEIGHT * cast(func.least(func.greatest(YEARS, 0.0), MOST_YEARS), Float)
)
"""As `prominence` of search_ranking.py has it: below 1.5."""
