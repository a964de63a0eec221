import pytest
from commonhold import merkle, notes, tiles
from hypothesis import given, settings
from hypothesis import strategies as st

HASHES = [merkle.leaf_hash(str(number).encode()) for number in range(700)]


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((0, 0), "tile/0/000"),
        ((1, 273), "tile/1/273"),
        ((0, 1234067), "tile/0/x001/x234/067"),
        ((0, 5, 17), "tile/0/005.p/17"),
    ],
)
def test_tiles_have_the_addresses_of_the_specification(arguments, path):
    assert tiles.tile_path(*arguments) == path


@given(size=st.integers(1, 700), data=st.data())
@settings(max_examples=40)
def test_proofs_come_out_of_published_tiles(size, data):
    stored = merkle.memory_nodes(HASHES[:size])
    published = {
        tiles.tile_path(level, number, width): tiles.tile_bytes(level, number, width, stored)
        for level in (0, 1)
        for number in range(3)
        if (width := tiles.tile_width(level, number, size))
    }
    node = tiles.tile_nodes(size, published.__getitem__)
    position = data.draw(st.integers(0, size - 1))
    assert merkle.tree_root(size, node) == merkle.tree_root(size, stored)
    proof = merkle.inclusion_proof(position, size, stored)
    assert merkle.inclusion_proof(position, size, node) == proof


def test_a_tile_that_is_cut_short_is_refused():
    node = tiles.tile_nodes(2, lambda _: bytes(63))
    with pytest.raises(notes.NoteError, match="cut short"):
        node(0, 1)
