"""Prints the value of every pickle given, one line each, in the notation of CanonicalText.swift."""
import pickle
import struct
import sys


def canon(v):
    if v is None:
        return "N"
    if v is True:
        return "T"
    if v is False:
        return "F"
    if isinstance(v, int):
        if -(2**63) <= v < 2**63:
            return f"i{v}"
        return "x" + v.to_bytes((v.bit_length() + 8) // 8, "little", signed=True).hex()
    if isinstance(v, float):
        return "d" + struct.pack(">d", v).hex()
    if isinstance(v, str):
        return "s" + v.encode("utf-8").hex()
    if isinstance(v, bytearray):
        return "B" + v.hex()
    if isinstance(v, bytes):
        return "b" + v.hex()
    if isinstance(v, tuple):
        return "(" + ",".join(map(canon, v)) + ")"
    if isinstance(v, list):
        return "[" + ",".join(map(canon, v)) + "]"
    if isinstance(v, dict):
        return "{" + ",".join(canon(k) + ":" + canon(x) for k, x in v.items()) + "}"
    if isinstance(v, frozenset):
        return "<f" + ",".join(sorted(map(canon, v))) + ">"
    if isinstance(v, set):
        return "<s" + ",".join(sorted(map(canon, v))) + ">"
    raise TypeError(type(v))


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(canon(pickle.load(file)))
