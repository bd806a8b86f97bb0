#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dns.py ADDRESS NAME=RECORD...: a name server on port 53 of ADDRESS.

RECORD is an IPv4 address, or the SRV record PRIORITY,WEIGHT,PORT,TARGET, or
SRV:HEX, its octets.  Other names do not exist.
"""
import socket
import struct
import sys

A, SRV = 1, 33


def encode(name):
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(text):
    if text.startswith("SRV:"):
        return SRV, bytes.fromhex(text[4:])
    if "," not in text:
        return A, socket.inet_aton(text)
    *numbers, target = text.split(",")
    return SRV, struct.pack("!HHH", *map(int, numbers)) + encode(target)


records = [(name, *record(text))
           for name, text in (word.split("=") for word in sys.argv[2:])]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 53))
while True:
    query, peer = server.recvfrom(4096)
    end, labels = 12, []
    while query[end]:
        labels.append(query[end + 1:end + 1 + query[end]].decode())
        end += 1 + query[end]
    kind, = struct.unpack("!H", query[end + 1:end + 3])
    found = [data for name, type_, data in records
             if name == ".".join(labels).lower() and type_ == kind]
    exists = any(name == ".".join(labels).lower() for name, *_ in records)
    answer = query[:2] + struct.pack("!HHHHH", 0x8180 if exists else 0x8183, 1,
                                     len(found), 0, 0) + query[12:end + 5]
    for data in found:
        answer += struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(data)) + data
    server.sendto(answer, peer)
