"""The embedded AWS: moto's server in a process of ours that keeps DynamoDB, S3 and Cognito between starts.

    python -m infra.embedded.aws PORT FOLDER

What changed is saved every SAVE_EVERY_S seconds (less often when saving is slow: it may take a twentieth of the time)
and at SIGTERM. Killed with -9, it loses at most the writes since the last save: about a second. Requests wait
while a dump is made, never while it is written.
"""

import argparse
import logging
import signal
import sys
import time
from pathlib import Path
from threading import Event, Thread
from types import FrameType

from infra.embedded.ports import LOOPBACK

SAVE_EVERY_S = 1.0
SHARE_OF_TIME = 20


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="infra.embedded.aws", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs every request otherwise
    serve(options.port, options.folder)


def serve(port: int, folder: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    # set before the slow imports below, so that a stop during them is not lost
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    from infra.embedded import aws_cognito, aws_dynamodb, aws_messages
    from infra.embedded.aws_changes import Gate, RecordChanges
    from infra.embedded.aws_keeper import Keeper

    aws_dynamodb.repair()
    aws_cognito.repair()
    aws_messages.repair()
    gate = Gate()
    app = RecordChanges(DomainDispatcherApplication(create_backend_app), gate)
    keeper = Keeper(folder, gate, app)
    keeper.load()
    served = aws_cognito.RefuseUnoffered(app)
    server = make_server(LOOPBACK, port, served, threaded=True, request_handler=MotoRequestHandler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    pause = SAVE_EVERY_S
    while not stop.wait(pause):
        began = time.monotonic()
        keeper.save()
        pause = max(SAVE_EVERY_S, SHARE_OF_TIME * (time.monotonic() - began))
    server.shutdown()
    keeper.save_for_good()


if __name__ == "__main__":
    main(sys.argv[1:])
