"""The embedded index ranks the demo marketplace as people judged it. `make search-quality` measures OpenSearch too."""

from tests.contract.search_shop import on_tantivy
from tests.search.judging import judged, mean
from tests.search.quality import scores

GOAL = 0.9
"""What was asked for is 0.85; it was 0.93 when this was written."""


def test_each_query_of_the_list_means_a_product() -> None:
    assert [each.query for each in judged() if not each.grades] == []
    assert sum(len(each.grades) for each in judged()) >= 150


async def test_products_come_in_the_order_they_were_judged_in() -> None:
    async with on_tantivy() as shopper:
        found = await scores(shopper)

    assert mean([score for _, score in found]) >= GOAL
    assert {each.query for each, score in found if each.group == "product_codes" and score < 1} == set()
