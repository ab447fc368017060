"""The sandbox's process.

    TORII_STRIPE_SECRET_KEY=sk_test_… python -m infra.sandbox.stripe.server PORT FOLDER

The key comes through the environment: a command line is for everyone to read. It listens on loopback only.
"""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import cast

import uvicorn
from uvicorn._types import ASGIApplication

from infra.sandbox.stripe.app import create_app

HOST = "127.0.0.1"
KEY_PREFIX = "sk_test_"
VARIABLE = "TORII_STRIPE_SECRET_KEY"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="infra.sandbox.stripe.server", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    key = os.environ.get(VARIABLE, "")
    if not key.startswith(KEY_PREFIX):
        print(f"{VARIABLE} must begin with {KEY_PREFIX}: no money is real here", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    config = uvicorn.Config(
        cast("ASGIApplication", create_app(options.folder, key)),
        host=HOST,
        port=options.port,
        loop="asyncio",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
