#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""craft.py FILE KEY CHANGE: a changed profile, on stdout.

CHANGE is Python on the parts of a profile whose signature is RS512: payload and
header are the decoded JSON texts, signature is its object.  KEY is none,
"digest" (val is that of the changed payload, and nothing is signed), or what
openssl signs with.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


file, key, change = sys.argv[1:]
with open(file) as f:
    document = json.load(f)
data = next(iter(document.values()))["SignedData"]
signature = data["signatures"][0]
parts = {
    "payload": decode(data["payload"]).decode(),
    "header": decode(signature["protected"]).decode(),
    "signature": signature,
}
exec(change, parts)
if key != "none":
    val = encode(hashlib.sha512(parts["payload"].encode()).digest())
    parts["header"] = json.dumps({"alg": "RS512", "val": val})
data["payload"] = encode(parts["payload"].encode())
signature["protected"] = encode(parts["header"].encode())
if key not in ("none", "digest"):
    signed = subprocess.run(
        ["openssl", "dgst", "-sha512", "-sign", key],
        input=parts["header"].encode(), stdout=subprocess.PIPE, check=True,
        env=dict(os.environ, LD_PRELOAD=os.environ.get("MESH_PRELOAD", "")))
    signature["signature"] = encode(signed.stdout)
json.dump(document, sys.stdout)
