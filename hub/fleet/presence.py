"""Online or not: whether a presence is news (wire design, Topics).

1. A device counts its connections; the number never goes back within a boot.
2. "Online" is believed unless it belongs to an older connection of the same boot.
3. "Offline", which is also the last will, is believed only of the newest connection:
   a will that the broker sends late must not put out a device that is back.
"""

from wire.messages import Presence


def is_news(boot: str, connection: int, presence: Presence) -> bool:
    """Whether it changes what was known: the boot and connection number heard last."""
    if presence.online:
        return presence.boot != boot or presence.connection >= connection
    return boot in ("", presence.boot) and presence.connection >= connection
