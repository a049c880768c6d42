"""Which entry gets a picture: the configured rules held against an event and the entry it is about."""

from collections.abc import Iterable

from frontispiece.cms import Entry, Event
from frontispiece.config import Rule


def wanting(rules: Iterable[Rule], site: str, event: Event) -> list[Rule]:
    """The rules that listen to this kind of event at this site."""
    return [rule for rule in rules if rule.site == site and event.kind in rule.events]


def refusal(rule: Rule, entry: Entry) -> str:
    """Why this rule draws nothing for the entry, in words; "" where it does."""
    if entry.kind != rule.kind:
        return f"it is no {rule.kind}"
    if entry.opted_out:
        return "pictures are switched off for this entry"
    if rule.sections and entry.section.casefold() not in {section.casefold() for section in rule.sections}:
        return f"the section {entry.section or '(none)'} is not one of the rule's"
    unwanted = {tag.casefold() for tag in rule.skip_tags} & {tag.casefold() for tag in entry.tags}
    if unwanted:
        return f"it is tagged {', '.join(sorted(unwanted))}"
    if entry.image is not None and not rule.replace:
        return "it has an image already"
    if not entry.title.strip():
        return "it has no title yet"
    return ""
