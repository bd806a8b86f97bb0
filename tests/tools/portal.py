#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""portal.py PORT FOLDER: a small portal, for a TLS server in front of it.

Keeps what is published in memory; FOLDER/requests gets each request.  What
FOLDER/mode says is how it answers: good, or one of the bad ways below.
"""
import gzip
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, folder = int(sys.argv[1]), sys.argv[2]
versions = {}  # account or fingerprint: what was published, oldest first


def mode():
    with open(os.path.join(folder, "mode"), encoding="utf-8") as file:
        return file.read().split()


def response(status, description, **more):
    return {"Status": status, "StatusDescription": description, **more}


class Portal(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def send(self, status, body, kind="application/json", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer(self, name, value, status=200):
        self.send(status, json.dumps({name: value}).encode())

    def do_GET(self):
        way, *arguments = mode()
        if way == "redirect":
            self.redirect(None, *arguments)
        else:
            self.send(404, b"")

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open(os.path.join(folder, "requests"), "a",
                  encoding="utf-8") as file:
            file.write(f"{self.headers['User-Agent']} {text}\n")
        try:
            way, *arguments = mode()
            getattr(self, way)(json.loads(text), *arguments)
        except ConnectionError:
            pass  # the client has had enough

    def good(self, request, index=-1, status=200):
        if "PublishRequest" in request:
            entry = request["PublishRequest"]["Entry"]
            (signed,) = entry.values()
            for name in (signed["Identifier"],
                         request["PublishRequest"].get("Account")):
                versions.setdefault(name, []).append(entry)
            self.answer("PublishResponse", response(201, "published"))
            return
        get = request["GetRequest"]
        found = versions.get(get.get("Account", get.get("Identifier")))
        if found is None:
            self.answer("GetResponse", response(404, "no such profile"))
        else:
            self.answer("GetResponse",
                        response(201, "done", Entries=[found[int(index)]]),
                        int(status))

    # --- Bad ways ---

    def status(self, _, number):  # of HTTP
        self.send(int(number), b"sorry", "text/plain")

    def refused(self, _):  # a status of its own
        self.answer("GetResponse", response(403, "closed\x1b[2J for today"))

    def html(self, _):
        self.send(200, b"\n<!DOCTYPE html><title>Log in</title>", "text/html")

    def text(self, _):
        self.send(200, b"hello", "text/plain")

    def silent(self, _):
        self.send(200, b"")

    def nothing(self, _):
        self.answer("Answer", {})

    def no_status(self, _):
        self.answer("GetResponse", {"Status": "201"})

    def no_entries(self, _):
        self.answer("GetResponse", response(201, "done"))

    def entries(self, _, file):
        with open(file, encoding="utf-8") as f:
            self.answer("GetResponse", response(201, "", Entries=json.load(f)))

    def endless(self, _):
        self.send(200, b'{"GetResponse": {"Status": 201, "Entries": [')
        while True:
            self.wfile.write(b" " * 65536)

    def slow(self, _):
        self.send(200, b"")
        while True:
            self.wfile.write(b" ")
            time.sleep(1)

    def mute(self, _):
        time.sleep(30)

    def redirects(self, _):
        self.send(302, b"", Location=self.path + "x")

    def redirect(self, _, to):
        self.send(302, b"", Location=to)

    def bomb(self, _):
        self.send(200, gzip.compress(b" " * (100 << 20)),
                  Content_Encoding="gzip")


server = ThreadingHTTPServer(("127.0.0.1", port), Portal)
with open(os.path.join(folder, "portal.ready"), "w", encoding="utf-8"):
    pass  # the port is ours
server.serve_forever()
