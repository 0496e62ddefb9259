"""The tree and the signatures, against published vectors and by their properties."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from readerstudy.record.merkle import Tree
from readerstudy.record.verifier import (
    EMPTY_ROOT,
    is_consistent,
    is_included,
    is_signed,
    leaf_hash,
    root_of,
    roots_at,
)

# From the reference implementation of RFC 6962 (google/certificate-transparency, merkle_tree_test.cc).
DATA = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# RFC 8032, 7.1: public key, message, signature.
SIGNED = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
]
counts = st.integers(min_value=1, max_value=40)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def flipped(data: bytes, position: int) -> bytes:
    position %= len(data)
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference(size):
    hashes = [leaf_hash(bytes.fromhex(text)) for text in DATA]
    assert root_of(hashes[:size]).hex() == ROOTS[size]
    assert Tree(hashes).root(size).hex() == ROOTS[size]
    assert roots_at(hashes, {size}) == {size: bytes.fromhex(ROOTS[size])}


@given(counts, st.data())
def test_an_entry_is_proved_and_no_other_is(count, data):
    size, index = data.draw(st.integers(1, count)), data.draw(st.integers(0, count - 1)) % count
    index %= size
    tree = Tree(leaves(count))
    root, proof, leaf = tree.root(size), tree.inclusion_proof(index, size), tree.leaves[index]
    assert is_included(leaf, index=index, size=size, proof=proof, root=root)
    assert not is_included(flipped(leaf, 3), index=index, size=size, proof=proof, root=root)
    assert not is_included(leaf, index=(index + 1) % size if size > 1 else 1, size=size, proof=proof, root=root)
    assert not is_included(leaf, index=index, size=size, proof=[*proof, EMPTY_ROOT], root=root)
    if proof:
        assert not is_included(leaf, index=index, size=size, proof=proof[:-1], root=root)


@given(counts, st.data())
def test_a_later_tree_is_proved_to_begin_with_an_earlier(count, data):
    first = data.draw(st.integers(0, count))
    tree = Tree(leaves(count))
    proof = tree.consistency_proof(first, count)
    values = {"first": first, "second": count, "second_root": tree.root(), "proof": proof}
    assert is_consistent(first_root=tree.root(first), **values)
    assert not is_consistent(first_root=flipped(tree.root(first), 5), **values)
    if first:
        rewritten = Tree([flipped(tree.leaves[0], 1), *tree.leaves[1:]])
        values["second_root"] = rewritten.root()
        assert not is_consistent(first_root=tree.root(first), **values)


@pytest.mark.parametrize(("public_key", "message", "signature"), SIGNED)
def test_signatures_of_the_standard_are_valid(public_key, message, signature):
    values = {"signature": bytes.fromhex(signature), "public_key": bytes.fromhex(public_key)}
    assert is_signed(bytes.fromhex(message), **values)
    assert not is_signed(bytes.fromhex(message) + b"x", **values)


@settings(max_examples=20)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40), st.integers(0, 95))
@example(bytes(32), b"", 63)
def test_signatures_are_judged_as_the_library_judges_them(seed, message, position):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    signature = key.sign(message)
    assert is_signed(message, signature=signature, public_key=public)
    damaged = flipped(signature + public, position)
    signature, public = damaged[:64], damaged[64:]
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        expected = True
    except (InvalidSignature, ValueError):
        expected = False
    assert is_signed(message, signature=signature, public_key=public) == expected
