"""What is said in English below the desk, said again in the reader's language.

Problems and the reasons in the tables are whole English sentences, made where they arise and kept as they are: logs,
the API and the tables speak one language. Those that editors meet are listed here and recognised by their wording;
what a CMS or an image service says in its own words stays as it is.
"""

import re
from functools import cache

from frontispiece.web.i18n import Lazy, language, lazy

SAID = (
    # web/acts.py, web/desk/
    lazy("it has moved since the page showed it"),
    lazy("another picture was asked for meanwhile"),
    lazy("The comment is empty."),
    lazy("There is nobody named %(name)s who may decide."),
    lazy("There is no illustration %(number)s."),
    lazy("The %(what)s has %(length)s characters; %(most)s are the most."),
    lazy("The %(what)s has a character that is no text (U+%(sign)s)."),
    # accounts.py
    lazy("That name and password do not belong together."),
    lazy("Too many failed attempts. Try again in a minute."),
    lazy("Too many failed attempts. Try again in %(minutes)s minutes."),
    lazy("there is a user %(name)s already"),
    lazy("there is no user %(name)s"),
    lazy("there is no role %(name)s; there are: %(known)s"),
    lazy("there is no scope %(name)s; there are: %(known)s"),
    lazy("there is a token %(name)s already"),
    lazy("there is no token %(name)s"),
    lazy("%(name)s is the last admin; make somebody else an admin first"),
    lazy("%(name)s logs in at the identity provider and has no password here"),
    lazy("a name has 1 to %(most)s printable characters, this one is %(name)s"),
    lazy("a password has 8 to 1000 characters, this one has %(length)s"),
    # changes.py, reasons.py, retouch.py, wishes.py
    lazy("No model that is set up here can do that."),
    lazy("Say what shall be different."),
    lazy("%(model)s cannot do that."),
    lazy("Give at least one side a margin, of 1 to %(most)s pixels."),
    lazy("There is no picture %(number)s of this site."),
    lazy("There is no reason %(name)s; there are: %(known)s."),
    lazy("The mask has %(length)s bytes; %(most)s are the most."),
    lazy("The mask is %(width)s × %(height)s pixels, of another shape than the picture with %(across)s × %(down)s."),
    lazy("Nothing is marked: paint over what shall be drawn anew."),
    lazy("Everything is marked, so nothing of the picture would stay: draw another one instead."),
    lazy("A seed is a whole number from 0 to %(most)s."),
    lazy("%(name)s is no ratio; one is written as 16:9, each number from 1 to 99."),
    # flow.py, orders.py, house.py
    lazy("%(model)s cannot draw here: %(section)s is not in the configuration"),
    lazy("%(model)s was asked, and we were cut off before its answer; it may have been charged"),
    lazy("%(model)s did not finish the picture within %(limit)s seconds"),
    lazy("the final picture by %(model)s could not be drawn: %(words)s"),
    lazy("there is no model %(model)s in the catalogue (any more)"),
    lazy("the rule %(name)s is not in the configuration any more"),
    lazy("the slot %(name)s is not in the configuration any more"),
    lazy("%(model)s or its key is not in the configuration any more, so its picture is out of reach"),
    lazy("the site %(name)s is not in the configuration (any more)"),
    # hosted.py, answers.py
    lazy("%(name)s cannot be reached: %(cause)s"),
    lazy("%(name)s answered %(status)s: %(cause)s"),
    lazy("the account at %(name)s has no credit left: %(cause)s"),
    lazy("%(name)s takes no more of our orders for now: %(cause)s"),
    # images.py
    lazy("The picture is cut off or damaged: %(cause)s."),
    lazy("The picture would unpack to something enormous: %(cause)s"),
    lazy("The picture is empty: nothing was received."),
    lazy("The picture is an SVG drawing, which is never rendered here; PNG, JPEG, WebP or AVIF was expected."),
    lazy("A web page came instead of a picture; PNG, JPEG, WebP or AVIF was expected."),
    lazy("These bytes are not a picture that can be used; PNG, JPEG, WebP or AVIF was expected."),
    lazy("The picture is %(width)s × %(height)s pixels; at most %(most)s million in all are unpacked."),
    lazy("The picture is %(width)s × %(height)s pixels; each side must have %(least)s to %(most)s."),
    # money.py
    lazy("$%(amount)s more would pass the budget of the day: $%(spent)s of $%(cap)s are gone"),
    lazy("$%(amount)s more would pass the budget of the month: $%(spent)s of $%(cap)s are gone"),
    # planning.py, rules.py
    lazy("the entry was deleted"),
    lazy("the entry was deleted; what was not published yet is dropped"),
    lazy("the entry is there"),
    lazy("the image it has is our own"),
    lazy("the slot %(slot)s has its illustration already"),
    lazy("illustration %(number)s is %(state)s already"),
    lazy("illustration %(number)s for %(slot)s"),
    lazy("no rule listens to %(event)s at %(site)s"),
    lazy("it is no article"),
    lazy("it is no product"),
    lazy("it is tagged %(tags)s"),
    lazy("it has an image already"),
    lazy("it has no title yet"),
    lazy("pictures are switched off for this entry"),
    lazy("the section %(section)s is not one of the rule's"),
    # prompts.py, sandbox.py
    lazy("line %(number)s: %(words)s"),
    lazy("“%(said)s”: %(words)s"),
    lazy("Flux paints what is named: write what should be there instead"),
    lazy("says nothing that can be seen: name the light, the lens, the material"),
    lazy("put the words that should appear in quotation marks, or leave the lettering out"),
    lazy("stands in quotation marks, so Flux will paint these words into the picture"),
    lazy("can grow to %(length)s characters, and %(most)s are the most: shorten with | words(30)"),
    lazy("can grow to %(length)s characters; local Flux models read about the first %(most)s"),
    lazy("is %(length)s characters long; a template may have %(most)s"),
    lazy("makes more than %(most)s characters; shorten with | words(30) or | limit(5)"),
    lazy("is nested too deeply"),
    lazy("cannot be read: %(cause)s"),
    lazy('there is no "%(name)s"; there are: %(known)s'),
    lazy('%(thing)s has no "%(name)s"; it has: %(known)s'),
    lazy('there is no filter "%(name)s"; there are: %(known)s'),
    # records.py, review.py, states.py
    lazy("there is no illustration %(number)s"),
    lazy("there is no delivery %(number)s"),
    lazy("the bytes of delivery %(number)s were kept for a time and are forgotten by now"),
    lazy("illustration %(number)s has no approved candidate"),
    lazy("nothing of illustration %(number)s is in the CMS"),
    lazy("somebody has set another image on “%(title)s” meanwhile; it was left alone"),
    lazy("candidate %(candidate)s is not one of illustration %(number)s"),
    lazy("the prompt has %(length)s characters, %(most)s are the most"),
    lazy("illustration %(number)s has no prompt yet: try it again instead"),
    lazy("There is no decision to take back."),
    lazy("The other picture is drawn already, and the earlier ones are still there to choose."),
    lazy("The last decision is %(name)s's, and theirs to take back."),
    lazy("This picture is your own; two others have to approve it."),
    lazy("You have approved this picture already; a second person has to."),
    lazy("illustration %(number)s is %(state)s now: somebody decided first, or the page is old"),
    lazy("illustration %(number)s is no longer %(state)s: somebody decided first"),
)
FACTS = {
    "alt text": lazy("alt text"),
    "caption": lazy("caption"),
    "prompt": lazy("prompt"),
    "reason": lazy("reason"),
    "comment": lazy("comment"),
    "queued": lazy("queued"),
    "composing": lazy("composing"),
    "rendering": lazy("rendering"),
    "in review": lazy("in review"),
    "approved": lazy("approved"),
    "publishing": lazy("publishing"),
    "published": lazy("published"),
    "reverted": lazy("reverted"),
    "held": lazy("held"),
    "failed": lazy("failed"),
    "rejected": lazy("rejected"),
    "skipped": lazy("skipped"),
}


NUMBERS = frozenset(
    [
        "across",
        "candidate",
        "down",
        "height",
        "least",
        "length",
        "limit",
        "minutes",
        "most",
        "number",
        "status",
        "width",
    ]
)


def told(words: str | Lazy) -> str:
    """An English sentence of ours in the reader's language, or several with "; " between; any other as it is."""
    if language() == "en" or not isinstance(words, str):
        return str(words)
    parts = [_one(part) for part in words.split("; ")]
    return "; ".join(parts) if all(parts) else _one(words) or words


def _one(words: str) -> str:
    found = ((sentence, pattern.fullmatch(words)) for pattern, sentence in _patterns())
    matches = (sentence % _facts(match.groupdict()) for sentence, match in found if match)
    return next(matches, "")


def _facts(facts: dict[str, str]) -> dict[str, str]:
    """Facts stay as they are, but for another sentence (`words`) and what has a name here (`state`, `what`)."""
    said = {name: told(fact) for name, fact in facts.items() if name == "words"}
    named = {name: str(FACTS[fact]) for name, fact in facts.items() if name in ("state", "what") and fact in FACTS}
    return facts | said | named


@cache
def _patterns() -> list[tuple[re.Pattern[str], Lazy]]:
    """The one that begins with the most words of its own first: a fact at the beginning would swallow them."""
    said = sorted(SAID, key=lambda sentence: len(sentence.words.partition("%(")[0]), reverse=True)
    return [(pattern(sentence.words), sentence) for sentence in said]


def pattern(sentence: str) -> re.Pattern[str]:
    """What recognises a sentence, whatever its facts."""
    parts = re.split(r"%\((\w+)\)s", sentence)
    return re.compile("".join(_fact(part) if at % 2 else re.escape(part) for at, part in enumerate(parts)), re.DOTALL)


def _fact(name: str) -> str:
    return rf"(?P<{name}>[\d.,]+)" if name in NUMBERS else f"(?P<{name}>.+)"
