"""What goes wrong around a database: servers that are slow or do not start, dumps that would lock us out, two commands at once. Before and after, rows are counted and summed up."""
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import threading
import unittest
from pathlib import Path

import harness
from harness import wait_for

SUM = b"\\t on\n\\a\nSELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM t;\n"
RSS_KB = 64 * 1024


class Faults(harness.HomeTest):
    def service(self, verb, *words, **options):
        return self.home.davit(f"postgres:{verb}", *words, **options)

    def run_sql(self, name, text, **options):
        return self.service("connect", name, input=text.encode(), **options)

    def sum_of(self, name):
        return self.service("connect", name, input=SUM).stdout.split()[-1]

    def filled(self, name, rows):
        """Rows of 1 KiB, and their sum."""
        self.service("create", name)
        self.run_sql(name, "CREATE TABLE t (i int PRIMARY KEY, text text); INSERT INTO t SELECT i, (SELECT string_agg(md5(i::text || j::text), '') "
                           f"FROM generate_series(1, 32) j) FROM generate_series(1, {rows}) i;\n")
        return self.sum_of(name)

    def background(self, verb, *words, stdin=None):
        return subprocess.Popen([str(harness.DAVIT), f"postgres:{verb}", *words], env=self.home.env, stdin=stdin or subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def export(self, name):
        file = self.home.folder / f"{name}.dump"
        with file.open("wb") as out:
            subprocess.run([str(harness.DAVIT), "postgres:export", name], env=self.home.env, stdout=out, check=True, timeout=harness.DEADLINE_S)
        return file

    def client_of(self, name, program):
        """The pid of a program that works on a service, whichever of its servers; it is in a sandbox, and known by its environment."""
        database = f"PGDATABASE={name}".encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and (entry / "comm").read_text().strip() == program and database in (entry / "environ").read_bytes().split(b"\0"):
                    return int(entry.name)
        return None

    def test_a_server_that_starts_slowly_is_waited_for(self):
        before = self.filled("slow", 10)
        self.service("stop", "slow")
        data = self.home.json("postgres:info", "slow")["data_dir"]
        # Whoever is to start it finds a server that does nothing until we let it.
        starts = self.background("start", "slow")
        pid = wait_for(lambda: self.home.json("postgres:info", "slow")["pid"], "the server's process")
        os.kill(pid, signal.SIGSTOP)
        asks = self.background("connect", "slow")
        self.assertIsNone(asks.poll())
        os.kill(pid, signal.SIGCONT)
        self.assertEqual((0, 0), (starts.wait(harness.DEADLINE_S), asks.wait(harness.DEADLINE_S)), starts.stdout.read() + asks.stdout.read())
        self.assertEqual(before, self.sum_of("slow"))
        with self.subTest("and one that never starts says why"):
            self.service("stop", "slow")
            control = Path(data) / "global" / "pg_control"
            control.rename(control.with_suffix(".away"))
            done = self.service("start", "slow", check=False)
            self.assert_exit(1, done, "The server of postgres slow ended with", "pg_control", "See: davit postgres:logs slow")
            control.with_suffix(".away").rename(control)
            self.service("start", "slow")
            self.assertEqual(before, self.sum_of("slow"))

    def test_a_dump_with_another_password_locks_nobody_out(self):
        self.filled("locked", 3)
        self.service("import", "locked", input=b"ALTER ROLE postgres PASSWORD 'theirs';\nCREATE TABLE t (i int);\nINSERT INTO t VALUES (1);\n")
        self.assertTrue(self.sum_of("locked").startswith("1|"))
        for name, script in (("mysql", b"ALTER USER 'mysql'@'%' IDENTIFIED BY 'theirs';\nFLUSH PRIVILEGES;\n"),):
            self.home.davit(f"{name}:create", "locked")
            self.home.davit(f"{name}:connect", "locked", input=b"CREATE TABLE t (i int); INSERT INTO t VALUES (5);\n")
            done = self.home.davit(f"{name}:import", "locked", input=script, check=False)
            self.assert_exit(1, done, "The first query after the load failed")
            self.assertIn("5", self.home.davit(f"{name}:connect", "locked", input=b"SELECT i FROM t;\n").stdout)
            self.home.davit(f"{name}:destroy", "locked", "--force")
        self.service("destroy", "locked", "--force")

    def test_a_ctrl_c_leaves_what_was_there(self):
        before = self.filled("stays", 40_000)
        dump = self.export("stays")
        root = Path(self.home.json("postgres:info", "stays")["data_dir"]).parent.parent
        for verb, program in (("import", "pg_restore"), ("upgrade", "pg_dump")):
            with self.subTest(verb), dump.open("rb") as source:
                work = subprocess.Popen([str(harness.DAVIT), "--force", f"postgres:{verb}", "stays"], env=self.home.env, stdin=source,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
                wait_for(lambda: self.client_of("stays", program), program)
                os.killpg(work.pid, signal.SIGINT)
                said = work.communicate(timeout=harness.DEADLINE_S)[0]
                self.assertEqual(1, work.returncode, said)
                self.assertIn("Cancelled", said)
                self.assertEqual("running", self.home.json("postgres:info", "stays")["state"])
                self.assertEqual(["g1"], sorted(folder.name for folder in root.glob("g*")))
                self.assertEqual(before, self.sum_of("stays"))
        self.service("destroy", "stays", "--force")

    def test_a_destroy_waits_for_the_backup(self):
        before = self.filled("busy", 40_000)
        backs_up = self.background("backup", "busy")
        dump = wait_for(lambda: self.client_of("busy", "pg_dump"), "the dump")
        os.kill(dump, signal.SIGSTOP)
        destroys = self.background("destroy", "busy", "--force")
        next(line for line in destroys.stdout if "Waiting for postgres:backup busy to finish" in line)
        os.kill(dump, signal.SIGCONT)
        said = backs_up.communicate(timeout=harness.DEADLINE_S)[0]
        self.assertEqual(0, backs_up.returncode, said)
        self.assertEqual(0, destroys.wait(harness.DEADLINE_S))
        destroys.stdout.close()
        self.service("create", "again")
        self.service("import", "again", input=Path(said.splitlines()[-1]).read_bytes())
        self.assertEqual(before, self.sum_of("again"))


class Deaths(harness.HomeTest):
    """What dies while data are dumped or loaded: whatever it is, the old data serve, and nothing else is left."""

    FILL = {"postgres": "CREATE TABLE t (i int PRIMARY KEY, text text);\n"
                        "INSERT INTO t SELECT i, (SELECT string_agg(md5(i::text || j::text), '') FROM generate_series(1, 32) j) FROM generate_series(1, 20000) i;\n",
            "mysql": "CREATE TABLE t (i int PRIMARY KEY, text text) ENGINE=InnoDB;\nINSERT INTO t SELECT seq, REPEAT(MD5(seq), 32) FROM seq_1_to_20000;\n"}
    SUM = {"postgres": "\\t on\n\\a\nSELECT count(*), sum(hashtext(t::text)::bigint) FROM t;\n",
           "mysql": "SELECT COUNT(*), SUM(CRC32(CONCAT_WS(',', i, text))) FROM t;\n"}
    CLIENTS = {"postgres": {"load": "pg_restore", "dump": "pg_dump"}, "mysql": {"load": "mariadb", "dump": "mariadb-dump"}}

    def service(self, verb, name, *words, **options):
        return self.home.davit(f"{self.kind}:{verb}", name, *words, **options)

    def state(self, name):
        """All that must be as before: rows and their sum, the address, what serves, and the folders of generations."""
        info = self.home.json(f"{self.kind}:info", name)
        rows = self.service("connect", name, input=self.SUM[self.kind].encode()).stdout.splitlines()[-1]
        folders = sorted(folder.name for folder in Path(info["data_dir"]).parent.parent.glob("g*"))
        return rows, info["dsn"], info["state"], info["generations"], folders

    def background(self, verb, name, *words, stdin=subprocess.DEVNULL):
        return subprocess.Popen([str(harness.DAVIT), "--force", f"{self.kind}:{verb}", name, *words], env=self.home.env, stdin=stdin,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def frozen(self, role, name):
        """The pid of the program that dumps or loads; it stands still."""
        program, database = self.CLIENTS[self.kind][role], name.encode()

        def find():
            for entry in Path("/proc").iterdir():
                with contextlib.suppress(OSError):
                    if entry.name.isdigit() and (entry / "comm").read_text().strip() == program:
                        words = (entry / "cmdline").read_bytes().split(b"\0") + (entry / "environ").read_bytes().split(b"\0")
                        if (database in words or b"PGDATABASE=" + database in words) and b"--batch" not in words:  # that is a probe of mysql
                            return int(entry.name)
            return None
        pid = wait_for(find, program)
        os.kill(pid, signal.SIGSTOP)
        return pid

    def server_of(self, client):
        """The pid of the server that a client is connected to."""
        words = Path(f"/proc/{client}/cmdline").read_bytes().split(b"\0") + Path(f"/proc/{client}/environ").read_bytes().split(b"\0")
        port = next(word.split(b"=")[1].decode() for word in words if word.startswith((b"PGPORT=", b"--port=")))
        said = subprocess.run(["ss", "-Hltnp", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
        return int(said.split("pid=")[1].split(",")[0])

    def fails(self, work, *parts):
        said = work.communicate(timeout=harness.DEADLINE_S)[0].decode(errors="replace")
        self.assertEqual(1, work.returncode, said[-2000:])
        for part in parts:
            self.assertIn(part, said)

    def power_fails(self):
        def all_dead():  # one that lives a moment longer than what it supervises starts that again
            pids = self.home.pids()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not pids

        wait_for(all_dead, "the end of all processes")
        self.home.davit("system:start")

    def prepared(self, kind, name):
        self.kind = kind
        self.service("create", name)
        self.service("connect", name, input=self.FILL[kind].encode())
        dump = self.home.folder / f"{kind}-{name}.dump"
        with dump.open("wb") as out:
            subprocess.run([str(harness.DAVIT), f"{kind}:export", name], env=self.home.env, stdout=out, check=True, timeout=harness.DEADLINE_S)
        return dump, self.state(name)

    def while_it_loads(self, kind):
        dump, before = self.prepared(kind, "loads")
        for verb in ("import", "upgrade"):
            with self.subTest(f"{verb}: the loader is killed"), dump.open("rb") as source:
                work = self.background(verb, "loads", stdin=source)
                os.kill(self.frozen("load", "loads"), signal.SIGKILL)
                self.fails(work, "Loading the data failed")
                self.assertEqual(before, self.state("loads"))
            with self.subTest(f"{verb}: the new server is killed"), dump.open("rb") as source:
                work = self.background(verb, "loads", stdin=source)
                loader = self.frozen("load", "loads")
                os.kill(self.server_of(loader), signal.SIGKILL)
                os.kill(loader, signal.SIGCONT)
                self.fails(work, "failed")
                self.assertEqual(before, self.state("loads"))
            with self.subTest(f"{verb}: the power fails"), dump.open("rb") as source:
                work = self.background(verb, "loads", stdin=source)
                loader = self.frozen("load", "loads")
                self.power_fails()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(loader, signal.SIGKILL)
                work.communicate(timeout=harness.DEADLINE_S)
                self.assertEqual(before, self.state("loads"))
        with self.subTest("and then it works"):
            self.service("upgrade", "loads", "--force")
            self.assertEqual(before[:3], self.state("loads")[:3])
        self.service("destroy", "loads", "--force")

    def test_while_it_loads_postgres(self):
        self.while_it_loads("postgres")

    def test_while_it_loads_mysql(self):
        self.while_it_loads("mysql")

    def test_an_upgrade_that_dies_at_any_point(self):
        for kind in ("postgres", "mysql"):
            _, before = self.prepared(kind, "dies")
            points = ("upgrade:aside", "build:raised", "switch:stopped", "switch:recorded")
            for point, then in itertools.product(points, ("it goes on", "the power fails")):
                with self.subTest(f"{kind}, {point}, {then}"):
                    self.assertNotEqual(0, self.service("upgrade", "dies", "--force", check=False, env={"DAVIT_FAILPOINT": point}).returncode)
                    if then == "the power fails":
                        self.power_fails()
                    rows, dsn, state, generations, folders = self.state("dies")
                    self.assertEqual(before[:3], (rows, dsn, state))
                    self.assertEqual(folders, [f"g{one['number']}" for one in generations], "what no record names is gone")
            self.service("destroy", "dies", "--force")

    def test_a_server_that_dies_while_it_is_dumped(self):
        for kind in ("postgres", "mysql"):
            dump, before = self.prepared(kind, "dumps")
            backups = self.home.path / "backups" / kind / "dumps"
            for verb in ("export", "backup", "clone"):
                with self.subTest(f"{kind}, {verb}"):
                    work = self.background(verb, "dumps", *(["copy"] if verb == "clone" else []))
                    dumper = self.frozen("dump", "dumps")
                    os.kill(self.home.json(f"{kind}:info", "dumps")["pid"], signal.SIGKILL)
                    os.kill(dumper, signal.SIGCONT)
                    self.fails(work, "dump")
                    wait_for(lambda: self.service("connect", "dumps", input=b"SELECT 1;\n", check=False).returncode == 0, "the server again", 60)
                    self.assertEqual(before, self.state("dumps"))
                    self.assertEqual([], list(backups.glob("*")))
                    self.assert_exit(1, self.service("exists", "copy", check=False))
            self.service("destroy", "dumps", "--force")

    def test_a_dump_that_is_cut_anywhere(self):
        for kind in ("postgres", "mysql"):
            dump, before = self.prepared(kind, "cut")
            whole = {kind: dump.read_bytes()}
            if kind == "postgres":
                name = self.home.json("postgres:info", "cut")
                whole["plain"] = subprocess.run([f"/usr/lib/postgresql/{name['version']}/bin/pg_dump", name["dsn"]], capture_output=True, check=True).stdout
            for format, data in whole.items():
                end = {"postgres": len(data) - 1, "plain": data.rfind(b"database dump complete"), "mysql": data.rfind(b"Dump completed")}[format]
                for kept in (100, len(data) // 2, end - 1, end):
                    with self.subTest(f"{format}, {kept} of {len(data)} bytes"):
                        done = self.service("import", "cut", input=data[:kept], check=False)
                        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
                        self.assertEqual(before, self.state("cut"))
                self.service("import", "cut", input=data)
                after = self.state("cut")
                self.assertEqual(before[:3], after[:3])
                before = after
            self.service("destroy", "cut", "--force")


class Peaks:
    """How much memory davit's own programs of a home took at most, by program and words; looked at all the time while it is entered."""

    def __init__(self, home):
        self.home, self.kilobytes, self.over = home, {}, threading.Event()
        self.watcher = threading.Thread(target=self.watch)

    def look(self, entry):
        program = Path(os.readlink(entry / "exe")).name
        if not program.startswith("davit") or f"DAVIT_HOME={self.home.path}".encode() not in (entry / "environ").read_bytes().split(b"\0"):
            return
        words = " ".join(word.decode(errors="replace") for word in (entry / "cmdline").read_bytes().split(b"\0")[1:4])
        peak = next((int(line.split()[1]) for line in (entry / "status").read_text().splitlines() if line.startswith("VmHWM")), 0)
        key = f"{program} {words}"
        self.kilobytes[key] = max(self.kilobytes.get(key, 0), peak)

    def watch(self):
        while not self.over.wait(0.2):
            for entry in Path("/proc").iterdir():
                with contextlib.suppress(OSError):
                    if entry.name.isdigit():
                        self.look(entry)

    def __enter__(self):
        self.watcher.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.watcher.join()


class Large(harness.HomeTest):
    """A dump in constant memory. DAVIT_E2E_DUMP_MB=1024 makes it one of a gigabyte."""

    megabytes = int(os.environ.get("DAVIT_E2E_DUMP_MB", "64"))
    limit_s = harness.DEADLINE_S + megabytes
    # Rows of 1 KiB. What pg_dump compresses takes half of its bytes.
    FILL = {"postgres": "CREATE TABLE t (i int PRIMARY KEY, text text);\nINSERT INTO t SELECT i, (SELECT string_agg(md5(i::text || j::text), '') "
                        "FROM generate_series(1, 64) j) FROM generate_series(1, {rows}) i;\n",
            "mysql": "CREATE TABLE t (i int PRIMARY KEY, text text) ENGINE=InnoDB;\nINSERT INTO t SELECT seq, REPEAT(MD5(seq), 32) FROM seq_1_to_{rows};\n"}
    SUM = {"postgres": "\\t on\n\\a\nSELECT count(*), sum(hashtext(t::text)::bigint) FROM t;\n",
           "mysql": "SELECT COUNT(*), SUM(CRC32(CONCAT_WS(',', i, text))) FROM t;\n"}

    def sum_of(self, kind):
        return self.home.davit(f"{kind}:connect", "large", input=self.SUM[kind].encode(), timeout=self.limit_s).stdout.splitlines()[-1]

    def large_dump(self, kind):
        self.home.davit(f"{kind}:create", "large")
        self.home.davit(f"{kind}:connect", "large", input=self.FILL[kind].format(rows=self.megabytes * 1024).encode(), timeout=self.limit_s)
        before = self.sum_of(kind)
        dump = self.home.folder / f"{kind}.dump"
        with Peaks(self.home) as peaks:
            with dump.open("wb") as out:
                subprocess.run([str(harness.DAVIT), f"{kind}:export", "large"], env=self.home.env, stdout=out, check=True, timeout=self.limit_s)
            with dump.open("rb") as source:
                done = subprocess.run([str(harness.DAVIT), f"{kind}:import", "large"], env=self.home.env, stdin=source, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, check=False, timeout=self.limit_s)
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertIn(f"Loaded {dump.stat().st_size} bytes", done.stdout)
        self.assertEqual(before, self.sum_of(kind))
        self.assertGreater(dump.stat().st_size, self.megabytes * 1024 * 1024 * 0.9)
        print(f"\n{kind}, a dump of {dump.stat().st_size >> 20} MiB:", *(f"{peak} KiB {words}" for words, peak in sorted(peaks.kilobytes.items())),
              sep="\n  ")
        for verb in ("export", "import"):
            self.assertTrue([words for words in peaks.kilobytes if verb in words], peaks.kilobytes)
        for words, peak in peaks.kilobytes.items():
            self.assertLess(peak, RSS_KB, f"{words} with a dump of {dump.stat().st_size} bytes")
        self.home.davit(f"{kind}:destroy", "large", "--force")
        dump.unlink()

    def test_postgres(self):
        self.large_dump("postgres")

    def test_mysql(self):
        self.large_dump("mysql")

    def test_20000_tables_of_postgres(self):
        """Each is locked by the dump, and all that it has by the load."""
        self.home.davit("postgres:create", "wide")
        self.home.davit("postgres:connect", "wide", timeout=1200, input=b"""DO $$ BEGIN FOR i IN 1..20000 LOOP
            EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, text text DEFAULT %L)', i, i);
            EXECUTE format('INSERT INTO t%s DEFAULT VALUES', i);
            IF i % 100 = 0 THEN COMMIT; END IF; END LOOP; END $$;\n""")
        taken = self.home.davit("postgres:backup", "wide", timeout=1200).stdout.rstrip("\n")
        lines = Path(taken).with_suffix(".fingerprint").read_text().splitlines()
        self.assertEqual(20_000, sum(line.startswith("public.t") and "_seq " not in line for line in lines))
        done = self.home.davit("postgres:backup-verify", "wide", timeout=1200)
        self.assertIn("holds exactly what was in the service", done.stdout)


class FullDisk(harness.HomeTest):
    """Services on a disk of their own, which gets smaller and larger while their servers run."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("SKIPPED aloud: needs root to mount")
        super().setUpClass()
        cls.disk = cls.home.path / "services"
        cls.disk.mkdir(mode=0o711, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2g,mode=711", "tmpfs", cls.disk], check=True)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.home.davit("system:stop")
        finally:
            subprocess.run(["umount", "-l", cls.disk], check=True)
            super().tearDownClass()

    @contextlib.contextmanager
    def left(self, megabytes):
        """So much is left on the disk for a while."""
        used = shutil.disk_usage(self.disk).used
        subprocess.run(["mount", "-o", f"remount,size={used // 1024 + megabytes * 1024}k", self.disk], check=True)
        try:
            yield
        finally:
            subprocess.run(["mount", "-o", "remount,size=2g", self.disk], check=True)

    def script(self, kind, name, text, **options):
        return self.home.davit(f"{kind}:connect", name, input=text.encode(), **options)

    def state_of(self, kind, name):
        """Rows, and their sum."""
        text = {"postgres": "\\t on\n\\a\nSELECT count(*), sum(hashtext(t::text)::bigint) FROM t;\n",
                "mysql": "SELECT COUNT(*), SUM(CRC32(CONCAT_WS(',', i, text))) FROM t;\n"}[kind]
        return self.script(kind, name, text).stdout.splitlines()[-1]

    def fill(self, kind, first, count):
        """INSERTs of rows of 64 KiB, each acknowledged by itself."""
        repeat = {"postgres": "(SELECT string_agg(md5({i}::text || j::text), '') FROM generate_series(1, 2048) j)",
                  "mysql": "REPEAT(MD5({i}), 2048)"}[kind]
        return "".join(f"INSERT INTO t VALUES ({i}, {repeat.format(i=i)});\n" for i in range(first, first + count))

    def full_disk(self, kind):
        make = {"postgres": "CREATE TABLE t (i int PRIMARY KEY, text text);\nALTER TABLE t ALTER COLUMN text SET STORAGE EXTERNAL;\n",
                "mysql": "CREATE TABLE t (i int PRIMARY KEY, text mediumtext) ENGINE=InnoDB;\n"}[kind]
        self.home.davit(f"{kind}:create", "tight")
        self.script(kind, "tight", make + self.fill(kind, 0, 1600))
        before = self.state_of(kind, "tight")
        with self.subTest("while a dump is loaded"):
            dump = self.home.folder / f"{kind}.dump"
            with dump.open("wb") as out:
                subprocess.run([str(harness.DAVIT), f"{kind}:export", "tight"], env=self.home.env, stdout=out, check=True, timeout=harness.DEADLINE_S)
            # Enough for an empty instance, and not for 100 MiB of rows too.
            with self.left({"postgres": 110, "mysql": 220}[kind]):
                done = self.home.davit(f"{kind}:import", "tight", input=dump.read_bytes(), check=False)
            self.assert_exit(1, done, "Loading the data failed: no space left on the disk of", "Free some space and repeat the command")
            self.assertEqual(before, self.state_of(kind, "tight"))
            self.assertEqual([1], [row["number"] for row in self.home.json(f"{kind}:info", "tight")["generations"]])
            self.home.davit(f"{kind}:import", "tight", input=dump.read_bytes())
            self.assertEqual(before, self.state_of(kind, "tight"))
        with self.subTest("while it serves"):
            with self.left(12):
                done = self.script(kind, "tight", self.fill(kind, 10_000, 1600), check=False)
            self.assertNotEqual(0, done.returncode)
            rows = wait_for(lambda: self.script(kind, "tight", "SELECT count(*) FROM t WHERE i < 10000;\n", check=False).stdout, "the server", 60)
            self.assertIn("1600", rows)
            self.script(kind, "tight", "DELETE FROM t WHERE i >= 10000;\n")
            self.assertEqual(before, self.state_of(kind, "tight"))
        with self.subTest("when there is none at all for a new one"):
            with self.left(5):
                done = self.home.davit(f"{kind}:create", "more", check=False)
            self.assert_exit(1, done, "no space left on the disk of")
            self.assert_exit(1, self.home.davit(f"{kind}:exists", "more", check=False))
        self.home.davit(f"{kind}:destroy", "tight", "--force")

    def test_postgres(self):
        self.full_disk("postgres")

    def test_mysql(self):
        self.full_disk("mysql")


if __name__ == "__main__":
    harness.main()
