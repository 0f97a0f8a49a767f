"""nfcpy's `udp` driver takes a field that is gone for one that is empty; here it becomes the I/O error that it is.

Our own field answers each poll, an empty one with the bare bit rate.  Polls that nobody answers at all, a whole round
of them, mean that the field's process is gone, as a reader that was unplugged.
"""

import errno
from typing import Any

# One round asks for three technologies; one lost datagram is no fault.
_ROUND = 3
# Polls wait a second; what waits less is talk with a card, which may leave at any time.
_POLL_S = 1.0


def raise_when_gone(device: Any) -> None:
    """Lets a device of nfcpy's `udp` driver raise OSError once a whole round of polls had no answer."""
    from nfc.clf import TimeoutError as NoAnswer

    receive = device._recv_data
    unanswered = 0

    def received(timeout: float, *rates: str) -> Any:
        nonlocal unanswered
        try:
            answer = receive(timeout, *rates)
        except NoAnswer:
            unanswered += timeout >= _POLL_S
            if unanswered >= _ROUND:
                raise OSError(errno.ETIMEDOUT, "nothing answers") from None
            raise
        except Exception:
            unanswered = 0
            raise
        unanswered = 0
        return answer

    device._recv_data = received
