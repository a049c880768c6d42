"""Orders in folders and on the board: what is kept, what is forgotten, who comes next. Nothing here needs torch."""

import os
import time
from pathlib import Path

import pytest
from servers.local import mask, order, picture

from frontispiece.errors import Busy
from frontispiece.generators import Margins
from frontispiece.local.board import Board
from frontispiece.local.spool import KEPT, Spool

FULL = order("fill", task="fill", images=(picture(),), mask=mask(), margins=Margins(1, 2, 3, 4), lora="red.safetensors")


@pytest.fixture(name="spool")
def _spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


@pytest.fixture(name="board")
def _board(spool: Spool) -> Board:
    return Board(spool, limit=2)


def _aged(spool: Spool, name: str) -> None:
    then = time.time() - KEPT - 1
    os.utime(spool.folder / name, (then, then))


def test_an_order_is_read_as_it_was_placed(spool: Spool) -> None:
    assert FULL == spool.order(spool.place(FULL))


def test_the_same_order_has_the_same_id_and_another_another(spool: Spool) -> None:
    assert spool.place(FULL) == spool.place(FULL)
    assert spool.place(FULL) != spool.place(order("fill"))


def test_orders_come_back_oldest_first_after_a_restart(spool: Spool) -> None:
    placed = [spool.place(order("schnell", seed=seed)) for seed in range(8)]
    for at, name in enumerate(placed):
        os.utime(spool.folder / name / "order.json", ns=(at, at))
    assert placed == Spool(spool.folder).unfinished()


def test_what_is_over_does_not_come_back(spool: Spool) -> None:
    drawn, failed = spool.place(order("schnell")), spool.place(order("klein"))
    spool.finish(drawn, picture(), {"seed": 7})
    spool.fail(failed, "it was too large")

    assert [] == spool.unfinished()


def test_a_picture_is_kept_with_its_facts(spool: Spool) -> None:
    name = spool.place(order("schnell"))
    spool.finish(name, picture(), {"seed": 7})

    assert (picture(), {"seed": 7}) == (spool.picture(name).read_bytes(), spool.facts(name))


def test_a_failed_order_begins_anew_when_it_is_placed_again(spool: Spool) -> None:
    name = spool.place(order("schnell"))
    spool.tried(name)
    spool.fail(name, "it was too large")

    assert [spool.place(order("schnell"))] == spool.unfinished()
    assert 1 == spool.tried(name)


def test_tries_are_counted_over_restarts(spool: Spool) -> None:
    name = spool.place(order("schnell"))
    assert [1, 2, 3] == [Spool(spool.folder).tried(name) for _ in range(3)]


def test_a_picture_is_forgotten_after_an_hour_and_not_before(spool: Spool) -> None:
    old, young = (spool.place(order("schnell", seed=seed)) for seed in (1, 2))
    for name in (old, young):
        spool.finish(name, picture(), {})
    _aged(spool, old)
    spool.sweep(time.time())

    assert (False, True) == (spool.knows(old), spool.knows(young))


def test_an_order_that_is_not_drawn_is_never_forgotten(spool: Spool) -> None:
    name = spool.place(order("schnell"))
    _aged(spool, name)
    spool.sweep(time.time())

    assert spool.knows(name)


def test_a_half_written_order_is_no_order(spool: Spool) -> None:
    (spool.folder / ".0123.456").mkdir()
    assert [] == Board(spool, 2).waiting


def test_the_board_gives_out_orders_in_turn(board: Board) -> None:
    placed = [board.place(order("schnell", seed=seed)) for seed in (1, 2)]
    assert placed == [board.take(), board.take()]


def test_an_order_says_how_many_come_before_it(board: Board) -> None:
    names = [board.place(order("schnell", seed=seed)) for seed in (1, 2)]
    board.take()
    status = board.status(names[1])
    assert status
    assert ("waiting", 1) == (status.state, status.ahead)


def test_too_many_orders_are_told_to_come_back(board: Board) -> None:
    for seed in (1, 2):
        board.place(order("schnell", seed=seed))
    with pytest.raises(Busy, match="2 orders wait for the local generator already"):
        board.place(order("schnell", seed=3))
    assert 2 == len(board.spool.unfinished())


def test_an_order_that_waits_already_is_welcome_on_a_full_board(board: Board) -> None:
    first = board.place(order("schnell", seed=1))
    board.place(order("schnell", seed=2))
    assert first == board.place(order("schnell", seed=1))


def test_what_comes_of_a_cancelled_drawing_is_not_kept(board: Board) -> None:
    name = board.place(order("schnell"))
    board.take()
    board.cancel(name)
    board.place(order("schnell"))
    board.finish(name, picture(), {})

    assert not board.spool.picture(name).exists()


def test_an_order_placed_again_waits_until_its_cancelled_drawing_has_stopped(board: Board) -> None:
    first = board.place(order("schnell", seed=1))
    board.take()
    board.cancel(first)
    board.place(order("schnell", seed=1))
    second = board.place(order("schnell", seed=2))

    assert second == board.take()
    board.done(first)
    assert first == board.take()


def test_an_order_that_nobody_placed_is_not_known(board: Board) -> None:
    assert board.status("0" * 32) is None


def test_a_closed_board_gives_nothing_out(board: Board) -> None:
    board.place(order("schnell"))
    board.close()
    assert board.take() is None
