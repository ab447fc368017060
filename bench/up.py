"""`torii up`, but with a demo shop of the size that is given.

python -m bench.up PRODUCTS
"""

import sys
from dataclasses import replace

import cli
from commands import starting

DEMO = "demo-marketplace"


def main() -> None:
    products = sys.argv[1]
    usual_steps = starting.steps
    starting.steps = lambda settings, clock: [
        replace(step, command=(*step.command, "--products", products)) if step.name == DEMO else step
        for step in usual_steps(settings, clock)
    ]
    sys.argv = ["torii", "up"]
    cli.main()


if __name__ == "__main__":
    main()
