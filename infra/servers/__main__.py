"""Build the servers of the contract tests: `python -m infra.servers [--if-possible]`.

Status 1 when one could not be built; with --if-possible that is only said.
"""

import sys
from collections.abc import Sequence

from infra.servers.cache import cache_dir
from infra.servers.recipes import RECIPES
from infra.servers.refusals import NotHere


def main(arguments: Sequence[str]) -> int:
    is_lenient = "--if-possible" in arguments
    missing = 0
    for recipe in RECIPES:
        try:
            recipe.make(lambda text: print(f"· {text}", flush=True))
        except NotHere as reason:
            missing += 1
            print(f"{recipe.name}: not built, its tests will be skipped: {reason}", file=sys.stderr)
    if not missing and not is_lenient:
        print(f"servers for tests are in {cache_dir()}")
    return 1 if missing and not is_lenient else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
