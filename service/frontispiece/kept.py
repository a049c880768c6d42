"""Answers of the API that are kept for a day, so that a program that sends a request again gets the same one again."""

import time
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from frontispiece.database import Database, upsert
from frontispiece.errors import Problem
from frontispiece.models import KeptAnswer

KEPT = 86_400.0  # seconds
STUCK = 60.0  # seconds after which whoever began is taken for dead; acts are done once by their states anyway


class OtherRequest(Problem):
    """The key was used before, for something else."""


class AtWork(Problem):
    """The first request with this key is not answered yet."""

    retry = True


@dataclass(frozen=True, slots=True)
class Begun:
    """The right to answer under a key; `at` is the fence against whoever held it before."""

    id: int
    at: float
    database: Database

    def keep(self, status: int, body: str) -> None:
        """The answer is given again from here on."""
        with self.database.write() as session:
            mine = update(KeptAnswer).where(KeptAnswer.id == self.id, KeptAnswer.at == self.at)
            session.execute(mine.values(status=status, body=body))

    def release(self) -> None:
        """There is no answer worth keeping: the next request with this key begins anew."""
        with self.database.write() as session:
            session.execute(delete(KeptAnswer).where(KeptAnswer.id == self.id, KeptAnswer.at == self.at))


def begin(database: Database, who: str, key: str, request: str) -> Begun | tuple[int, str]:
    """The right to answer, or status and body of the answer given before. `request` is a hash of what was sent.

    Raises `OtherRequest`, `AtWork`.
    """
    now = time.time()
    with database.write() as session:
        values = {"who": who, "key": key, "request": request, "at": now}
        made = upsert(session, KeptAnswer, ["who", "key"], values, [])
        row = session.scalar(select(KeptAnswer).where(KeptAnswer.who == who, KeptAnswer.key == key).with_for_update())
        if row is None or row.id == made:
            return Begun(made or 0, now, database)
        if row.at > now - KEPT:
            if row.request != request:
                raise OtherRequest("This Idempotency-Key was used for another request; take a new one.")
            if row.status:
                return row.status, row.body
            if row.at > now - STUCK:
                raise AtWork("The first request with this Idempotency-Key is still at work.", seconds=1.0)
        row.request, row.status, row.body, row.at = request, 0, "", now
        return Begun(row.id, now, database)


def tidy(session: Session) -> None:
    """Forgets what is no longer kept."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.at < time.time() - KEPT))
