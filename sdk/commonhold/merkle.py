"""The Merkle tree of RFC 9162 §2.1 over SHA-256: roots, inclusion and consistency proofs.

A node (level, index) is the hash over the leaves [index·2^level, (index+1)·2^level); only such
complete nodes are ever stored, so a log reads O(log n) of them for a proof, from any storage.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from commonhold.errors import CommonholdError
from commonhold.sentences import _

EMPTY_ROOT = hashlib.sha256(b"").digest()
NodeReader = Callable[[int, int], bytes]


class MerkleError(CommonholdError):
    """A proof that does not prove, or a question that the tree can't answer."""

    code = "merkle-proof-invalid"
    status = 422


def leaf_hash(data: bytes) -> bytes:
    """Return HASH(0x00 ‖ data), 32 bytes (RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return HASH(0x01 ‖ left ‖ right), 32 bytes (RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


class RootBuilder:
    """Computes a root from a stream of leaves with a stack of O(log n) hashes."""

    def __init__(self) -> None:
        self.size = 0
        self._stack: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Add one leaf, given as its data (not its hash)."""
        node, size = leaf_hash(data), self.size
        while size & 1:
            node, size = node_hash(self._stack.pop(), node), size >> 1
        self._stack.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root so far; SHA-256 of nothing for the empty tree."""
        if not self._stack:
            return EMPTY_ROOT
        node = self._stack[-1]
        for left in reversed(self._stack[:-1]):
            node = node_hash(left, node)
        return node


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf data, streamed (RFC 9162 §2.1.1)."""
    builder = RootBuilder()
    for leaf in leaves:
        builder.add(leaf)
    return builder.root()


def appended(size: int, new_leaf_hash: bytes, node: NodeReader) -> list[tuple[int, int, bytes]]:
    """Return the (level, index, hash) of every node completed by appending to `size` leaves.

    `node` reads nodes that are already stored; the new ones are the caller's to store.
    """
    level, index, value = 0, size, new_leaf_hash
    nodes = [(level, index, value)]
    while index & 1:
        value = node_hash(node(level, index - 1), value)
        level, index = level + 1, index >> 1
        nodes.append((level, index, value))
    return nodes


def _range_hash(start: int, end: int, node: NodeReader) -> bytes:
    """Return MTH(D[start:end]); `start` is aligned as in every subtree of the RFC's tree."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    split = start + (1 << (size - 1).bit_length() - 1)
    return node_hash(_range_hash(start, split, node), _range_hash(split, end, node))


def tree_root(size: int, node: NodeReader) -> bytes:
    """Return the root of the first `size` leaves from stored nodes."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Return PATH(index, D[0:size]), leaf to root (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        sentence = _(
            "Leaf %(index)s is not in a tree of %(size)s leaves, so there is no proof for it."
        )
        raise MerkleError(sentence, index=index, size=size)
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + (1 << (end - start - 1).bit_length() - 1)
        if index < split:
            proof.append(_range_hash(split, end, node))
            end = split
        else:
            proof.append(_range_hash(start, split, node))
            start = split
    return proof[::-1]


def consistency_proof(old_size: int, size: int, node: NodeReader) -> list[bytes]:
    """Return PROOF(old_size, D[0:size]) (RFC 9162 §2.1.4.1); empty when the sizes are equal."""
    if not 0 < old_size <= size:
        sentence = _("A tree of %(size)s leaves has no consistency proof from %(before)s leaves.")
        raise MerkleError(sentence, size=size, before=old_size)
    proof: list[bytes] = []
    start, end, whole = 0, size, True
    while old_size != end:
        split = start + (1 << (end - start - 1).bit_length() - 1)
        if old_size <= split:
            proof.append(_range_hash(split, end, node))
            end = split
        else:
            proof.append(_range_hash(start, split, node))
            start, whole = split, False
    if not whole:
        proof.append(_range_hash(start, end, node))
    return proof[::-1]


def memory_nodes(leaf_hashes: Sequence[bytes]) -> NodeReader:
    """Return a node reader over leaf hashes held in memory, for small trees."""
    levels = [list(leaf_hashes)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(
            [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)],
        )
    return lambda level, index: levels[level][index]


def root_from_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that `proof` gives for a leaf hash (RFC 9162 §2.1.3.2); MerkleError if short.

    Callers that only know the root from here must check it against a signed one.
    """
    if not 0 <= index < size:
        sentence = _("The proof is for leaf %(index)s of %(size)s, which can't be.")
        raise MerkleError(sentence, index=index, size=size)
    position, last, value = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise MerkleError(_("The inclusion proof is longer than the tree is high."))
        if position & 1 or position == last:
            value = node_hash(step, value)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            value = node_hash(value, step)
        position, last = position >> 1, last >> 1
    if last:
        raise MerkleError(_("The inclusion proof is shorter than the tree is high."))
    return value


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes
) -> None:
    """Check that the leaf hash is leaf `index` of the tree (RFC 9162 §2.1.3.2), or MerkleError."""
    if root_from_proof(leaf, index, size, proof) != expected_root:
        raise MerkleError(
            _("The inclusion proof leads to another root: this entry is not in that log.")
        )


def verify_consistency(
    old_size: int, size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree only grew (RFC 9162 §2.1.4.2), or MerkleError."""
    if not 0 < old_size <= size:
        sentence = _("A tree of %(size)s leaves can't be the later state of one of %(before)s.")
        raise MerkleError(sentence, size=size, before=old_size)
    if old_size == size:
        _require(not proof and old_root == new_root)
        return
    path = [*([old_root] if old_size & (old_size - 1) == 0 else []), *proof]
    _require(bool(path))
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        _require(last != 0)
        if position & 1 or position == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, step)
        position, last = position >> 1, last >> 1
    _require(last == 0 and old == old_root and new == new_root)


def _require(consistent: bool) -> None:  # noqa: FBT001
    if not consistent:
        raise MerkleError(
            _("The consistency proof fails: the log was rewritten, or the proof was damaged.")
        )
