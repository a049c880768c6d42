"""The newsroom's older stories, and what its "write an article" form suggests."""

import time
from typing import Any

from frontispiece.demo.archive import Archive

DAY = 86400.0  # seconds

OLDER: list[dict[str, Any]] = [
    {
        "title": "The Lighthouse Gets a New Lamp and Keeps Its Old Keeper’s Stairs",
        "standfirst": "After eleven months of scaffolding the light over the north harbour turns again, "
        "at a tenth of the power and twice the reach.",
        "body": "The scaffolding came down on Thursday, a day early and to some applause from the quay. What remains "
        "is the tower the town has always known: white, a little stained by salt, and visible from every kitchen "
        "window above the market.\n\n"
        "Inside, almost everything is new. The lamp that burned a kilowatt has given way to a ring of diodes no larger "
        "than a dinner plate. The lens around it, ground a hundred and thirty years ago, was cleaned with distilled "
        "water and put back, because nothing made since bends light as well.\n\n"
        "The stairs were the harder question. There are one hundred and ninety-six of them, each worn in the middle. "
        "The restorers turned every tread over, found the underside as good as the day it was cut, and laid it back "
        "upside down.",
        "section": "City",
        "tags": ["harbour", "restoration"],
    },
    {
        "title": "What the Night Train Taught a Sleepless Continent",
        "standfirst": "Couchettes are full again. The timetable, it turns out, was never the problem.",
        "body": "The 21.14 leaves from platform nine with its blinds already down. By the time the suburbs thin out, "
        "half of the carriage is asleep and the other half is in the corridor, talking to strangers.\n\n"
        "Ten years ago the line was closed for want of passengers. It is back with more carriages than before, and the "
        "operator’s own survey gives the reason in a single line: people wanted to arrive somewhere in the morning.",
        "section": "Travel",
        "tags": ["railways", "night"],
    },
    {
        "title": "A Library of Seeds Lends Out Its First Thousand Packets",
        "standfirst": "Borrow in spring, return in autumn: the reading room on Mill Street smells of earth.",
        "body": "The rules fit on a card. Take what you will plant. Bring back, after the harvest, as many seeds as "
        "you took. There are no fines, since nobody can say when a bean is overdue.\n\n"
        "Of the thousand packets lent this year, six hundred and forty came back. The librarians call that a success: "
        "the rest, they point out, are probably still growing.",
        "section": "Science",
        "tags": ["gardens", "library"],
    },
    {
        "title": "The Bakery That Opens When the Bars Close",
        "standfirst": "Between two and five in the morning, the best table in town is a flour sack by the oven.",
        "body": "There is no sign. There is a door with light under it, and a smell that carries to the tram stop. The "
        "first loaves come out at ten past two and are gone by half past.",
        "section": "Food",
        "tags": ["bread", "night"],
    },
    {
        "title": "The Choir That Rehearses on the Ferry",
        "standfirst": "Twenty-two minutes each way is exactly one mass, two madrigals or a heated argument.",
        "body": "The seats on the upper deck are taken by half past seven, sopranos to starboard. Nobody remembers who "
        "began to sing. The ferry company, asked for a statement, said that it had stopped playing the safety film in "
        "the mornings, because nobody could hear it anyway.",
        "section": "Culture",
        "tags": ["music", "ferry"],
    },
    {
        "title": "A Map of Every Bench, Drawn by the People Who Sit on Them",
        "standfirst": "Sun, shade, view, pigeons: four hundred and twelve benches, each with its own small review.",
        "body": "The map began as a list on a library wall. It now fills a sheet the size of a door, and the city’s "
        "gardeners consult it before they move so much as a bin.",
        "section": "City",
        "tags": ["maps", "parks"],
    },
]

SUGGESTIONS: list[dict[str, str]] = [
    {
        "title": "The Tide Pool Garden Opens Beneath the Old Pier",
        "standfirst": "Volunteers spent two winters moving stone by hand. This week the sea moved in.",
        "body": "At low water the steps lead down between the iron legs of the pier to a garden that nobody planted. "
        "Anemones, limpets and small green crabs have settled in forty-two basins, each set so that it keeps a hand’s "
        "depth of water when the tide goes out.\n\n"
        "The stones came from the breakwater that the storm of three years ago took apart. Volunteers carried them "
        "here in buckets and barrows through two winters, mostly before work, mostly in the rain.\n\n"
        "On Saturday the first school class knelt along the edge. The rule is simple: look with your eyes, and leave "
        "everything where the sea has put it.",
        "section": "City",
        "tags": "harbour, nature, volunteers",
    },
    {
        "title": "How a Village Taught Itself to Repair Anything",
        "standfirst": "One Saturday a month the fire station is a workshop, and nothing with a plug is turned away.",
        "body": "Toasters first, as always. Then a sewing machine older than anybody present, a radio with a mouse’s "
        "nest in it, and a wooden rocking horse that has lost an ear.\n\n"
        "The fire engine stands outside for the day. In its place are nine tables, nine lamps and nine people with "
        "patience. Last year they mended seven hundred things and gave up on thirty-one.",
        "section": "Culture",
        "tags": "crafts, repair",
    },
    {
        "title": "Astronomers Switch Off a Whole Valley to See the Sky",
        "standfirst": "For one hour on Friday every lamp between the two passes will be dark. The shops approve.",
        "body": "It began as a request from the observatory and became a holiday. At ten in the evening the street "
        "lamps go out, then the shop windows, then, one after another, the kitchens.\n\n"
        "What is left is the river and, for the first time in most people’s lives, a shadow thrown by the Milky Way.",
        "section": "Science",
        "tags": "astronomy, night, stars",
    },
]


def fill(archive: Archive) -> None:
    """Gives an empty newsroom its older stories; the first of them has a picture already."""
    if archive.articles():
        return
    newest = 0
    for age, story in enumerate(OLDER, 1):
        number = archive.write(created=_days_ago(age), status="published", **story)
        newest = newest or number
    archive.choose(newest, "lighthouse.svg", "A white lighthouse on a dark headland, its beam over a calm evening sea")


def suggestion(archive: Archive) -> dict[str, str]:
    """The next article that nobody has written yet; they start again when all are."""
    written = {article.title for article in archive.articles()}
    fresh = [one for one in SUGGESTIONS if one["title"] not in written]
    return (fresh or SUGGESTIONS)[0]


def _days_ago(days: int) -> float:
    return time.time() - days * DAY
