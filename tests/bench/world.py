"""What the bench measures in: an installation with few or many plugins, and homes with few or many apps.

Not a test, and no figures: bench.py has those. It stands on tests/e2e/harness.py, which drives a home as an operator would.
"""
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
import engine  # noqa: E402
import harness  # noqa: E402

APP = "bench"  # the app that is pushed


def say(text):
    print(f"       {text}", flush=True)


def command(argv, **options):
    """Runs a tool; what it said is shown only if it failed."""
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{argv} exited {done.returncode}\n{done.stdout}")
    return done.stdout


def compiled(source, program):
    command(["gcc", "-O2", "-D_GNU_SOURCE", "-o", program, SOURCE / "tests" / "bench" / source])
    return program


# --- installations ---------------------------------------------------------------------------------------------------------------

TINY = "tiny-plugin-000"


def tiny_plugin(prefix, folder):
    """examples/plugins/hello-c under the id TINY, built as a third party would: against the installed SDK."""
    source = folder / "tiny"
    shutil.copytree(SOURCE / "examples" / "plugins" / "hello-c", source)
    for file in [source / "CMakeLists.txt", source / "plugin.toml", source / "src" / "hello.c"]:
        file.write_text(file.read_text().replace("hello-c", TINY))
    # Without builtins a name stays one string, instead of becoming numbers in an inlined memcmp: installations() changes it.
    command(["cmake", "-G", "Ninja", "-S", source, "-B", folder / "tiny-build", "-DCMAKE_BUILD_TYPE=Release",
             "-DCMAKE_C_FLAGS=-fno-builtin", f"-DCMAKE_PREFIX_PATH={prefix}"])
    command(["cmake", "--build", folder / "tiny-build"])
    return next((folder / "tiny-build").rglob(f"{TINY}.so")).read_bytes()


def installations(build, folder, many):
    """Two prefixes: the build as installed, of which 7 plugins are enabled, and with `many`. A plugin's id has the same length in all copies of the
    tiny plugin, so that a copy with another id is what the compiler would have made of it."""
    installed, few_prefix, many_prefix = folder / "installed", folder / "few", folder / "many"
    command(["cmake", "--install", build, "--prefix", installed])
    enabled = len(list((installed / "lib" / "davit" / "plugins").glob("*.so"))) - 1  # docker is not, in homes on processes
    for prefix in (few_prefix, many_prefix):  # both copied in one way: how a file was written shows in how fast it is mapped
        shutil.copytree(installed, prefix, symlinks=True)
    tiny = tiny_plugin(installed, folder)
    for prefix, count in [(few_prefix, 7), (many_prefix, many)]:
        for number in range(1, count - enabled + 1):
            name = f"tiny-plugin-{number:03}"
            file = prefix / "lib" / "davit" / "plugins" / f"{name}.so"
            file.write_bytes(tiny.replace(TINY.encode(), name.encode()))
            file.chmod(0o755)
    return few_prefix, many_prefix


# --- homes -----------------------------------------------------------------------------------------------------------------------


class BenchHome(harness.Home):
    """A home of a given installation, with `apps` other apps that have configuration and a history. `docker`: the engine it runs on."""

    def __init__(self, prefix, apps, docker=None):
        self.program = prefix / "bin" / "davit"
        super().__init__(docker=docker, runtime="docker" if docker else "process")
        self.others = [f"other-{number:04}" for number in range(1, apps + 1)]
        if self.others:
            self.davit("apps:create", self.others[0])
            self.fill()

    def davit(self, *words, check=True, **options):
        return self.run([self.program, *words], check=check, **options)

    def fill(self):
        """The other apps after the example of the first: row and repository are what apps:create makes, which would take minutes. Then
        twenty variables and three finished deployments each: straight into the store, because no command makes a past."""
        first = self.others[0]
        for name in self.others[1:]:
            shutil.copytree(self.repository(first), self.repository(name))
            hook = self.repository(name) / "hooks" / "pre-receive"
            hook.write_text(hook.read_text().replace(first, name))
        store = sqlite3.connect(self.path / "davit.db")
        with store:
            store.executemany("INSERT INTO apps (name, created_at_ms) SELECT ?, created_at_ms FROM apps WHERE name = ?",
                              [(name, first) for name in self.others[1:]])
            ids = [row[0] for row in store.execute("SELECT id FROM apps WHERE name LIKE 'other-%'")]
            store.executemany("INSERT INTO config (scope, key, value) VALUES (?, ?, ?)",
                              [(app, f"KEY_{n}", b"a value of an ordinary length") for app in ids for n in range(20)])
            for app, name in zip(ids, self.others):
                for _ in range(3):
                    number = store.execute(
                        "INSERT INTO deployments (app, app_name, kind, state, phase, request_json, actor, created_at_ms, started_at_ms,"
                        " committed_at_ms, finished_at_ms) VALUES (?, ?, 'push', 'done', 'finish', '{}', 'bench', 1, 2, 3, 4)",
                        (app, name)).lastrowid
                    for seq, phase in enumerate(["fetch", "build", "release", "launch", "switch"], 1):
                        store.execute(
                            "INSERT INTO steps (deployment, seq, phase, plugin, hook, version, state, token, started_at_ms,"
                            " finished_at_ms, note) VALUES (?, ?, ?, 'host', 'bench', '', 'finished', x'', 1, 2, '')",
                            (number, seq, phase))
        store.close()
        if len(self.json("apps:list")) != len(self.others):
            raise SystemExit("davit does not see the apps that the bench made")

    def query(self, text, *values):
        store = sqlite3.connect(f"file:{self.path / 'davit.db'}?mode=ro", uri=True, timeout=10)
        store.row_factory = sqlite3.Row
        try:
            return store.execute(text, values).fetchall()
        finally:
            store.close()

    def last_deployment(self, app):
        return self.query("SELECT * FROM deployments WHERE app_name = ? ORDER BY number DESC LIMIT 1", app)[0]

    def settled(self):
        """Waits until nothing of an earlier deploy is under way: drains are not part of the next push."""
        harness.wait_for(lambda: not self.query("SELECT 1 FROM deployments WHERE finished_at_ms IS NULL"), "the end of the drain", 90)

    def route_others(self):
        """Gives every other app a route in the proxy, to the instance of ours: a thousand running apps would not fit this machine,
        and to the proxy they would be the same. Proves that the routes are in force."""
        if not self.others:
            return
        routes = next((self.path / "plugins").rglob(f"{APP}.json"))
        ours = json.loads(routes.read_text())
        self.settled()
        self.davit("system:stop")
        for name in self.others:
            route = {**ours, "app": name, "revision": "d1", "hosts": [f"{name}.localhost"]}
            (routes.parent / f"{name}.json").write_text(json.dumps(route) + "\n")
            shutil.copymode(routes, routes.parent / f"{name}.json")
        self.davit("system:start")
        for name in [self.others[0], self.others[-1]]:
            status, _ = self.get(name)
            # The instance may have come back on another port; what matters is that the host is known.
            if status == 404:
                raise SystemExit(f"the proxy does not know {name}.localhost: the bench would measure too few routes")


PROCFILE = {"Procfile": "web: exec ./server\n"}


def pushed_app(home, server, name=APP, files=PROCFILE):
    """An app whose answer is the one line of the file `answer`. As it is, one for the null buildpack: a Procfile, nothing to build."""
    home.davit("apps:create", name)
    home.davit("checks:set", name, "wait-to-retire", "1")
    app = harness.App(home, name)
    shutil.copy(server, app.folder / "server")
    for path, text in {**files, "answer": "revision 0\n"}.items():
        app.write(path, text)
    app.commit()
    app.push()
    harness.wait_for(lambda: home.get(name)[1] == "revision 0\n", "the first answer")
    return app


def now_ms():
    return time.time() * 1000
