"""Which entry gets a picture: the configured rules held against an event and the entry it is about."""

from collections.abc import Iterable

from frontispiece.cms import Entry, EventKind
from frontispiece.tables import Rule

HAS_IMAGE = "it has an image already"
SWITCHED_OFF = "pictures are switched off for this entry"
TAGGED = "it is tagged "


def wanting(rules: Iterable[Rule], site: str, *kinds: EventKind) -> list[Rule]:
    """The rules that listen to any of these kinds of events at this site."""
    return [rule for rule in rules if rule.site == site and set(kinds) & set(rule.events)]


def refusal(rule: Rule, entry: Entry) -> str:
    """Why this rule draws nothing for the entry, in words; "" where it does."""
    unwanted = {tag.casefold() for tag in rule.skip_tags} & {tag.casefold() for tag in entry.tags}
    sections = {section.casefold() for section in rule.sections}
    has = {section.casefold() for section in (entry.section, *entry.sections)}
    reasons = {
        f"it is no {rule.kind}": entry.kind != rule.kind,
        SWITCHED_OFF: entry.opted_out,
        f"the section {entry.section or '(none)'} is not one of the rule's": sections and not sections & has,
        f"{TAGGED}{', '.join(sorted(unwanted))}": unwanted,
        HAS_IMAGE: entry.image is not None and not rule.replace,
        "it has no title yet": not entry.title.strip(),
    }
    return next((words for words, holds in reasons.items() if holds), "")
