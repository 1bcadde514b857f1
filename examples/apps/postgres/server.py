"""Notes in Postgres: POST / keeps the body, GET / lists what is kept. The driver is psycopg2, of Debian's python3-psycopg2."""
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2


def query(words, values=()):
    """One connection a request: it follows the server wherever DATABASE_URL leads."""
    with psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=5) as connection, connection.cursor() as cursor:
        cursor.execute(words, values)
        return cursor.fetchall() if cursor.description else []


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        try:
            self.answer(200, "".join(f"{note}\n" for note, in query("SELECT note FROM notes ORDER BY id")))
        except psycopg2.Error as error:
            self.answer(503, str(error))

    def do_POST(self):
        note = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        try:
            query("INSERT INTO notes (note) VALUES (%s)", (note,))
            self.answer(201, "kept\n")
        except psycopg2.Error as error:
            self.answer(503, str(error))


query("CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, note text NOT NULL)")
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("PORT", "5000"))), Handler).serve_forever()
