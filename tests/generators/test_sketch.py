"""Title cards: always the same, always readable, never over the edge, in whatever script."""

import io
from pathlib import Path
from random import Random

import httpx
import pytest
from PIL import Image, ImageChops, ImageDraw, features

from frontispiece import fonts
from frontispiece.generators import Finished, GeneratorProblem, Order, sketch
from frontispiece.generators.sketch import Card, Sketch, SketchSettings
from frontispiece.lettering import Setter

shaping = pytest.mark.skipif(not features.check("raqm"), reason="Pillow found no libfribidi, which these scripts need")
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"
ENDLESS = "The long story of a small town and of everybody who ever lived in it " * 9
RARE = "龘靐齉"  # in none of the bundled fonts
SIZES = [(1600, 900), (1024, 1024), (1080, 1920), (1200, 630), (256, 144), (256, 256), (2048, 1152), (64, 64)]


def order(headline: str = "The quiet return of the night train", **changes: object) -> Order:
    options: dict[str, object] = {"width": 640, "height": 360, "seed": 1, "section": "Travel"}
    return Order(model="sketch", prompt="", headline=headline, **(options | changes))  # type: ignore[arg-type]


def drawn(asked: Order, folders: tuple[Path, ...] = ()) -> Finished:
    with httpx.Client() as client:
        result = Sketch(SketchSettings(fonts=folders), client).submit(asked)
    assert isinstance(result, Finished)
    return result


def lines(card: Card) -> list[str]:
    return [line.text for line in card.block.lines]


def inside(card: Card) -> bool:
    """Whether every line's ink lies within the text area, and that within the margins."""
    left, top, right, bottom = card.text
    x, y = card.block_at
    ok = all(
        left <= x + ink[0] and x + ink[2] <= right and top <= y + ink[1] and y + ink[3] <= bottom
        for ink in (line.ink for line in card.block.lines)
    )
    width, height = card.size
    return ok and left >= card.margin and right <= width - card.margin and bottom <= height


def test_the_same_order_gives_the_same_bytes() -> None:
    assert drawn(order()).images == drawn(order()).images


def test_another_seed_gives_another_drawing() -> None:
    motifs = [Card(order(seed=seed)).motif for seed in range(8)]
    assert len(set(motifs)) == 8


def test_a_sketch_costs_nothing_and_is_a_png_of_the_ordered_size() -> None:
    result = drawn(order(width=300, height=500))
    image = Image.open(io.BytesIO(result.images[0]))
    assert (image.format, image.size, result.cost) == ("PNG", (300, 500), 0.0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("headline", ["Bread", "The quiet return of the night train", LONG, ENDLESS, "W" * 300])
def test_no_headline_leaves_its_margins(headline: str, size: tuple[int, int]) -> None:
    cards = [Card(order(headline, width=size[0], height=size[1], seed=seed)) for seed in (0, 7)]
    assert [inside(card) for card in cards] == [True, True]


@pytest.mark.parametrize("seed", range(8))
def test_the_ink_on_the_card_is_where_the_layout_says(seed: int) -> None:
    card, plain = Card(order(seed=seed)), Card(order(seed=seed))
    plain.title = None
    reach = ImageChops.difference(card.drawn(), plain.drawn()).getbbox()
    x, y = (value / card.scale for value in card.block_at)
    said = (x, y, x + card.block.width / card.scale, y + card.block.height / card.scale)
    assert reach is not None
    assert [abs(a - b) <= 3 for a, b in zip(reach, said, strict=True)] == [True] * 4


def test_an_endless_headline_is_cut_after_a_word_and_that_is_noted() -> None:
    card = Card(order(ENDLESS))
    last = lines(card)[-1]
    assert (last[-1], last[:-1].split()[-1] in ENDLESS.split(), card.note) == ("…", True, sketch.CUT)


def test_a_word_of_sixty_letters_is_broken_with_hyphens_and_complete() -> None:
    *broken, last = lines(Card(order(LONG, language="de")))
    assert ([line[-1] for line in broken], "".join(broken).replace("-", "") + last) == (["-"] * len(broken), LONG)


def test_lines_are_balanced() -> None:
    card = Card(order("Museums open late this winter again", width=1600, height=900, seed=2))
    widths = [line.ink[2] - line.ink[0] for line in card.block.lines]
    assert min(widths) > max(widths) * 0.5


@pytest.mark.parametrize(
    ("headline", "language"),
    [
        ("Η ήσυχη επιστροφή του τρένου", "el"),
        ("Тихое возвращение поездов", "ru"),
        ("Chuyến tàu đêm lặng lẽ trở lại", "vi"),
        ("Źródło żądz: příliš žluťoučký kůň", "pl"),
        ("夜行列車の静かな復活", "ja"),
        ("夜间列车悄然回归欧洲", "zh"),
        ("야간열차의 조용한 귀환", "ko"),
    ],
)
def test_every_letter_of_a_plain_script_is_set(headline: str, language: str) -> None:
    card = Card(order(headline, language=language), folders=())
    assert ("".join(lines(card)).replace(" ", ""), card.note) == (headline.replace(" ", ""), "")


@shaping
@pytest.mark.parametrize(
    ("headline", "font"),
    [
        ("عودة القطارات الليلية إلى Berlin 2026", "arabic.ttf"),
        ("שובן של רכבות הלילה", "hebrew.ttf"),
        ("रात की ट्रेनों की शांत वापसी", "devanagari.ttf"),
        ("การกลับมาของรถไฟกลางคืน", "thai.ttf"),
    ],
)
def test_a_shaped_script_is_set_whole_in_one_font(headline: str, font: str) -> None:
    card = Card(order(headline, width=1600, height=900), folders=())
    assert card.title is not None
    assert ([face.path.name for face in card.title.content.faces], card.note, inside(card)) == ([font], "", True)


@shaping
def test_arabic_is_flush_right_with_the_drawing_on_the_left() -> None:
    card = Card(order("عودة القطارات الليلية إلى أوروبا", seed=0))
    edges = {round(card.text[0] + line.ink[2]) for line in card.block.lines}
    assert (card.rtl, edges, card.art[0]) == (True, {card.text[2]}, 0)


@shaping
def test_letters_of_two_scripts_come_from_two_fonts() -> None:
    card = Card(order("東京 नमस्ते"), folders=())
    assert card.title is not None
    assert [face.path.name for face in card.title.content.faces] == ["devanagari.ttf", "cjk.otf"]


def test_japanese_lines_break_after_a_phrase_and_never_before_a_full_stop() -> None:
    card = Card(order("夜行列車の静かな復活、ヨーロッパの鉄道はどこへ向かうのか。", width=400, height=700), folders=())
    firsts = {line[0] for line in lines(card)}
    assert (firsts <= set("夜静復ヨ鉄ど向"), len(card.block.lines) > 2) == (True, True)


def test_chinese_lines_never_begin_with_punctuation() -> None:
    cards = [Card(order("慢车，夜车。快车，好车。" * n, width=400, height=700), folders=()) for n in (1, 2, 3)]
    firsts = {line[0] for card in cards for line in lines(card)}
    assert (firsts & set("，。"), len(firsts) > 1) == (set(), True)


def test_without_a_font_for_its_letters_the_card_has_no_headline_and_says_so() -> None:
    result = drawn(order(RARE))
    assert (result.facts["note"], Card(order(RARE), folders=()).block.lines) == (sketch.NO_FONT, ())


def test_a_font_of_the_machine_is_found_for_letters_that_ours_lack(tmp_path: Path) -> None:
    data = (Path(fonts.__file__).parent / "generators/fonts/hebrew.ttf").read_bytes()
    at = data.index(b"cmap")
    (tmp_path / "broken.ttf").write_bytes(data[:at])
    (tmp_path / "NotoColorEmoji.ttf").write_bytes(data)
    (tmp_path / "house.ttf").write_bytes(data)
    assert fonts._installed({0x5D0}, [tmp_path]) == fonts.Face(tmp_path / "house.ttf", 1.4)


def test_an_empty_headline_is_a_drawing_that_fills_the_card() -> None:
    card = Card(order(" \n "))
    assert (card.art, card.block.lines, card.note) == ((0, 0, *card.size), (), "")


def test_emoji_are_left_out_and_that_is_noted() -> None:
    card = Card(order("Launch 🚀👩‍🚀 day ❤️"), folders=())
    assert (" ".join(lines(card)), card.note) == ("Launch day", sketch.LEFT_OUT)


def test_control_and_direction_characters_are_not_drawn() -> None:
    assert fonts.tidy("A\x00b\x1b[31m\u202egnorw\u2066 \ud800c\n\td\u00ad!") == "A b [31mgnorw c d!"


def test_markup_and_template_code_are_words_like_any_other() -> None:
    card = Card(order("<b>{{ config }}</b> {% raw %} %s"))
    assert " ".join(lines(card)) == "<b>{{ config }}</b> {% raw %} %s"


@pytest.mark.parametrize("palette", [*sketch.PALETTES, ("#777777",), ("#ff0000", "#00ff00"), ("#ffffff",), ("#000",)])
def test_type_is_always_readable_on_its_field(palette: tuple[str, ...]) -> None:
    schemes = [sketch.scheme(palette, Random(seed)) for seed in range(40)]
    least = min(sketch.contrast(colour, s.field) for s in schemes for colour in (s.ink, s.label))
    assert least >= 4.5


@pytest.mark.parametrize("palette", [("#777777",), ("#ffffff",), ("#000000", "#000000"), ("#123456", "#123457")])
def test_a_poor_palette_still_gives_three_colours_that_stand_out(palette: tuple[str, ...]) -> None:
    casts = [sketch.scheme(palette, Random(seed)).cast for seed in range(10)]
    assert min(len(cast.colours) for cast in casts) >= 3


def test_contrast_is_measured_as_wcag_does() -> None:
    greys = [sketch.contrast((level, level, level), (255, 255, 255)) for level in (0, 119, 255)]
    assert [round(value, 2) for value in greys] == [21.0, 4.48, 1.0]


def test_every_motif_can_be_drawn_in_every_shape() -> None:
    shapes = [(64, 300), (300, 64), (99, 99)]
    cards = [drawn(order(seed=seed, width=width, height=height)) for seed in range(8) for width, height in shapes]
    assert len({card.images for card in cards}) == 24


def test_a_word_that_is_no_colour_is_named() -> None:
    with pytest.raises(GeneratorProblem, match="blurple"):
        drawn(order(palette=("blurple",)))


@pytest.mark.parametrize("size", [(0, 100), (100, 5000)])
def test_a_size_that_cannot_be_drawn_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(GeneratorProblem, match="each side must have 64 to 3000"):
        drawn(order(width=size[0], height=size[1]))


def test_a_section_is_set_in_capitals_of_its_language() -> None:
    said = [sketch._capitals(order(section=s, language=code)) for s, code in (("Politik", "tr"), ("Ταξίδια", "el"))]
    assert said == ["POLİTİK", "ΤΑΞΙΔΙΑ"]


def test_a_very_long_section_stays_inside_the_card() -> None:
    words = fonts.words("W" * 40, "en", fonts.SANS, ())
    assert words is not None
    canvas = Image.new("RGB", (500, 60))
    Setter(words).draw_label(ImageDraw.Draw(canvas), (10, 10), 200, 20, (255, 255, 255))
    box = canvas.getbbox()
    assert box is not None
    assert (box[0] >= 10, box[2] <= 211) == (True, True)
