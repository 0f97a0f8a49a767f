"""Letters to guests leave the house by the town's own mail: the server that alerts are mailed through."""

from collections.abc import Sequence

from hub.alerts import post
from hub.alerts.address import mailed_to
from hub.alerts.addresses import Addresses
from hub.alerts.child import Message
from hub.alerts.tell import deliver
from hub.db import Db
from hub.wifi.confirm_letter import Letter

# Nobody has entered an e-mail way for alerts, so there is no server that the town mails through.
NO_WAY = "no_mail_way"


class TownMail:
    """One a hub; called to send."""

    def __init__(self, db: Db, addresses: Addresses) -> None:
        self._db, self._addresses = db, addresses

    async def __call__(self, letters: Sequence[Letter]) -> Sequence[str]:
        """Sends; for each letter what went wrong, in a word, or nothing. Raises Fault."""
        address = await self._db.aread(lambda conn: self._way(post.targets(conn)))
        if not address:
            return [NO_WAY] * len(letters)
        return await deliver([Message(mailed_to(address, one.to), one.title, one.body) for one in letters])

    def _way(self, targets: Sequence[post.Target]) -> str:
        """The first e-mail way whose address is known; empty when there is none."""
        found = (self._addresses.of(one.ref) for one in targets if one.way == "email")
        return next((address for address in found if address), "")
