#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""search_memory.py PID [--text TEXT] KEY.pem...

Reads the memory of a process and counts the pieces of private keys in it: of
d, p, q, the exponents and the coefficient of RSA, the scalar of EC, the private
octets and the seeds of others, every 16 in a row, most significant octet first
and last (as libcrypto's numbers lie); and of the text.  Prints what was found; the status is 0 if there was
anything, 1 if nothing."""

import re
import subprocess
import sys

PIECE = 16
PAGE = 4096
SECRET = re.compile(
    r'^(privateExponent|prime1|prime2|exponent1|exponent2|coefficient|priv|seed|dk):'
    r'\s*\n((?:\s+[0-9a-f:]+\n)+)', re.MULTILINE)


def secrets(path):
    text = subprocess.run(['openssl', 'pkey', '-in', path, '-noout', '-text'],
                          check=True, capture_output=True, text=True).stdout
    for name, digits in SECRET.findall(text):
        octets = bytes.fromhex(re.sub(r'[\s:]', '', digits)).lstrip(b'\0')
        yield name, 'big-endian', octets
        yield name, 'little-endian', octets[::-1]


def memory(pid):
    with open(f'/proc/{pid}/maps') as maps, \
            open(f'/proc/{pid}/mem', 'rb', buffering=0) as mem:
        for line in maps:
            area, access, *rest = line.split()
            if access[:2] != 'rw':
                continue
            start, end = (int(n, 16) for n in area.split('-'))
            try:
                mem.seek(start)
                data = mem.read(end - start)
            except OSError:
                continue
            # most of it was never used
            yield line.rstrip(), b''.join(
                data[i:i + PAGE] for i in range(0, len(data), PAGE)
                if data.count(0, i, i + PAGE) < PAGE)


def main():
    pid, *paths = sys.argv[1:]
    text = []
    if paths[0] == '--text':
        text = [('text', paths[1], 'as it is', paths[1].encode())]
        paths = paths[2:]
    wanted = [(path, *secret) for path in paths for secret in secrets(path)]
    if not wanted:
        sys.exit('no private key to look for')
    areas = list(memory(int(pid)))
    if sum(len(data) for _, data in areas) < 100000:
        sys.exit('the memory cannot be read')
    found = False
    for path, name, order, octets in wanted + text:
        for area, data in areas:
            n = sum(data.count(octets[i:i + PIECE])
                    for i in range(0, max(len(octets) - PIECE + 1, 1), PIECE))
            if n:
                found = True
                print(f'{path}: {name} ({order}): {n} pieces in {area}')
    return 0 if found else 1


if __name__ == '__main__':
    sys.exit(main())
