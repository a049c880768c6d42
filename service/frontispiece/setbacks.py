"""What becomes of a step of `flow.py` that met a problem: tried again later, handed to another model, or given up."""

import logging
import time

from sqlalchemy.orm import Session

from frontispiece import notices, orders, pauses, records, renders, states, tasks
from frontispiece.errors import Conflict, GeneratorProblem, Gone, NotAllowed, OutOfCredit, Problem, StaleState
from frontispiece.house import House
from frontispiece.models import Illustration, State
from frontispiece.tasks import Claim

log = logging.getLogger("frontispiece")

ATTEMPTS = 12  # with the backoff of tasks.py about an hour and a half
PATIENCE = 5  # attempts, about half a minute, where another model can draw instead
MOST_WAIT = 3600.0  # seconds, whatever a Retry-After asks for


def stumble(house: House, claim: Claim, problem: Problem) -> None:
    """A step met a problem: it is tried again later, or given up with the reason where people look for it.

    Where somebody moved the row meanwhile, the step looks again from its start whether it is still wanted.
    """
    problem.words = records.storable(problem.words)
    with house.database.write() as session:
        if claim.step == "render" and isinstance(problem, GeneratorProblem):
            again = _ask_again(house, session, claim, problem)
        else:
            again = (problem.retry or isinstance(problem, StaleState)) and claim.attempts < ATTEMPTS
            again = again or isinstance(problem, NotAllowed)
        if again:
            wait = min(max(problem.seconds, tasks.backoff(claim.attempts)), MOST_WAIT)
            claim.again(session, wait, problem.words, counts=not isinstance(problem, OutOfCredit | NotAllowed))
        else:
            _give_up(house, session, claim, problem)


def _ask_again(house: House, session: Session, claim: Claim, problem: GeneratorProblem) -> bool:
    """Whether to ask the same generator again, which accepted nothing; not for long where the rule has another."""
    row = renders.row(session, claim.subject)
    one = records.illustration(session, row.illustration_id)
    other = orders.following_model(house, row, one)
    if isinstance(problem, OutOfCredit):
        pauses.begin(session, house.models[row.model].generator, problem.words)
        problem.seconds = pauses.PAUSE
        again = not other
    else:
        again = problem.retry and claim.attempts < (PATIENCE if other else ATTEMPTS)
    if again:
        renders.give_back_place(session, row.id)
        states.note(session, one.id, problem.words)
    return again


def _give_up(house: House, session: Session, claim: Claim, problem: Problem) -> None:
    claim.bury(session, problem.words)
    if claim.step == "plan":
        records.tell(session, claim.subject, [("failed", problem.words)])
    elif claim.step == "look":
        log.error("%s; the next look is in a quarter of an hour", problem.words)
        tasks.add(session, "look", claim.subject, due=time.time() + pauses.PAUSE)
    elif claim.step in ("notify", "alarm"):
        log.error("%s; it is not tried again", problem.words)
    elif claim.step in ("render", "collect"):
        orders.gave_up(house, session, claim.subject, problem)
    elif claim.step != "doctor":  # whoever asked for one reads it on the task itself
        _stop(house, session, records.illustration(session, claim.subject), problem)


def _stop(house: House, session: Session, one: Illustration, problem: Problem) -> None:
    if isinstance(problem, Conflict):
        records.drop_publication(session, one)
    stops: dict[type[Problem], State] = {Conflict: State.HELD, Gone: State.SKIPPED}
    wanted = stops.get(type(problem), State.FAILED)
    if wanted not in states.MOVES[one.state]:
        wanted = State.FAILED
    if wanted in states.MOVES[one.state] and one.state != State.PUBLISHED:  # a revert that failed: ours is still there
        states.move(session, one.id, one.state, wanted, reason=problem.words)
        notices.about(house, session, one.id)
    else:
        states.note(session, one.id, problem.words)
