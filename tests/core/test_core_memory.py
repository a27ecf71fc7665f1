"""wipe(): exactly what it was told, on both of its ways."""

import pytest

from poolware._core.memory import _BLOCK, wipe

MARGIN = 8


@pytest.mark.parametrize(
    "size", [-1, 0, 1, 2, 63, 64, 4096, _BLOCK - 1, _BLOCK, _BLOCK + 1, 2 * _BLOCK, 3 * _BLOCK + 5]
)
@pytest.mark.parametrize("start", [0, 1, MARGIN])
def test_wipes_what_it_was_told_and_no_more(size, start):
    """H09: around the size where another way is taken."""
    memory = bytearray(b"\xff") * (4 * _BLOCK)
    with memoryview(memory) as view:
        wipe(view, start, start + size)
    size = max(size, 0)
    assert memory[:start] == b"\xff" * start
    assert memory[start : start + size] == bytes(size)
    assert memory[start + size :] == b"\xff" * (4 * _BLOCK - start - size)


@pytest.mark.parametrize("size", [1, _BLOCK, _BLOCK + 1])
def test_wipes_to_the_very_end(size):
    """H09."""
    memory = bytearray(b"\xff") * size
    with memoryview(memory) as view:
        wipe(view, 0, size)
    assert memory == bytes(size)


@pytest.mark.parametrize("size", [_BLOCK, _BLOCK + 1])
def test_holds_the_memory_no_longer_than_it_takes(size):
    """H07: a view that stayed would keep it in quarantine."""
    memory = bytearray(size)
    view = memoryview(memory)
    wipe(view, 0, size)
    view.release()
    memory.append(1)
    assert len(memory) == size + 1


def test_refuses_memory_that_cannot_be_written():
    with pytest.raises(TypeError):
        wipe(memoryview(bytes(10)), 0, 10)
