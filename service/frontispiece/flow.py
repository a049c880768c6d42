"""The journey of a picture, top to bottom, one function a step.

    receive ─▶ plan ─▶ compose ─▶ render ─▶ follow ─▶ collect ─▶ (review.py) ─▶ publish ─▶ revert

Each step reads its row, closes the session, does the slow thing, and writes once: the new state, the next task and
the end of its own task in one transaction, fenced by the claim. Every step may be run again from its start.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from frontispiece import (
    advice,
    alarms,
    money,
    notices,
    orders,
    pauses,
    photos,
    pictures,
    planning,
    prompts,
    records,
    renders,
    rules,
    sites,
    states,
    tasks,
)
from frontispiece.cms import Delivery, Event, Receipt
from frontispiece.errors import Conflict, GeneratorProblem, OutOfCredit, OverBudget, Unknown, Unreadable
from frontispiece.faults import fault
from frontispiece.generators import Finished, Ticket, Waiting
from frontispiece.house import House
from frontispiece.models import RenderState, Review, State
from frontispiece.tasks import Claim

log = logging.getLogger("frontispiece")

BUSY = 2.0  # seconds until we ask again for a place among a service's active tasks
MOST_POLL = 60.0  # seconds between two looks at a ticket: a finished picture can be fetched for minutes only


def receive(house: House, site: str, delivery: Delivery) -> tuple[str, list[Event]]:
    """Proves a delivery authentic and reads it; the sender's id of it, and its events.

    Nothing slow happens here: the sender waits, some for two seconds only. Raises `Refused`, `Unreadable`.
    """
    adapter = house.adapter(site)
    key = adapter.verify(delivery)
    try:
        return key, adapter.events(delivery)
    except RecursionError as problem:
        raise Unreadable("the delivery is nested too deeply to be read") from problem


def plan(house: House, claim: Claim) -> None:
    """Which illustrations the events of a delivery ask for."""
    with house.database.read() as session:
        row = records.delivery(session, claim.subject)
    events = house.adapter(row.site).events(records.as_delivery(row))
    told = [planning.answer(house, row.site, event) for event in events]
    with house.database.write() as session:
        claim.finish(session)
        records.tell(session, claim.subject, told)


def look(house: House, claim: Claim) -> None:
    """Asks a CMS what changed since the last look, as about half of them send a delivery once and never again.

    The first look only notes the time: what lay there before is nobody's order.
    """
    with house.database.read() as session:
        row = sites.row(session, claim.subject)
    site = house.settings.sites.get(row.name)
    begun = time.time()
    more = bool(row.looked and site and site.look_every) and planning.missed(house, row.name, row.looked)
    with house.database.write() as session:
        claim.finish(session)
        if site and site.look_every:
            sites.row(session, row.id).looked = row.looked if more else begun
            tasks.add(session, "look", row.id, due=0.0 if more else begun + site.look_every)


def compose(house: House, claim: Claim) -> None:
    """Entry, template and brand make the prompt; the money for the render is reserved."""
    with house.database.write() as session:
        one = records.illustration(session, claim.subject)
        if one.state == State.QUEUED:
            states.move(session, one.id, State.QUEUED, State.COMPOSING)
        elif one.state != State.COMPOSING:
            claim.finish(session)
            return
    rule, site = house.rule(one.rule), one.entry.site
    with sites.reach(house, site) as (adapter, api):
        entry = adapter.fetch(api, one.entry.ref, one.entry.locale)
    template, brand = prompts.load(rule.template), prompts.brand(rule.brand)
    shown = photos.keep(house, rule, entry)
    written = prompts.compose(template, entry, brand, one.slot, house.slot(one.slot).ratio, photos=len(shown))
    alt = one.alt or prompts.alt_text(entry, entry.locale or house.settings.sites[site].language)
    why = rules.refusal(rule, entry)
    with house.database.write() as session:
        claim.finish(session)
        records.keep_entry(session, site, entry)
        if why:
            states.move(session, one.id, State.COMPOSING, State.SKIPPED, reason=why)
        else:
            version = records.keep_template(session, template)
            orders.place(house, session, one, prompt=written.text, template=version, alt=alt, photos=shown)


def render(house: House, claim: Claim) -> None:
    """One call of a generator. Between the submit and its ticket lies the only moment that can cost money unseen."""
    with house.database.read() as session:
        row = renders.row(session, claim.subject)
        one = records.illustration(session, row.illustration_id)
    service = house.models[row.model].generator
    generator = house.generator(service)
    if row.state == RenderState.SUBMITTING and not generator.repeatable:
        raise Unknown(f"{row.model} was asked, and we were cut off before its answer; it may have been charged")
    if row.state not in (RenderState.PLANNED, RenderState.SUBMITTING) or one.state != State.RENDERING:
        with house.database.write() as session:
            claim.finish(session)
            renders.close(session, row.id, RenderState.FAILED, "nobody waits for it any more")
        return
    order = orders.as_order(house, row, one)  # what is wrong here is found before anything can have cost money
    with house.database.write() as session:
        pause = pauses.known(session, service)
        if pause and pause.running:
            raise OutOfCredit(pause.words)
        if not renders.take_place(session, house.models, row, generator.active):
            claim.again(session, BUSY, "", counts=False)
            return
        claim.hold(session)
    fault("before_submit")
    answer = generator.submit(order)
    fault("after_submit")
    try:
        keep(house, row.id, answer, claim)
    except tasks.Lost:
        keep(house, row.id, answer)  # somebody else gave it up as unknown; it is paid for, and an editor may want it
        raise


def keep(house: House, number: int, answer: Ticket | Finished, claim: Claim | None = None) -> None:
    """Notes what a generator gave: its ticket, or the pictures and what they cost."""
    keys = pictures.keep(house, number, answer)
    fault("after_store")
    with house.database.write() as session:
        if claim:
            claim.finish(session)
            pauses.end(session, house.models[renders.row(session, number).model].generator)
        if isinstance(answer, Ticket):
            renders.open_ticket(session, number, answer)
        elif renders.fetched(session, number, keys, answer.cost):
            tasks.add(session, "collect", number)


def follow(house: House, number: int) -> float | None:
    """Asks once what has become of an open ticket; seconds until the next look, None when it is settled."""
    with house.database.read() as session:
        row = renders.row(session, number)
    if row.state != RenderState.OPEN or row.ticket is None:
        return None
    answer, limit = orders.asked(house, row.model, Ticket(**row.ticket))
    late = time.time() - (row.submitted or 0) > limit
    if isinstance(answer, Waiting) and late:
        orders.stop(house, row.model, Ticket(**row.ticket))
        answer = GeneratorProblem(f"{row.model} did not finish the picture within {limit:.0f} seconds")
    if isinstance(answer, Waiting):
        return answer.seconds
    if isinstance(answer, GeneratorProblem):
        if answer.retry and not late:
            return min(max(answer.seconds, BUSY), MOST_POLL)
        with house.database.write() as session:
            if renders.still_open(session, number):  # another watcher may have the picture by now
                orders.gave_up(house, session, number, answer)
        return None
    fault("after_poll")
    keep(house, number, answer)
    return None


def collect(house: House, claim: Claim) -> None:
    """What came back is looked at; good pictures become candidates and wait for an editor, or the rule decides."""
    with house.database.read() as session:
        row = renders.row(session, claim.subject)
    looked = [(key, pictures.look(house, key)) for key in row.images]
    with house.database.write() as session:
        claim.finish(session)
        one = records.illustration(session, row.illustration_id)
        found = [renders.candidate(session, row, number, key, facts) for number, (key, facts) in enumerate(looked)]
        renders.row(session, row.id).state = RenderState.DONE
        if one.state == State.FAILED:  # a picture came after all
            states.move(session, one.id, State.FAILED, State.IN_REVIEW)
            notices.about(house, session, one.id)
        if one.state != State.RENDERING or not renders.is_newest(session, row):
            return  # one more to choose from, but not what somebody waits for
        alone = any(rule.name == one.rule and rule.review == "never" for rule in house.settings.rules)
        if alone:
            by = f"rule {one.rule}"
            session.add(Review(illustration_id=one.id, decision="approve", candidate_id=found[0], by=by))
        elif not row.final:  # the draft of a final was approved by an editor
            states.move(session, one.id, State.RENDERING, State.IN_REVIEW)
            notices.about(house, session, one.id)
            return
        states.move(session, one.id, State.RENDERING, State.APPROVED, chosen_id=found[0])
        tasks.add(session, "publish", one.id)


def publish(house: House, claim: Claim) -> None:
    """Writes the approved picture to the CMS, unless a person has set another one meanwhile."""
    with house.database.write() as session:
        one = records.illustration(session, claim.subject)
        if one.state not in (State.APPROVED, State.PUBLISHING):
            claim.finish(session)
            return
        candidate, model = records.chosen(session, one)
        if one.state == State.APPROVED:
            states.move(session, one.id, State.APPROVED, State.PUBLISHING)
    with sites.reach(house, one.entry.site) as (adapter, api):
        entry = adapter.fetch(api, one.entry.ref, one.entry.locale)
        with house.database.write() as session:
            claim.hold(session)
            records.keep_entry(session, one.entry.site, entry)  # also the image that is in the way: an editor sees it
            written = records.begin_publication(session, one, candidate, entry)
        if written is None:
            raise Conflict(f"somebody has set another image on “{entry.title}” meanwhile; it was left alone")
        picture = pictures.finish(house, one, candidate, model, written.name, adapter.formats, entry)
        fault("before_attach")
        receipt = adapter.attach(api, replace(entry, image=records.as_current(written.previous)), picture)
        fault("after_attach")
    with house.database.write() as session:
        claim.finish(session)
        records.end_publication(session, written.id, receipt)
        states.move(session, one.id, State.PUBLISHING, State.PUBLISHED)


def resume(house: House, claim: Claim) -> None:
    """Takes up what was held for want of money, when a new day has begun."""
    with house.database.write() as session:
        claim.finish(session)
        one = records.illustration(session, claim.subject, locked=True)
        if orders.lacked_money(session, one):
            try:
                orders.place(house, session, one, prompt=one.prompt)
            except OverBudget:
                tasks.add(session, "resume", one.id, due=money.tomorrow())


def revert(house: House, claim: Claim) -> None:
    """Puts back into the CMS what was there before."""
    with house.database.read() as session:
        one = records.illustration(session, claim.subject)
        written = records.last_publication(session, one.id) if one.state == State.PUBLISHED else None
    if written is None:  # somebody decided otherwise meanwhile
        with house.database.write() as session:
            claim.finish(session)
        return
    receipt = Receipt(written.media_id, written.url, dict(written.receipt or {}))
    with sites.reach(house, one.entry.site) as (adapter, api):
        adapter.revert(api, one.entry.ref, receipt)
    with house.database.write() as session:
        claim.finish(session)
        records.reverted(session, written.id)
        states.move(session, one.id, State.PUBLISHED, State.REVERTED)


def doctor(house: House, claim: Claim) -> None:
    """Asks a CMS how it is doing, for somebody at the desk; the task keeps what it says, one finding a line."""
    with house.database.read() as session:
        name = sites.row(session, claim.subject).name
    found, well = advice.told(house, name)
    with house.database.write() as session:
        if well:
            claim.finish(session, records.storable("\n".join(found)))
            pauses.end(session, pauses.of_site(name))
        else:
            claim.bury(session, records.storable("\n".join(found)))


STEPS: dict[str, Callable[[House, Claim], None]] = {
    "plan": plan,
    "look": look,
    "compose": compose,
    "render": render,
    "collect": collect,
    "publish": publish,
    "revert": revert,
    "resume": resume,
    "doctor": doctor,
    "notify": notices.notify,
    "alarm": alarms.sound,
}
