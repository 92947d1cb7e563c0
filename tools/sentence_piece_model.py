"""A small SentencePiece model: byte-pair merges learned from a text, written as LLaMA's tokenizer.model.

Byte pieces, a space put before the text, white space kept, no normalisation; <unk>, <s>, </s> are 0, 1, 2 and
there is no padding. Standard library only; the same text gives the same bytes.
"""

import collections
import re
import struct

SPACE = "\u2581"
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
BPE = 2
# No piece holds letters and marks together, and none two digits.
RUN = re.compile(f"{SPACE}?(?:[^\\W\\d_]+|\\d|[^\\w\\s{SPACE}]+|_)")


def _learn_merges(text, num_merges):
    """Pieces of two or more characters, the first learned first."""
    words = collections.Counter(run for word in text.split() for run in RUN.findall(SPACE + word))
    parts = {word: tuple(word) for word in words}
    merges = []
    while len(merges) < num_merges:
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in zip(parts[word], parts[word][1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        piece = best[0] + best[1]
        if piece not in merges:
            merges.append(piece)
        for word, split in parts.items():
            joined, i = [], 0
            while i < len(split):
                is_pair = split[i:i + 2] == best
                joined.append(piece if is_pair else split[i])
                i += 2 if is_pair else 1
            parts[word] = tuple(joined)
    return merges


def _varint(number):
    number &= (1 << 64) - 1
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _bytes(field, value):
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _piece(text, score, kind):
    return _bytes(1, _bytes(1, text.encode()) + _varint(2 << 3 | 5) + struct.pack("<f", score) + _number(3, kind))


def train(text, num_pieces):
    """The bytes of a model of at most `num_pieces` pieces, and their number."""
    characters = sorted(set("".join(text.split())) | set(map(chr, range(33, 127))) | {SPACE})
    fixed = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    fixed += [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    merges = _learn_merges(text, num_pieces - len(fixed) - len(characters))
    pieces = [_piece(name, 0, kind) for name, kind in fixed]
    pieces += [_piece(name, -rank, NORMAL) for rank, name in enumerate(merges + characters)]
    # Numbers of the fields: sentencepiece_model.proto.
    trainer = _number(3, BPE) + _number(4, len(pieces)) + _number(35, 1)
    trainer += _number(40, 0) + _number(41, 1) + _number(42, 2) + _number(43, -1)
    normalizer = _bytes(1, b"identity") + _number(3, 1) + _number(4, 0) + _number(5, 1)
    return b"".join(pieces) + _bytes(2, trainer) + _bytes(3, normalizer), len(pieces)


def count_pieces(model):
    """Of a model's bytes."""
    num_pieces, at = 0, 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = model[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(model):
        key = varint()
        if key & 7 != 2:
            raise ValueError("no SentencePiece model")
        num_pieces += key >> 3 == 1
        length = varint()
        at += length
    return num_pieces
