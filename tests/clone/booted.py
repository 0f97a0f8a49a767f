"""An agent on a machine of its own: `python -m tests.clone.booted BOOT_ID_FILE SETTINGS`.

Two processes of one machine have one boot id; here each gets another, in a mount namespace (needs root).
"""

import ctypes
import os
import sys
from pathlib import Path

from edge_agent.__main__ import main as edge_agent

_NEWNS, _PRIVATE, _REC, _BIND = 0x00020000, 1 << 18, 0x4000, 0x1000
_PLACE = b"/proc/sys/kernel/random/boot_id"


def separate(boot_id: Path) -> None:
    """From here on this process and its children read another boot id. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    for failed in (
        libc.unshare(_NEWNS),
        libc.mount(b"none", b"/", None, _PRIVATE | _REC, None),
        libc.mount(os.fsencode(boot_id), _PLACE, None, _BIND, None),
    ):
        if failed:
            raise OSError(ctypes.get_errno(), "this kernel gives no mount namespace")


if __name__ == "__main__":
    separate(Path(sys.argv[1]))
    sys.exit(edge_agent(["run", "--settings", sys.argv[2]]))
