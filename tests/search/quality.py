"""`make search-quality`: NDCG@10 of each search adapter over the judged list."""

import asyncio
import sys
from collections.abc import Mapping, Sequence

from infra.servers.refusals import NotHere
from infra.servers.running import OPENSEARCH_SERVER, running
from tests.contract.search_shop import Listed, Shopper, on_opensearch, on_tantivy
from tests.search.judging import TOP, Judged, documents, judged, mean
from tests.servers import memory_folder

Scores = Sequence[tuple[Judged, float]]

WEAK = 0.8
"""Queries below it are named."""


async def scores(shopper: Shopper) -> Scores:
    """Each query of the list with its NDCG@10 on a fresh index of the demo marketplace."""
    await shopper.search.reindex(Listed(list(documents())), lambda done: None)
    found = []
    for each in judged():
        page = await shopper.near(each.query, TOP)
        found.append((each, each.ndcg([hit.product_id for hit in page.nodes])))
    return found


async def on_each() -> dict[str, Scores]:
    results = {}
    async with on_tantivy() as shopper:
        results["tantivy"] = await scores(shopper)
    try:
        with memory_folder() as folder, memory_folder() as data:
            async with running(OPENSEARCH_SERVER, folder, data) as url, on_opensearch(url) as shopper:
                results["opensearch"] = await scores(shopper)
    except NotHere as reason:
        sys.stderr.write(f"OpenSearch is not measured: {reason}\n")
    return results


def report(results: Mapping[str, Scores]) -> Sequence[str]:
    """Lines for people: the means, by group, and the queries that fare badly somewhere."""
    lines = [f"{'NDCG@10':28}" + "".join(f"{name:>12}" for name in results)]
    groups = list(dict.fromkeys(each.group for each in judged()))
    for group in groups:
        row = [mean([score for each, score in found if each.group == group]) for found in results.values()]
        lines.append(f"{group:28}" + "".join(f"{value:12.3f}" for value in row))
    overall = [mean([score for _, score in found]) for found in results.values()]
    lines.append(f"{'all':28}" + "".join(f"{value:12.3f}" for value in overall))
    lines += ["", "weak:"]
    for row in zip(*results.values(), strict=True):
        if min(score for _, score in row) < WEAK:
            lines.append(f"{row[0][0].query:28}" + "".join(f"{score:12.2f}" for _, score in row))
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(report(asyncio.run(on_each()))) + "\n")
