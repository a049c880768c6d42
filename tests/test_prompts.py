"""Templates make good prompts of entries, and can do nothing else, whatever stands in them or in the entry."""

from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from frontispiece import lint, prompts, sandbox
from frontispiece.cms import Entry
from frontispiece.errors import ConfigProblem, TemplateProblem
from frontispiece.wording import colour, plain, sentence, unquoted

ARTICLE = Entry(
    ref="posts/12",
    kind="article",
    title="Rotterdam’s harbour ferries go electric: “a quieter river” by 2028",
    locale="en",
    excerpt=(
        "The first of eleven battery-driven ferries left the Willemskade at dawn on Monday with forty commuters on "
        "board. The city hopes for cleaner air."
    ),
    tags=("ferries", "Rotterdam", "harbour", "electric power", "transport policy"),
    section="City",
)
PRODUCT = Entry(
    ref="products/7",
    kind="product",
    title='Three-legged milking stool "Alm"',
    locale="de-AT",
    excerpt="A low stool of oiled ash wood with turned legs and a hollowed seat. Ships in two days.",
    attributes={"Material": "oiled ash wood", "Seat height": "32 cm", "Colour": "honey"},
)
GOLDEN_ARTICLE = (
    "A documentary photograph of a real scene, taken where it happens: Rotterdam’s harbour ferries go electric: a "
    "quieter river by 2028. The first of eleven battery-driven ferries left the Willemskade at dawn on Monday with "
    "forty commuters on board. Everything in view belongs to the world of ferries, Rotterdam, harbour and electric "
    "power. The place is local and lived-in, with old brick, painted wood and people going about their day. One clear "
    "subject stands slightly off centre in a wide 16:9 frame, with calm space around it and depth behind it. Warm, low "
    "light comes in from the side and draws long shadows. Taken at chest height with a 50 mm lens at f/2.8, the "
    "subject sharp and the background melting away. The surroundings lean towards deep red hex #8c2f1b, and a single "
    "object carries an accent of orange hex #d9a441. Walls, clothing and objects are plain and unmarked, each in one "
    "even colour. Brick, rope, paint and wool show their grain, their cracks and their threads. Warm, slightly faded "
    "colours, deep soft shadows, visible film grain, calm reportage style."
)
GOLDEN_PRODUCT = (
    "A product photograph of Three-legged milking stool Alm, whole and seen from slightly above. Its features: "
    "material oiled ash wood, seat height 32 cm and colour honey. A low stool of oiled ash wood with turned legs and a "
    "hollowed seat. It stands on a matte plaster surface that runs up into a seamless backdrop of the same tone. The "
    "backdrop is cream hex #f3efe6, and a soft shadow grounds the product. The product fills two thirds of a tall 4:5 "
    "frame, centred, with even space on every side. A large soft light from the left models its shape, and a gentle "
    "fill from the right keeps its colours true. Taken with an 85 mm lens at f/8, the product sharp from front to "
    "back, its edges clean. Its surface is plain and unmarked and shows the real texture of the material up close. "
    "Natural colours, restrained contrast, fine film grain, calm catalogue style."
)

REFUSED = r"test/made: (line \d+: |is nested too deeply|is 8001 characters long|cannot be read)"
# Each is refused by the allow-list on the parsed tree, before anything runs.
ESCAPES = [
    "{{ entry.__class__.__mro__ }}",
    "{{ entry['__class__'] }}",
    "{{ entry|attr('__class__') }}",
    "{{ ''.__class__.__base__.__subclasses__() }}",
    "{{ '{0.__class__}'.format(entry) }}",
    "{{ '{x.__class__}'.format_map({'x': entry}) }}",  # CVE-2019-10906
    "{{ ('{0.__class__}'|attr('format'))(entry) }}",  # CVE-2025-27516
    "{{ entry.title.format }}",
    "{{ entry.keys() }}",
    "{{ entry.attributes.__init__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ namespace() }}",
    "{{ config }}",
    "{% set x = entry %}",
    "{% include 'brands/house.toml' %}",
    "{% import 'article/hero.j2' as x %}",
    "{% extends 'article/hero.j2' %}",
    "{% macro m() %}{% endmacro %}",
    "{% block x %}{% endblock %}",
    "{% with x = 1 %}{% endwith %}",
    "{% filter upper %}x{% endfilter %}",
    "{% for self in entry.tags recursive %}{{ loop(entry.tags) }}{% endfor %}",
    "{% for loop in entry.tags %}x{% endfor %}",
    "{% for entry in entry.tags %}{{ entry.title }}{% endfor %}",
    "{{ entry.title | map('upper') | list }}",
]
RESOURCE_ATTACKS = [
    "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "{% for a in entry.tags %}{% for b in entry.tags %}x{% endfor %}{% endfor %}",
    "{% for a in entry.tags %}{% if a %}{% for b in entry.tags %}x{% endfor %}{% endif %}{% endfor %}",
    "{% for letter in entry.body %}x{% endfor %}",
    "{{ 'a' * 10 ** 10 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 'a' | center(10 ** 10) }}",
    "{{ '%9999999999d' | format(1) }}",
    "{{ '{:9999999999}'.format(1) }}",
    "{{ lipsum(n=100000) }}",
    "{{ entry.title ~ entry.title }}",
    "{% set x = 'aaaa' %}{% set x = x ~ x %}",
    "{{ entry.body | join(entry.body) }}",
    "{{ entry.tags | join('" + "x" * 4000 + "') }}",
    "{{ entry.title | replace('a', 'aaaaaaaaaa') }}",
    "{{ " + "(" * 3900 + "1" + ")" * 3900 + " }}",
    "{{ " + "not " * 1900 + "entry.title }}",
    "{{ entry.title" + " | lower" * 800 + " }}",
    "{% if " + "entry.kind or " * 500 + "entry.kind %}x{% endif %}",
    "{{ " + "9" * 7000 + " }}",
    "{% if entry.title %}" * 250 + "x" + "{% endif %}" * 250,
    "x" * 8001,
]


def template(source: str) -> prompts.Template:
    return prompts.Template("test/made", source, "v", Path("made.j2"))


def made(source: str, entry: Entry = ARTICLE) -> str:
    return prompts.compose(template(source), entry, prompts.brand("house")).text


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's own folder of templates."""
    monkeypatch.setenv("FRONTISPIECE_TEMPLATES", str(tmp_path))
    (tmp_path / "article").mkdir()
    (tmp_path / "brands").mkdir()
    return tmp_path


def test_an_article_makes_the_prompt_that_was_judged_by_eye() -> None:
    prompt = prompts.compose(prompts.load("article/hero"), ARTICLE, prompts.brand("gazette"), "hero", "16:9")
    assert prompt.text == GOLDEN_ARTICLE


def test_a_product_makes_the_prompt_that_was_judged_by_eye() -> None:
    prompt = prompts.compose(prompts.load("product/listing"), PRODUCT, prompts.brand("house"), "listing", "4:5")
    assert prompt.text == GOLDEN_PRODUCT


def test_a_prompt_remembers_its_template_and_version() -> None:
    recipe = prompts.load("article/hero")
    prompt = prompts.compose(recipe, ARTICLE, prompts.brand("house"))
    assert (prompt.template, prompt.version) == ("article/hero", recipe.version)


def test_an_entry_with_a_title_alone_still_makes_whole_sentences() -> None:
    bare = Entry(ref="1", kind="article", title="Frost")
    text = prompts.compose(prompts.load("article/hero"), bare, prompts.brand("house")).text
    assert text.startswith("A documentary photograph of a real scene, taken where it happens: Frost. The place is")


def test_a_brand_with_a_palette_alone_gets_the_templates_own_words() -> None:
    bare = prompts.Brand(title="Bare", palette=("#0047ab",))
    text = prompts.compose(prompts.load("article/hero"), ARTICLE, bare).text
    assert "Soft, even daylight falls from one side" in text
    assert ". ." not in text


@pytest.mark.parametrize("name", prompts.names())
def test_a_shipped_template_passes_its_own_lint(name: str) -> None:
    noted = [] if name.startswith("alt/") else lint.lint(prompts.load(name).source)
    assert noted == []


@pytest.mark.parametrize("name", prompts.brands())
def test_a_shipped_brand_says_what_is_there_in_words_that_can_be_seen(name: str) -> None:
    house = prompts.brand(name)
    assert lint.lint(f"{house.setting}. {house.stage}. {house.light}. {house.camera}. {house.texture}.") == []


@pytest.mark.parametrize(
    ("ratio", "frame"),
    [
        ("16:9", "wide 16:9"),
        ("40:21", "wide 16:9"),
        ("4:5", "tall 4:5"),
        ("1:1", "square 1:1"),
        ("99:100", "square 1:1"),
    ],
)
def test_a_ratio_is_said_as_the_nearest_known_one(ratio: str, frame: str) -> None:
    text = prompts.compose(template("{{ slot.frame }}"), ARTICLE, prompts.brand("house"), "social", ratio).text
    assert text == f"{frame} frame"


# Finding templates and brands


def test_an_operators_own_template_goes_before_ours(own: Path) -> None:
    (own / "article" / "hero.j2").write_text("Ours: {{ entry.title }}")
    assert prompts.load("article/hero").path == own / "article" / "hero.j2"


def test_a_changed_template_has_another_version(own: Path) -> None:
    shipped = prompts.load("article/hero")
    (own / "article" / "hero.j2").write_text(f"{shipped.source} ")
    assert prompts.load("article/hero").version != shipped.version


@pytest.mark.parametrize(
    "name",
    ["../brands/house", "article/../article/hero", "/etc/passwd", "article", "article/hero.j2", "a/b/c", "", "\0/a"],
)
def test_a_name_that_is_not_kind_and_slot_finds_no_template(name: str) -> None:
    with pytest.raises(TemplateProblem, match=r"there is no template .*article/hero"):
        prompts.load(name)


def test_a_refused_template_is_named_with_file_and_line(own: Path) -> None:
    (own / "article" / "bad.j2").write_text("fine\n{{ entry.pages }}")
    with pytest.raises(TemplateProblem, match=r'bad\.j2: line 2: entry has no "pages"; it has: title, excerpt, body'):
        prompts.load("article/bad")


def test_a_template_that_is_not_utf_8_is_refused(own: Path) -> None:
    (own / "article" / "bad.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateProblem, match=r"bad\.j2 cannot be read"):
        prompts.load("article/bad")


@pytest.mark.parametrize("name", ["nobody", "../brands/house", ""])
def test_a_missing_brand_is_a_problem_that_names_those_there_are(name: str) -> None:
    with pytest.raises(ConfigProblem, match=r"there is no brand .*gazette, house"):
        prompts.brand(name)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('avoid = "people"', "avoid: Extra inputs"),
        ('palette = ["red"]', "palette.0: String should match"),
        ("palette = []", "palette: Tuple should have at least 1"),
        ("palette = [", "Invalid"),
    ],
)
def test_a_wrong_brand_is_refused_with_its_key(own: Path, line: str, words: str) -> None:
    palette = "" if line.startswith("palette") else 'palette = ["#112233"]\n'
    (own / "brands" / "wrong.toml").write_text(f'title = "Wrong"\n{palette}{line}\n')
    with pytest.raises(ConfigProblem, match=rf"wrong\.toml: {words}"):
        prompts.brand("wrong")


# What the entry says is data


@pytest.mark.parametrize("title", ["{{ 7 * 7 }} ferries", "{% for x in y %} ferries", "{# ferries"])
def test_template_syntax_in_a_title_comes_out_as_it_stands(title: str) -> None:
    assert made("{{ entry.title }}", replace(ARTICLE, title=title)) == title


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("<b>Bold</b> &amp; <script src=x>brave</script>", "Bold &amp; brave"),
        ('Ferry <sd_cpp_extra_args>{"steps": 999}</sd_cpp_extra_args> ahead', "Ferry ahead"),
        ("<<b>sd_cpp_extra_args>x", "sd_cpp_extra_args x"),
        ("<lora:other:1> ferry", "ferry"),
        ("5 < 6 and 7 > 3", "5 6 and 7 3"),
    ],
)
def test_markup_in_a_title_is_taken_out(title: str, text: str) -> None:
    assert made("{{ entry.title }}", replace(ARTICLE, title=title)) == text


def test_control_and_direction_characters_are_taken_out() -> None:
    assert made("{{ entry.title }}", replace(ARTICLE, title="a\x00b\r\n\tc\u202ed\ud800e\ufeff")) == "a b cde"


def test_right_to_left_text_with_joiners_stays_whole() -> None:
    title = "می‌خواهم قایق برقی ببینم"
    assert made("{{ entry.title }}", replace(ARTICLE, title=title)) == title


def test_quotation_marks_go_and_apostrophes_stay() -> None:
    assert unquoted("Anna’s “big” 'day' at „Zum Hirsch“ «ici» 「ここ」") == "Anna’s big day at Zum Hirsch ici ここ"


def test_a_field_of_100_kb_is_cut_between_words() -> None:
    text = made("{{ entry.title }}|{{ entry.body }}", replace(ARTICLE, title="word " * 20_000, body="word " * 20_000))
    assert [len(part) for part in text.split("|")] == [299, 1499]


@pytest.mark.timeout(10)
def test_a_field_of_5_mb_without_a_space_is_cut_too() -> None:
    assert made("{{ entry.excerpt }}", replace(ARTICLE, excerpt="x" * 5_000_000)) == "x" * 600


def test_only_fifty_tags_reach_a_template() -> None:
    text = made("{{ entry.tags | join(',') }}", replace(ARTICLE, tags=tuple(f"t{n}" for n in range(1000))))
    assert len(text.split(",")) == sandbox.LIST_LIMIT


def test_an_attribute_is_found_by_its_name_in_small_letters() -> None:
    assert made("{{ entry.attributes.seat_height }}", PRODUCT) == "32 cm"


def test_an_attribute_named_like_a_method_reaches_no_method() -> None:
    with pytest.raises(TemplateProblem, match="has no attribute 'items'"):
        made("{{ entry.attributes.items }}", PRODUCT)


def test_a_missing_attribute_is_told_with_template_and_line() -> None:
    with pytest.raises(TemplateProblem, match=r"test/made: line 3: .*no attribute 'weight'.*default"):
        made("one\n\n{{ entry.attributes.weight | lower }}", PRODUCT)


def test_a_missing_attribute_can_be_given_a_default() -> None:
    assert made('{{ entry.attributes.weight | default("light") }}', PRODUCT) == "light"


def test_a_prompt_over_the_limit_is_refused_with_advice() -> None:
    with pytest.raises(TemplateProblem, match=r"makes a prompt of 4\d+ characters .*words\(30\)"):
        made("{{ entry.body }} " * 3, replace(ARTICLE, body="word " * 300))


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(TemplateProblem, match="empty prompt"):
        made("{{ entry.section }}", replace(ARTICLE, section=""))


# What a template may do


@pytest.mark.parametrize("source", ESCAPES)
def test_an_escape_is_refused(source: str) -> None:
    with pytest.raises(TemplateProblem, match=REFUSED):
        made(source)


@pytest.mark.parametrize("source", RESOURCE_ATTACKS, ids=range(len(RESOURCE_ATTACKS)))
@pytest.mark.timeout(10)
def test_a_resource_attack_is_refused_at_once(source: str) -> None:
    with pytest.raises(TemplateProblem, match=REFUSED):
        made(source, replace(ARTICLE, tags=("tag",) * 50, body="word " * 300))


@pytest.mark.timeout(10)
def test_output_that_swells_in_a_loop_is_stopped() -> None:
    with pytest.raises(TemplateProblem, match="makes more than"):
        made("{% for t in entry.tags %}" + "{{ entry.body }}" * 400 + "{% endfor %}", replace(ARTICLE, body="b " * 700))


def test_the_sandbox_itself_knows_no_python_attributes() -> None:
    stolen = sandbox._SANDBOX.from_string("{{ entry.title.__class__ }}").generate(entry={"title": "x"})
    with pytest.raises(UndefinedError, match="has no attribute '__class__'"):
        list(stolen)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ entry.tags | limit(3) | listed }}", "ferries, Rotterdam and harbour"),
        ("{{ entry.tags | limit(2) | listed('und') }}", "ferries und Rotterdam"),
        ("{{ entry.tags | limit(1) | listed }}", "ferries"),
        ("{{ entry.tags | first }}/{{ entry.tags | last | capitalize }}", "ferries/Transport policy"),
        ("{% for tag in entry.tags | limit(2) %}[{{ tag | upper }}]{% endfor %}", "[FERRIES][ROTTERDAM]"),
        ("{% if 'harbour' in entry.tags and entry.kind == 'article' %}yes{% else %}no{% endif %}", "yes"),
        ("{% if entry.attributes.colour is defined %}yes{% else %}no{% endif %}", "no"),
        ("{{ entry.title | words(3) }}.", "Rotterdam’s harbour ferries."),
        ("{# a note #}{{ slot.name }}, {{ slot.frame }}", "hero, wide 16:9 frame"),
        ("{{ brand.main }}", "deep blue hex #1f3a4d"),
    ],
)
def test_what_is_allowed_works(source: str, text: str) -> None:
    assert made(source) == text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ entry.tags }}", "entry.tags is a list: write entry.tags | listed"),
        ("{{ entry }}", "entry holds several fields"),
        ("{{ entry.tags | lower }}", "the filter lower wants a text, and entry.tags is a list"),
        ("{{ entry.title | words }}", "the filter words wants one whole number from 1 to 1000"),
        ("{{ entry.title | wordz(3) }}", 'there is no filter "wordz"; there are: lower, upper'),
        ("{{ title }}", 'there is no "title"; there are: entry, brand, slot'),
        ("{{ entry.title == entry.kind }}", "use it in an if"),
        ("{% if entry.tags < entry.title %}x{% endif %}", "compare with =="),
        ("{% if entry.tags in entry.title %}x{% endif %}", '"word" in entry.tags'),
        ("{% if entry.title", "unexpected end of template"),
    ],
)
def test_a_refusal_says_what_to_write(source: str, words: str) -> None:
    assert words in lint.lint(source)[0]


# Advice


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("A street without any people.", "“without any people”: Flux paints what is named"),
        ("A street, no cars.", "“no cars”: Flux paints what is named"),
        ("The wall doesn't shine.", "“doesn't shine”"),
        ("A beautiful street.", "“beautiful”: says nothing that can be seen"),
        ("A street, 8K, highly detailed.", "“8K”"),
        ("A shop sign that reads Open.", "in quotation marks"),
        ("A poster with the words Fresh Bread.", "in quotation marks"),
        ("A street.\nAbove it “{{ entry.title }}”.", "line 2: “entry.title”: stands in quotation marks"),
        ("{{ entry.body }} {{ entry.body }}", "can grow to 2999 characters; local Flux"),
        ("{{ entry.body }} {{ entry.body }} {{ entry.body }}", "can grow to 4499 characters, and 4000 are the most"),
    ],
)
def test_lint_says_what_flux_will_not_understand(source: str, words: str) -> None:
    assert any(words in finding for finding in lint.lint(source)), lint.lint(source)


@pytest.mark.parametrize(
    "source",
    [
        'A shop sign that reads "OPEN".',
        "A man reading a book in Northampton, notes on the table.",
        "{# no negation counts in a comment #}A quiet street.",
        "{% if not entry.excerpt %}A quiet street.{% endif %}",
    ],
)
def test_lint_is_quiet_where_nothing_is_wrong(source: str) -> None:
    assert lint.lint(source) == []


# Alt text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Illustration for the product “Three-legged milking stool Alm”"),
        ("de-AT", "Symbolbild zum Produkt „Three-legged milking stool Alm“"),
        ("de_CH", "Symbolbild zum Produkt „Three-legged milking stool Alm“"),
        ("../x", "Illustration for the product “Three-legged milking stool Alm”"),
        ("", "Illustration for the product “Three-legged milking stool Alm”"),
    ],
)
def test_alt_text_speaks_the_entrys_language(language: str, text: str) -> None:
    assert prompts.alt_text(PRODUCT, language) == text


def test_alt_text_of_a_long_title_fits_and_closes_its_quotation_mark() -> None:
    text = prompts.alt_text(replace(ARTICLE, title="word " * 100), "en")
    assert (len(text) <= prompts.ALT_LIMIT, text[-2:]) == (True, "…”")


# Words


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("#1A2B3C", "deep blue hex #1a2b3c"),
        ("#faf6ee", "cream hex #faf6ee"),
        ("#000000", "black hex #000000"),
        ("#ffffff", "white hex #ffffff"),
        ("#808080", "grey hex #808080"),
        ("#f7c6d9", "pink hex #f7c6d9"),
        ("#3b2a1a", "dark brown hex #3b2a1a"),
    ],
)
def test_a_colour_is_said_in_words_with_its_code(code: str, name: str) -> None:
    assert colour(code) == name


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Dr. Smith sails. Then he lands.", "Dr. Smith sails"),
        ("Why so quiet? Because.", "Why so quiet"),
        ("川は静か。船は速い。", "川は静か"),
        ("no stop at all", "no stop at all"),
    ],
)
def test_the_first_sentence_ends_where_a_reader_ends_it(text: str, first: str) -> None:
    assert sentence(text) == first


def test_plain_text_holds_no_angle_bracket_whatever_stood_around_it() -> None:
    assert set("<>") & set(plain("<" * 50 + "a>" * 50 + "<b" + ">" * 3)) == set()
