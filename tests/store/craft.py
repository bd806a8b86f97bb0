#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""craft.py FILE SIGNER CHANGE: a profile with a change, on stdout.

CHANGE is Python that alters payload (JSON text), signature (one of
"signatures") or outer (the object below the tag).  SIGNER is what openssl signs
with (RS512); "digest": only val follows the payload; "none": not even that.
"""
import base64
import json
import os
import subprocess
import sys


def decode(text):
    return base64.urlsafe_b64decode(text + "==")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl_dgst(data, *options):
    # Not hashlib: it would load the provider into this program.
    preload = os.environ.get("MESH_PRELOAD", "")
    return subprocess.run(
        ["openssl", "dgst", "-sha512", *options], input=data, check=True,
        env=dict(os.environ, LD_PRELOAD=preload), stdout=subprocess.PIPE).stdout


file, signer, change = sys.argv[1:]
with open(file, encoding="utf-8") as f:
    document = json.load(f)
(outer,) = document.values()
data = outer["SignedData"]
signature = data["signatures"][0]
payload = decode(data["payload"]).decode()
exec(change)
data["payload"] = encode(payload.encode())
if signer != "none":
    val = encode(openssl_dgst(payload.encode(), "-binary"))
    header = json.dumps({"alg": "RS512", "val": val}).encode()
    signature["protected"] = encode(header)
if signer not in ("none", "digest"):
    signature["signature"] = encode(openssl_dgst(header, "-sign", signer))
json.dump(document, sys.stdout)
