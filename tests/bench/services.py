"""Services against the same programs by hand, and many services against few.

By hand means: Debian's programs, as somebody would start them, by a user that is not root, on a folder of this disk.
"""
import os
import pwd
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

import commands

ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}
POLL_S = 0.02
LIMIT_S = 120


def as_nobody():
    if os.geteuid() != 0:
        return
    user = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def postgres_bin():
    return max(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name)) / "bin"


class Bare:
    """A server by hand, from nothing to the answer to the first query."""

    def __init__(self, kind, folder):
        self.kind, self.port = kind, free_port()
        self.data, self.server = folder / f"bare-{kind}", None
        self.data.mkdir()
        if os.geteuid() == 0:
            os.chown(self.data, pwd.getpwnam("nobody").pw_uid, -1)
        self.data.chmod(0o700)

    def argvs(self):
        if self.kind == "postgres":
            programs = postgres_bin()
            return ([programs / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust"],
                    [programs / "postgres", "-D", self.data, "-p", self.port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
                    [programs / "psql", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-c", "SELECT 1"])
        return (["mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal", "--skip-test-db"],
                ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--port={self.port}", "--bind-address=127.0.0.1",
                 f"--socket={self.data}/sock", f"--pid-file={self.data}/pid"],
                ["mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={self.port}", "--user=root", "--execute=SELECT 1"])

    def start(self):
        """Seconds."""
        prepare, serve, query = [[str(word) for word in argv] for argv in self.argvs()]
        quiet = {"env": ENV, "preexec_fn": as_nobody, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL,
                 "cwd": "/"}
        begun = time.perf_counter()
        subprocess.run(prepare, check=True, **quiet)
        self.server = subprocess.Popen(serve, **quiet)
        while subprocess.run(query, **quiet).returncode != 0:
            if time.perf_counter() - begun > LIMIT_S or self.server.poll() is not None:
                raise SystemExit(f"{serve} does not answer")
            time.sleep(POLL_S)
        return time.perf_counter() - begun

    def close(self):
        if self.server is not None:
            self.server.terminate()
            self.server.wait(60)
        shutil.rmtree(self.data, ignore_errors=True)


def first_queries(home, kind, folder, pairs):
    """Medians in s: by hand, and `create`, which ends with a query."""
    rows = []
    for number in range(pairs):
        bare = Bare(kind, folder)
        try:
            by_hand = bare.start()
        finally:
            bare.close()
        begun = time.perf_counter()
        home.davit(f"{kind}:create", f"bench-{number}", timeout=LIMIT_S)
        rows.append((by_hand, time.perf_counter() - begun))
        home.davit(f"{kind}:destroy", f"bench-{number}", "--force")
    return statistics.median(row[0] for row in rows), statistics.median(row[1] for row in rows)


# A row of 1 KiB that does not compress away.
FILL = {"postgres": "CREATE TABLE big (id int PRIMARY KEY, text text);\n"
                    "INSERT INTO big SELECT i, (SELECT string_agg(md5(i::text || j::text), '') FROM generate_series(1, 32) j) "
                    "FROM generate_series(1, {rows}) i;\n",
        "mysql": "CREATE TABLE big (id int PRIMARY KEY, text text) ENGINE=InnoDB;\n"
                 "INSERT INTO big SELECT seq, REPEAT(MD5(seq), 32) FROM seq_1_to_{rows};\n"}


def by_hand(kind, dsn, what, stdin=None, stdout=None, database=None):
    user, password, host, port, name = re.fullmatch(r"\w+://(\w+):(\w+)@([\d.]+):(\d+)/(\w+)", dsn).groups()
    name = database or name
    if kind == "postgres":
        env = {**ENV, "PGHOST": host, "PGPORT": port, "PGUSER": user, "PGPASSWORD": password, "PGDATABASE": name, "PGSSLMODE": "disable"}
        argv = {"dump": [postgres_bin() / "pg_dump", "-Fc", "--no-acl", "--no-owner"], "query": [postgres_bin() / "psql", "-q"],
                "load": [postgres_bin() / "pg_restore", "--exit-on-error", "--no-acl", "--no-owner", "-d", name]}[what]
    else:
        env = {**ENV, "MYSQL_PWD": password}
        common = ["--no-defaults", "--protocol=tcp", f"--host={host}", f"--port={port}", f"--user={user}"]
        argv = {"dump": ["mariadb-dump", *common, "--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob", name],
                "query": ["mariadb", *common, name], "load": ["mariadb", *common, name]}[what]
    options = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin or subprocess.DEVNULL}
    begun = time.perf_counter()
    subprocess.run([str(word) for word in argv], env=env, check=True, stdout=stdout or subprocess.DEVNULL, **options)
    return time.perf_counter() - begun


def davit_stream(home, verb, name, stdin=None, stdout=None):
    begun = time.perf_counter()
    subprocess.run([home.program, verb, name], env=home.env, check=True, stdin=stdin or subprocess.DEVNULL, stdout=stdout or subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def streams(home, kind, folder, megabytes, pairs):
    """Seconds by hand and by davit, of a dump and of a load. A new instance for each import is part of what import promises, and takes the
    same time whatever is loaded: that of an empty dump is taken off."""
    name = "stream"
    home.davit(f"{kind}:create", name)
    dsn = home.json(f"{kind}:info", name)["dsn"]
    full, empty = folder / f"{kind}.full", folder / f"{kind}.empty"
    with empty.open("wb") as out:
        davit_stream(home, f"{kind}:export", name, stdout=out)
    by_hand(kind, dsn, "query", FILL[kind].format(rows=megabytes * 1024).encode())
    dumps, loads = [], []
    for number in range(pairs):
        with full.open("wb") as out:
            hand = by_hand(kind, dsn, "dump", stdout=out)
        with full.open("wb") as out:
            dumps.append((hand, davit_stream(home, f"{kind}:export", name, stdout=out)))
        create = f"CREATE DATABASE hand{number}"
        by_hand(kind, dsn, "query", create.encode())
        with full.open("rb") as source:
            hand = by_hand(kind, dsn, "load", stdin=source, database=f"hand{number}")
        by_hand(kind, dsn, "query", f"DROP DATABASE hand{number}".encode())
        with empty.open("rb") as source:
            nothing = davit_stream(home, f"{kind}:import", name, stdin=source)
        with full.open("rb") as source:
            loads.append((hand, davit_stream(home, f"{kind}:import", name, stdin=source) - nothing))
    home.davit(f"{kind}:destroy", name, "--force")
    return {"export": [statistics.median(row[i] for row in dumps) for i in (0, 1)],
            "import": [statistics.median(row[i] for row in loads) for i in (0, 1)]}


def with_services(home, count):
    """Records only: two hundred servers would not fit this machine, and neither a list nor a link asks a server."""
    store = sqlite3.connect(home.path / "davit.db")
    with store:
        have = store.execute("SELECT count(*) FROM services WHERE kind = 'mysql' AND destroyed_at_ms IS NULL").fetchone()[0]
        for number in range(have, count):
            service = store.execute(
                "INSERT INTO services (kind, name, created_at_ms, runtime, state, port, generation, last_generation, scheme, alias, username,"
                " password, database) VALUES ('mysql', ?, 1, 'process', 'stopped', ?, 1, 1, 'mysql', 'DATABASE', 'mysql', 'x', 'x')",
                (f"listed-{number:03}", 1000 + number)).lastrowid
            store.execute("INSERT INTO service_generations (service, number, version, made_at_ms, made_by) VALUES (?, 1, 'x', 1, 'create')", (service,))
    store.close()
    if len(home.json("mysql:list")) != count:
        raise SystemExit("davit does not see the services that the bench made")


def among(home, app, count, rounds):
    """Medians in ms of a list and of a link among so many services."""
    with_services(home, count)
    program = str(home.program)
    lists, links = [], []
    for _ in range(rounds):
        lists.append(commands.spawn_ms([program, "mysql:list"], home.env))
        links.append(commands.spawn_ms([program, "mysql:link", "listed-000", app, "--no-restart"], home.env))
        home.davit("mysql:unlink", "listed-000", app, "--no-restart")
    return {"list_ms": statistics.median(lists), "link_ms": statistics.median(links)}


def measure(home, app, folder, quick):
    result = {"first": {}, "streams": {}, "among": {}}
    pairs, megabytes = (1, 16) if quick else (5, 300)  # large: throughput is asked for, and what is fixed would hide it
    for kind in ("postgres", "mysql"):
        result["first"][kind] = first_queries(home, kind, folder, 1 if quick else 5)
        result["streams"][kind] = streams(home, kind, folder, megabytes, pairs)
    for count in (5, 200):
        result["among"][count] = among(home, app, count, 5 if quick else 40)
    result["megabytes"] = megabytes
    return result


def add_goals(goals, result):
    for kind, (hand, davit) in result["first"].items():
        goals.add(f"{kind}:create to the first query, against 1.2 × by hand + 0.3 s", davit / (1.2 * hand + 0.3), 1, " ×")
    for kind, rows in result["streams"].items():
        for verb, (hand, davit) in rows.items():
            goals.add(f"{kind}:{verb} of {result['megabytes']} MB, time against by hand", davit / hand, 1.11, " ×")
    for word in ("list", "link"):
        few, many = (result["among"][count][f"{word}_ms"] for count in (5, 200))
        goals.add(f"mysql:{word} with 200 services, against 5", many / few, 1.2, " ×")


def rows(result):
    """For the page: what, by hand or with few, by davit or with many."""
    found = [[f"{kind}:create", f"{hand:.2f} s", f"{davit:.2f} s"] for kind, (hand, davit) in result["first"].items()]
    for kind, verbs in result["streams"].items():
        found += [[f"{kind}:{verb}, {result['megabytes']} MB", f"{hand:.2f} s", f"{davit:.2f} s"] for verb, (hand, davit) in verbs.items()]
    few, many = result["among"][5], result["among"][200]
    return found + [[f"mysql:{word}, 5 and 200 services", f"{few[word + '_ms']:.1f} ms", f"{many[word + '_ms']:.1f} ms"] for word in ("list", "link")]
