"""The pages about templates: versions with their rates, advice, prompts for real entries, two versions compared."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk.furnish import Web, entry
from sqlalchemy import select, update
from world import Build

from frontispiece import prompts
from frontispiece.models import Illustration, Render, Review, TemplateVersion
from frontispiece.web.lead import diffs, trials
from frontispiece.web.lead.diffs import Line, Part

NOW = prompts.load("article/hero").version
PLAIN = "A photograph of {{ entry.title }}, seen from the {{ slot.frame }}.\n"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with Web(tmp_path / "data") as made:
        yield made


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's own folder of templates."""
    folder = tmp_path / "templates"
    (folder / "article").mkdir(parents=True)
    monkeypatch.setenv("FRONTISPIECE_TEMPLATES", str(folder))
    return folder


def judged(web: Web, version: str, number: int, decision: str = "approve") -> int:
    one = web.illustration(number=number)
    with web.house.database.write() as session:
        template = f"article/hero@{version}"
        session.execute(update(Render).where(Render.illustration_id == one).values(template=template))
    with web.house.database.write() as session:
        session.add(Review(illustration_id=one, decision=decision, candidate_id=web.candidate(one), by="Jo"))
    return one


def kept(web: Web, version: str, source: str) -> None:
    with web.house.database.write() as session:
        session.add(TemplateVersion(name="article/hero", version=version, source=source))


def cells(page: str, version: str) -> list[str]:
    """The row of a version without its markup."""
    found = re.search(rf"<tr>\s*<th scope=\"row\"><code>{version}</code>(.*?)</tr>", page, re.DOTALL)
    assert found, page
    texts = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", found[1], re.DOTALL)]
    return [" ".join(text.split()) for text in texts]


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", page).split())


def test_the_list_names_each_template_with_its_rules_and_its_rate(web: Web) -> None:
    judged(web, NOW, 0)
    page = web.browser("lead").get("/templates").text
    assert 'href="/templates/article/hero">article/hero</a>' in page
    assert "gazette-hero, shop-hero" in page
    assert "100 %" in page


def test_a_template_whose_file_is_gone_is_listed_for_its_pictures(web: Web) -> None:
    judged(web, NOW, 0)
    with web.house.database.write() as session:
        session.execute(update(Render).values(template="article/old@0123456789ab"))
    browser = web.browser("lead")
    assert "no file any more" in browser.get("/templates").text
    assert "There is no file of this name any more" in browser.get("/templates/article/old").text


def test_each_version_has_its_own_pictures_and_rate(web: Web) -> None:
    judged(web, NOW, 0)
    judged(web, "0123456789ab", 1, "reject")
    judged(web, "0123456789ab", 2)
    page = web.browser("lead").get("/templates/article/hero").text
    assert cells(page, NOW)[2:6] == ["1", "1", "1", "100 % few"]
    assert cells(page, "0123456789ab")[2:6] == ["2", "2", "1", "50 % few"]


def test_another_template_with_a_name_that_goes_on_is_another_template(web: Web) -> None:
    judged(web, NOW, 0)
    with web.house.database.write() as session:
        session.execute(update(Render).values(template="article/hero_wide@0123456789ab"))
    assert "<code>0123456789ab</code>" not in web.browser("lead").get("/templates/article/hero").text


def test_the_pictures_of_a_version_lead_to_their_illustrations(web: Web) -> None:
    one, other = judged(web, NOW, 0), judged(web, "0123456789ab", 1)
    page = web.browser("lead").get("/templates/article/hero?version=0123456789ab").text
    assert f'href="/desk/{other}"><img' in page
    assert f'href="/desk/{one}"><img' not in page


def test_a_template_shows_the_prompts_it_writes_for_the_last_entries(web: Web) -> None:
    web.illustration(number=3)
    page = text(web.browser("lead").get("/templates/article/hero").text)
    assert "A documentary photograph of a real scene, taken where it happens: Night trains return to the coast." in page


def test_the_last_twenty_entries_are_tried(web: Web) -> None:
    for number in range(22):
        web.illustration(number=number, candidates=0)
    with web.house.database.read() as session:
        refs = [case.entry.ref for case in trials.cases(session, web.house, "article/hero")]
    assert refs == [f"posts/{number}" for number in range(21, 1, -1)]


def test_entries_are_tried_that_a_rule_is_for(web: Web) -> None:
    rules = [web.house.settings.rules[0].model_copy(update={"sections": ["Food"]})]
    web.house.settings = web.house.settings.model_copy(update={"rules": rules})
    web.illustration(number=1, candidates=0)  # Science
    web.illustration(number=2, candidates=0)  # Food
    web.illustration(number=9, candidates=0, site="shop")  # Food, of another site
    web.illustration(number=0, candidates=0, told=entry(14, kind="product"))
    with web.house.database.read() as session:
        assert [case.entry.ref for case in trials.cases(session, web.house, "article/hero")] == ["posts/2"]


def test_what_is_unwise_in_a_template_is_told_with_its_line(web: Web, shelf: Path) -> None:
    lines = ("A photograph of {{ entry.title }}.", "No people.", "A beautiful sign that says open.", "{{ entry.nmae }}")
    (shelf / "article" / "odd.j2").write_text("\n".join(lines), "utf8")
    page = web.browser("lead").get("/templates/article/odd").text
    found = re.findall(r'<a href="#line-(\d)">line \d</a>: ([^<]*)</li>', page)
    assert [int(line) for line, _ in found] == [2, 3, 3, 4]
    assert "entry has no &#34;nmae&#34;" in found[-1][1]
    assert page.count('class="marked"') == 3


def test_what_can_grow_over_the_models_length_is_told(web: Web, shelf: Path) -> None:
    (shelf / "article" / "long.j2").write_text("{{ entry.body }} {{ entry.body }}", "utf8")
    assert "local Flux models read about the first 2000" in web.browser("lead").get("/templates/article/long").text


@pytest.mark.parametrize("source", ["{% if %}", "{{ entry.__class__ }}", "{% set x = 1 %}", "x" * 9000, "\udcff"])
def test_a_template_that_may_not_run_shows_why(web: Web, shelf: Path, source: str) -> None:
    web.illustration(number=0)
    (shelf / "article" / "broken.j2").write_bytes(source.encode("utf8", "surrogateescape"))
    browser = web.browser("lead")
    answer = browser.get("/templates/article/broken")
    assert (answer.status_code, 'role="alert"' in answer.text, "broken.j2" in answer.text) == (200, True, True)
    assert "may not run" in browser.get("/templates").text


def test_a_template_that_nobody_has_is_not_found(web: Web) -> None:
    answer = web.browser("lead").get("/templates/article/nothing")
    assert (answer.status_code, "there is no template" in answer.text) == (404, True)


@pytest.mark.parametrize("path", ["/templates/..%2f..%2fetc/passwd", "/templates/.../hero", "/templates/article/he\n"])
def test_a_name_that_is_none_leads_to_no_file(web: Web, path: str) -> None:
    assert web.browser("lead").get(path).status_code == 404


def test_two_versions_are_compared_by_text_rate_and_prompts(web: Web) -> None:
    judged(web, NOW, 0)
    judged(web, "0123456789ab", 1, "reject")
    kept(web, "0123456789ab", PLAIN)
    answer = web.browser("lead").get(f"/templates/article/hero/compare?old=0123456789ab&new={NOW}")
    page = text(answer.text)
    assert "0 approved of 1 judged" in page
    assert "1 approved of 1 judged" in page
    assert "A photograph of Why the river smells of cucumber in May, seen from the wide 16:9 frame." in page
    assert "2 of 2 differ" in page


def test_a_comparison_of_few_pictures_says_careful(web: Web) -> None:
    judged(web, NOW, 0)
    kept(web, "0123456789ab", PLAIN)
    page = web.browser("lead").get(f"/templates/article/hero/compare?old=0123456789ab&new={NOW}").text
    assert "Careful: fewer than 20 pictures" in page


def test_a_comparison_of_many_pictures_says_no_more(web: Web) -> None:
    for number, version in enumerate((NOW, "0123456789ab")):
        many(web, judged(web, version, number), 20)
    kept(web, "0123456789ab", PLAIN)
    page = web.browser("lead").get(f"/templates/article/hero/compare?old=0123456789ab&new={NOW}").text
    assert "Careful" not in page


def many(web: Web, one: int, number: int) -> None:
    """More renders of an illustration, judged by what was said of it."""
    with web.house.database.write() as session:
        (first,) = session.scalars(select(Render).where(Render.illustration_id == one))
        fields = {"prompt": "", "seed": 1, "width": 1, "height": 1, "state": "done"}
        for _ in range(number):
            more = Render(illustration_id=one, model="sketch", template=first.template, created=first.created, **fields)
            session.add(more)


def test_a_version_without_its_text_cannot_be_compared(web: Web) -> None:
    judged(web, "0123456789ab", 0)
    browser = web.browser("lead")
    answer = browser.get(f"/templates/article/hero/compare?old=0123456789ab&new={NOW}")
    assert (answer.status_code, "was not kept" in answer.text) == (404, True)
    assert browser.get("/templates/article/hero/compare?old=x&new=y").status_code == 404


def test_a_changed_text_is_tried_beside_the_one_in_the_file(web: Web) -> None:
    web.illustration(number=0)
    answer = web.browser("lead").post("/templates/article/hero/try", source=PLAIN)
    page = text(answer.text)
    assert answer.status_code == 200
    assert "A photograph of The last keeper of Skerry Light hands in his keys, seen from the wide 16:9 frame." in page
    assert "A documentary photograph of a real scene" in page


def test_trying_a_text_keeps_nothing(web: Web) -> None:
    web.illustration(number=0)
    before = prompts.load("article/hero")
    web.browser("lead").post("/templates/article/hero/try", source=PLAIN)
    with web.house.database.read() as session:
        assert session.scalars(select(TemplateVersion)).all() == []
    assert prompts.load("article/hero") == before


@pytest.mark.parametrize("source", ["{% for x in entry.tags %}", "{{ ''.__class__ }}", "{{ 7*7 }}", "", "x" * 100_000])
def test_a_text_that_may_not_run_is_refused_and_stays_in_the_form(web: Web, source: str) -> None:
    web.illustration(number=0)
    answer = web.browser("lead").post("/templates/article/hero/try", source=source)
    assert answer.status_code == (200 if source == "" else 422)
    assert source.replace("'", "&#39;") in answer.text
    assert "Traceback" not in answer.text


def test_a_tried_text_is_shown_and_never_run_as_html(web: Web) -> None:
    web.illustration(number=0, told=entry(0, title="<script>alert(1)</script>"))
    page = web.browser("lead").post("/templates/article/hero/try", source="<b>{{ entry.title }}</b> </textarea>").text
    assert "<script>alert" not in page
    assert "&lt;/textarea&gt;" in page


def test_the_source_of_a_template_is_kept_when_it_first_writes_a_prompt(build: Build) -> None:
    world = build()
    world.deliver(world.publish())
    world.deliver(world.publish(title="Another"))
    world.draw()
    hero = prompts.load("article/hero")
    with world.house.database.read() as session:
        (row,) = session.scalars(select(TemplateVersion))
        made = session.scalars(select(Render.template)).all()
        one = session.get_one(Illustration, 1)
    assert (row.name, row.version, row.source) == ("article/hero", hero.version, hero.source)
    assert {*made, one.template} == {f"article/hero@{hero.version}"}


def test_words_that_went_out_and_came_in_are_told_apart() -> None:
    found = diffs.words("a calm blue sea", "a calm grey sea tonight")
    kinds = [("same", "a calm"), ("out", " blue"), ("in", " grey"), ("same", " sea"), ("in", " tonight")]
    assert found == [Part(*one) for one in kinds]  # type: ignore[arg-type] # literals


def test_a_line_that_was_changed_is_told_twice_with_what_differs_marked() -> None:
    assert diffs.lines("one\ntwo three\n", "one\ntwo four\n") == [
        Line("same", [Part("same", "one")]),
        Line("out", [Part("same", "two"), Part("out", " three")]),
        Line("in", [Part("same", "two"), Part("in", " four")]),
    ]


@pytest.mark.parametrize(("old", "new"), [("", ""), ("a", ""), ("", "a\nb"), ("a\n\n b", "c\n\n b"), ("a b", "a\nb")])
def test_both_texts_can_be_read_back_from_a_comparison(old: str, new: str) -> None:
    for kind, text_ in (("out", old), ("in", new)):
        lines = [line for line in diffs.lines(old, new) if line.kind in ("same", kind)]
        told = ["".join(part.text for part in line.parts) for line in lines]
        assert told == text_.splitlines()
