"""A hub as a process of its own, to be killed: `python -m tests.ingest.hub_child <port> <database>`."""

import asyncio
import sys
from pathlib import Path

from hub.db import Db
from hub.ingest import Ingest
from hub.live import Live
from tests.certificates import pki
from tests.ingest.parts import Address

if __name__ == "__main__":
    database = Db(Path(sys.argv[2]))
    database.open()
    asyncio.run(
        Ingest(Address("127.0.0.1", int(sys.argv[1])), database, Live(), tls=lambda: pki().context("hub")).run()
    )
