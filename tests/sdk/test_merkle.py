import base64
import hashlib
import json
from pathlib import Path

import pytest
from commonhold import index, merkle
from hypothesis import given
from hypothesis import strategies as st

DATA = Path(__file__).parent / "data"
leaf_lists = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], *, complete: bool) -> list[bytes]:
    """RFC 9162 §2.1.4.1, word for word."""
    if m == len(leaves):
        return [] if complete else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], complete=complete), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], complete=False), naive_root(leaves[:k])]


def nodes_of(leaves: list[bytes]) -> merkle.NodeReader:
    return merkle.memory_nodes([merkle.leaf_hash(leaf) for leaf in leaves])


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_streamed_root_is_the_root_of_the_specification(leaves):
    assert merkle.root(leaves) == naive_root(leaves)
    assert merkle.tree_root(len(leaves), nodes_of(leaves)) == naive_root(leaves)


@given(leaf_lists, st.data())
def test_every_leaf_is_proven_and_no_other_leaf_passes_for_it(leaves, data):
    position = data.draw(st.integers(0, len(leaves) - 1))
    root, size = naive_root(leaves), len(leaves)
    proof = merkle.inclusion_proof(position, size, nodes_of(leaves))
    assert proof == naive_path(position, leaves)
    merkle.verify_inclusion(merkle.leaf_hash(leaves[position]), position, size, proof, root)
    with pytest.raises(merkle.MerkleError):
        merkle.verify_inclusion(merkle.leaf_hash(b"another"), position, size, proof, root)
    leaf = merkle.leaf_hash(leaves[position])
    with pytest.raises(merkle.MerkleError):
        merkle.verify_inclusion(leaf, position, size, [*proof, b"x" * 32], root)


@given(leaf_lists, st.data())
def test_a_log_that_only_grew_is_consistent_and_a_rewritten_one_is_not(leaves, data):
    old_size = data.draw(st.integers(1, len(leaves)))
    size, node = len(leaves), nodes_of(leaves)
    proof = merkle.consistency_proof(old_size, size, node)
    assert proof == naive_subproof(old_size, leaves, complete=True)
    old_root, root = naive_root(leaves[:old_size]), naive_root(leaves)
    merkle.verify_consistency(old_size, size, old_root, root, proof)
    rewritten = naive_root([b"rewritten" + leaves[0], *leaves[1:old_size]])
    with pytest.raises(merkle.MerkleError):
        merkle.verify_consistency(old_size, size, rewritten, root, proof)
    for position in range(len(proof)):
        damaged = [*proof]
        damaged[position] = bytes(32)
        with pytest.raises(merkle.MerkleError):
            merkle.verify_consistency(old_size, size, old_root, root, damaged)


@given(leaf_lists)
def test_nodes_stored_while_appending_are_enough_for_every_root(leaves):
    stored: dict[tuple[int, int], bytes] = {}

    def node(level, at):
        return stored[level, at]

    for size, leaf in enumerate(leaves):
        for level, at, value in merkle.appended(size, merkle.leaf_hash(leaf), node):
            stored[level, at] = value
        root = merkle.tree_root(size + 1, node)
        assert root == naive_root(leaves[: size + 1])


def test_the_published_example_has_the_root_it_was_published_with():
    with (DATA / "files.jsonl").open("rb") as file:
        summary = index.summarize(file)
    assert summary == index.Summary(
        count=4,
        bytes=3730356,
        sha256="3e7036f23b951968b01d70a24e899377e56c8bb6fb0fe95d4ac0cf5b466f8f23",
        root="375fdd326960416c32fd8b638005ceb1ea672012ea4da4e51f29c888be1f6fbd",
    )


def test_the_published_subset_proof_verifies():
    example = json.loads((DATA / "subset-proof.json").read_text())
    proof = [base64.b64decode(value) for value in example["proof"]]
    leaf = merkle.leaf_hash(example["leaf"].encode())
    root = base64.b64decode(example["root"])
    merkle.verify_inclusion(leaf, example["index"], example["size"], proof, root)
