"""Notes in MySQL: POST / keeps the body, GET / lists what is kept. The driver is PyMySQL, of Debian's python3-pymysql."""
import os
import signal
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pymysql


def query(words, values=()):
    """One connection a request: it follows the server wherever DATABASE_URL leads."""
    url = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
    connection = pymysql.connect(host=url.hostname, port=url.port, user=urllib.parse.unquote(url.username),
                                 password=urllib.parse.unquote(url.password), database=url.path[1:], charset="utf8mb4",
                                 connect_timeout=5, autocommit=True)
    with connection, connection.cursor() as cursor:
        cursor.execute(words, values)
        return cursor.fetchall()


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
        except pymysql.Error as error:
            self.answer(503, str(error))

    def do_POST(self):
        note = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        try:
            query("INSERT INTO notes (note) VALUES (%s)", (note,))
            self.answer(201, "kept\n")
        except pymysql.Error as error:
            self.answer(503, str(error))


query("CREATE TABLE IF NOT EXISTS notes (id int AUTO_INCREMENT PRIMARY KEY, note text NOT NULL)")
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("PORT", "5000"))), Handler).serve_forever()
