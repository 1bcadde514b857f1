"""Answers, and writes a line to stdout for each tick and one to stderr for each fifth."""
import itertools
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"Look at the logs\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def tick(stop):
    for number in itertools.count(1):
        print(f"tick {number}", flush=True)
        if number % 5 == 0:
            print(f"five ticks more: {number}", file=sys.stderr, flush=True)
        if stop.wait(timeout=1):
            return


threading.Thread(target=tick, args=(threading.Event(),), daemon=True).start()
ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("PORT", "5000"))), Handler).serve_forever()
