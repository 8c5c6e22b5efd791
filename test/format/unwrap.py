#!/usr/bin/env python3
"""AES-256 key unwrap (RFC 3394), block by block with openssl's AES-256-ECB.

unwrap.py KEK_HEX < WRAPPED_HEX    prints the data key as hex, or fails

The one-liner `openssl enc -d -id-aes256-wrap` does the same, but OpenSSL 3.5 no
longer takes wrap ciphers there.
"""
import subprocess
import sys

INITIAL_VALUE = b"\xa6" * 8


def decrypt_block(kek, block):
    """One block of AES-256."""
    return subprocess.run(["openssl", "enc", "-d", "-aes-256-ecb", "-nopad", "-K", kek.hex()],
                          input=block, stdout=subprocess.PIPE, check=True).stdout


def unwrap(kek, wrapped):
    """RFC 3394, 2.2.2, as it stands there; None where the wrapped key is not intact."""
    blocks = [wrapped[at:at + 8] for at in range(0, len(wrapped), 8)]
    a, r = blocks[0], blocks[1:]
    n = len(r)
    for j in range(5, -1, -1):
        for i in range(n, 0, -1):
            mixed = int.from_bytes(a, "big") ^ (n * j + i)
            block = decrypt_block(kek, mixed.to_bytes(8, "big") + r[i - 1])
            a, r[i - 1] = block[:8], block[8:]
    return b"".join(r) if a == INITIAL_VALUE else None


if __name__ == "__main__":
    dek = unwrap(bytes.fromhex(sys.argv[1]), bytes.fromhex(sys.stdin.read().strip()))
    if dek is None:
        sys.exit("the wrapped key is not intact, or the master key is another")
    print(dek.hex())
