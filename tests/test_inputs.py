"""Pictures on their way into a generator."""

import io

import pytest
from PIL import Image

from frontispiece import inputs
from frontispiece.errors import GeneratorProblem


def png(size: tuple[int, int], colour: int | tuple[int, int, int], mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()


def pixel(data: bytes, at: tuple[int, int]) -> object:
    return Image.open(io.BytesIO(data)).getpixel(at)


def test_size_is_width_by_height() -> None:
    assert (30, 20) == inputs.size(png((30, 20), (0, 0, 0)))


def test_a_data_url_says_what_it_holds() -> None:
    assert inputs.data_url(png((4, 4), (0, 0, 0))).startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize(("grey", "alpha"), [(255, 0), (0, 255)])
def test_what_is_white_in_our_mask_is_transparent_in_openai_s(grey: int, alpha: int) -> None:
    mask = inputs.clear_where_white(png((4, 4), grey, "L"))

    assert (0, 0, 0, alpha) == pixel(mask, (1, 1))


def test_margins_lie_around_the_picture_and_are_white_in_the_mask() -> None:
    whole, mask = inputs.expanded(png((10, 10), (9, 9, 9)), inputs.Margins(top=5, left=20))

    assert ((30, 15), (9, 9, 9), 0, 255) == (
        inputs.size(whole),
        pixel(whole, (20, 5)),
        pixel(mask, (20, 5)),
        pixel(mask, (19, 5)),
    )


def test_what_is_no_picture_is_said_so() -> None:
    with pytest.raises(GeneratorProblem, match="cannot be read"):
        inputs.size(b"<html>")
