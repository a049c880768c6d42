"""What can go wrong, in words for a person.

Problem                 carries the words, and whether trying again can help
├── ConfigProblem       a setting is wrong; names the file, the key and what was expected
├── StaleState          somebody else decided first
├── TemplateProblem     a prompt template cannot be used as it is
├── PictureProblem      bytes that are not a picture we can use
├── OverBudget          the next render would cost more than is allowed
├── CmsProblem          from an adapter
│   ├── Refused         the delivery is not authentic
│   ├── Unreadable      authentic, but not this CMS's message
│   ├── Gone            the entry is not there (any more)
│   ├── Conflict        a person's work is in the way
│   ├── NotAllowed      the credentials are not accepted; the site is left alone until they are
│   └── Unavailable     the CMS is away or asks to wait; trying again helps
└── GeneratorProblem    from a generator
├── Busy            wait `seconds`, then ask again; nothing was accepted
├── Declined        the service refused the subject (safety); final
├── OutOfCredit     nothing more until somebody pays
├── Outage          the service is away; nothing was accepted, trying again helps
└── Unknown         submitted, outcome not known: never sent again by itself
"""

from collections.abc import Sequence


class Problem(Exception):  # noqa: N818 - it is shown to people, who meet problems
    """Something went wrong; `str()` of it is fit for a person's eyes.

    `retry` says whether trying again, unchanged, can help; `seconds` how long to wait at least.
    """

    retry = False

    def __init__(self, words: str, *, retry: bool | None = None, seconds: float = 0.0) -> None:
        super().__init__(words)
        self.words = words
        self.seconds = seconds
        if retry is not None:
            self.retry = retry


class ConfigProblem(Problem):
    """A setting is missing or wrong."""


class StaleState(Problem):
    """The row is no longer in the state that the act wanted to leave."""


class TemplateProblem(Problem):
    """A template is unsafe, too long or asks for what the entry does not have."""


class PictureProblem(Problem):
    """The bytes are no picture, are cut off, or would unpack to something enormous."""


class OverBudget(Problem):
    """A cap would be passed; the illustration is held until the budget allows it."""


class CmsProblem(Problem):
    """The CMS said no; the words are its own."""


class Refused(CmsProblem):
    """The delivery is not authentic."""


class Unreadable(CmsProblem):
    """The delivery is authentic, but this adapter cannot read it."""


class Gone(CmsProblem):
    """The entry does not exist in the CMS."""


class Conflict(CmsProblem):
    """Writing would undo what a person did."""


class NotAllowed(CmsProblem):
    """The CMS does not accept our credentials, so that nothing else will work either."""


class Unavailable(CmsProblem):
    """The CMS is down, slow or asks to wait."""

    retry = True


class GeneratorProblem(Problem):
    """The image service said no; the words are its own."""


class Busy(GeneratorProblem):
    """Too many tasks at once; nothing was accepted."""

    retry = True


class Declined(GeneratorProblem):
    """The service's safety rules refused the prompt or the picture; the same order is never sent again."""

    def __init__(self, words: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(words)
        self.reasons = tuple(reasons)


class OutOfCredit(GeneratorProblem):
    """The account at the service is empty."""


class Outage(GeneratorProblem):
    """The service cannot be reached or failed before it accepted anything."""

    retry = True


class Unknown(GeneratorProblem):
    """A submit may have been accepted (and charged) without our learning its ticket."""
