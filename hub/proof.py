"""Proving who one is: by password or by code, slowed down by the brake, used once."""

from typing import Literal

from hub import audit, factors, password, people, second_factor
from hub.brake import Brake, Key
from hub.db import Connection, Db
from hub.people import Person
from hub.second_factor import Sealing

# How long a proof is fresh enough for what must not be done from a desk that was left (OWASP ASVS 5, 7.5.1).
FRESH_MS = 600_000

How = Literal["code", "recovery"]


def by_code(db: Db, sealing: Sealing, person: Person, given: str, now_ms: int) -> How | None:
    """Whether the digits, or a recovery code, are the person's; they are used up. Raises Fault."""
    factor = db.read(lambda conn: factors.of(conn, person.id))
    if factor is None:
        return None
    secret = sealing.unseal(person.id, factor.sealed)
    step = second_factor.matching_step(secret, given, now_ms) if secret else None
    hashed = second_factor.hash_of_recovery(given)

    def use(conn: Connection) -> How | None:
        if step is not None:
            return "code" if factors.use_step(conn, person.id, step, second_factor.step_of(now_ms)) else None
        if factors.use_recovery(conn, person.id, hashed):
            audit.note(conn, now_ms, person.name, "recovery_code", person.name)
            return "recovery"
        return None

    return db.write_now(use)


class Proving:
    """Asks somebody who is signed in once more. One a hub."""

    def __init__(self, db: Db, sealing: Sealing) -> None:
        self._db, self._sealing = db, sealing

    def again(self, brake: Brake, address: str, person: Person, token: str, given: str, now_ms: int) -> tuple[str, int]:
        """The word for what is wrong ("" when the session is fresh now), and how many seconds to wait. Raises Fault."""
        keys: tuple[Key, ...] = (("code" if person.has_code else "name", person.name), ("address", address))
        if wait_s := brake.attempt(*keys):
            return "sign_in_wait", wait_s
        if person.has_code:
            good = by_code(self._db, self._sealing, person, given, now_ms) is not None
        else:
            good = password.check(person, given)

        def write(conn: Connection) -> None:
            if good:
                people.proved(conn, token, now_ms)
            else:
                audit.note(conn, now_ms, person.name, "proof_failed", person.name)

        self._db.write_now(write)
        if not good:
            return "wrong_code" if person.has_code else "wrong_password", 0
        brake.succeeded(*keys)
        return "", 0
