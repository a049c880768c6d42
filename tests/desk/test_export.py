"""The board's export: a line for each illustration, safe to open in a spreadsheet."""

import pytest
from desk.furnish import Web, entry
from desk.leading import add, drawn, rows, say
from sqlalchemy import update

from frontispiece.figures import EVER
from frontispiece.models import Candidate, Illustration, Render, Review, State
from frontispiece.web.lead import export, sheets


def test_the_export_has_a_line_for_each_illustration(web: Web) -> None:
    one = web.illustration(State.PUBLISHED, told=entry(0, title="Ünder the bridge"), alt="")
    with web.house.database.write() as session:
        session.execute(update(Review).values(reason="good", chips=["crop"], at=1700000000.0))
    answer = web.browser("lead").get("/board/illustrations.csv")
    head, line = rows(answer.text)
    told = dict(zip(head, line, strict=True))
    assert (told["illustration"], told["title"], told["state"]) == (str(one), "Ünder the bridge", "published")
    assert (told["decided_by"], told["reason"], told["chips"]) == ("Jo", "good", "crop")
    assert (told["model"], told["cost"], told["decided"]) == ("sketch", "0.03", "2023-11-14T22:13:20Z")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="frontispiece-illustrations-')


def test_the_export_names_the_render_of_the_approved_picture(web: Web) -> None:
    one = drawn(web, candidates=3)
    with web.house.database.write() as session:
        session.execute(update(Illustration).values(chosen_id=2))
        session.execute(update(Render).where(Render.id == 2).values(model="flux-2-pro", seed=77))
    head, line = rows(web.browser("lead").get("/board/illustrations.csv").text)
    told = dict(zip(head, line, strict=True))
    assert (told["illustration"], told["model"], told["seed"]) == (str(one), "flux-2-pro", "77")


def test_the_export_names_nobody_for_a_decision_that_was_taken_back(web: Web) -> None:
    say(web, drawn(web), "reject", undone=1.0)
    head, line = rows(web.browser("lead").get("/board/illustrations.csv").text)
    assert dict(zip(head, line, strict=True))["decided_by"] == ""


def test_a_picture_of_a_persons_own_has_no_model_in_the_export(web: Web) -> None:
    one = web.illustration(candidates=0)
    add(web, Candidate(illustration_id=one, number=0, image="x", mime="image/png", width=1, height=1, by="Jo"))
    head, line = rows(web.browser("lead").get("/board/illustrations.csv").text)
    assert dict(zip(head, line, strict=True))["model"] == ""


def test_the_export_goes_on_where_a_batch_ends(web: Web) -> None:
    for at in range(5):
        web.illustration(number=at, candidates=0)
    assert [line[0] for line in export.rows(web.house.database, EVER, 2)] == [1, 2, 3, 4, 5]


def test_the_export_leaves_out_what_lay_still_in_the_period(web: Web) -> None:
    web.illustration(created=1000.0, updated=1000.0)
    assert len(rows(web.browser("lead").get("/board/illustrations.csv").text)) == 1


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_no_cell_of_the_export_is_a_formula(web: Web, sign: str) -> None:
    web.illustration(told=entry(0, title=f"{sign}HYPERLINK(1)"))
    line = rows(web.browser("lead").get("/board/illustrations.csv").text)[1]
    assert line[3] == f"'{sign}HYPERLINK(1)"


def test_a_number_is_not_taken_for_a_formula() -> None:
    assert [sheets.defused(cell) for cell in (-1, 0.5, None, "a-b")] == [-1, 0.5, None, "a-b"]


def test_a_long_file_is_sent_in_pieces() -> None:
    pieces = list(sheets.lines(["a"], ([at] for at in range(3 * sheets.AT_ONCE))))
    assert (len(pieces), pieces[0]) == (4, "\ufeffa\r\n")
