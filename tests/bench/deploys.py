"""Deploys against what they are to be measured by: on docker, the same tree built and run by hand, and a container that is only started;
under load, the latency when nothing happens; ten apps at once, the same ones one after another.
"""
import contextlib
import math
import os
import signal
import statistics
import subprocess
import threading
import time

import push
import world
from world import command, engine, now_ms

DOCKER = "/usr/bin/docker"  # by hand, with the engine's own version of it
HALF_A_SECOND_MS = 500
AT_ONCE = 10
WARM_UP = 2  # pairs that are not counted
PAUSES_MS = (0, 2, 5, 10, 20)  # what apps take to answer

DOCKERFILE = f"FROM {engine.STACK}\nCOPY . /app\nWORKDIR /app\nUSER 65534:65534\nENV PORT=5000\nCMD [\"./server\"]\n"


def median(rows, pick):
    return statistics.median(pick(row) for row in rows)


# --- on docker, against by hand --------------------------------------------------------------------------------------------------


class ByHand:
    """What somebody without davit would type: docker build, docker run, and docker rm of the one before."""

    NETWORK = "by-hand"

    def __init__(self, dockerd, home):
        self.home, self.number, self.running = home, 0, []
        self.file = home.folder / "Dockerfile.by-hand"
        self.file.write_text(DOCKERFILE)
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(home.folder), "DOCKER_HOST": f"unix://{dockerd.socket}"}
        self.docker("network", "create", self.NETWORK)

    def docker(self, *words):
        return command([DOCKER, *words], env=self.env)

    def build(self, tree):
        self.number += 1
        self.docker("build", "--quiet", "--tag", f"by-hand:{self.number}", "--file", self.file, tree)

    def run(self, body):
        """Until it answers; when that was, in ms."""
        port = self.home.ports.next()
        name = f"by-hand-{port}-{len(self.running)}"
        watcher = push.Watcher(port, "by-hand", body)
        watcher.start()
        self.docker("run", "--detach", "--name", name, "--network", self.NETWORK, "--publish", f"127.0.0.1:{port}:5000",
                    f"by-hand:{self.number}")
        self.running.append(name)
        return watcher.seen()

    def tidy(self):
        """The end of the old ones is on neither side's clock. Ports are used again."""
        for name in self.running:
            self.docker("rm", "--force", name)
        self.running.clear()
        self.home.ports.turn = self.home.ports.first + 1


def pushes_by_hand(home, app, by_hand, pairs):
    """A one-line change: davit's push, and docker build and docker run of the same tree."""
    rows = []

    def davit(text):
        return push.one_push(home, app, text)

    def hand(text):
        app.write("answer", text + "\n")
        start = now_ms()
        by_hand.build(app.folder)
        built = now_ms()
        result = {"answer_ms": by_hand.run(text + "\n") - start, "build_ms": built - start}
        by_hand.tidy()
        return result

    for number in range(WARM_UP + pairs):
        order = [("davit", davit), ("hand", hand)]
        home.settled()
        rows.append({name: act(f"{name} {number}") for name, act in (order if number % 2 else reversed(order))})
    rows = rows[WARM_UP:]
    return {"davit_ms": median(rows, lambda row: row["davit"]["answer_ms"]), "hand_ms": median(rows, lambda row: row["hand"]["answer_ms"]),
            "build_ms": median(rows, lambda row: row["hand"]["build_ms"]),
            "parts": {part: median(rows, lambda row: row["davit"]["parts"][part]) for part in push.PARTS},
            "ratio": median(rows, lambda row: (row["davit"]["answer_ms"] - HALF_A_SECOND_MS) / row["hand"]["answer_ms"])}


def rollbacks_by_hand(home, app, by_hand, pairs):
    """From `releases:rollback` to the answer, and from `docker run` of an image that is there to its answer."""
    for text in ("back 0", "back 1"):
        push.one_push(home, app, text)
    by_hand.build(app.folder)
    rows = []

    def davit(number):
        home.settled()
        watcher = push.watch(home, app, f"back {number % 2}\n")
        start = now_ms()
        home.davit("releases:rollback", app.name)
        return watcher.seen() - start

    def hand(_):
        start = now_ms()
        seen = by_hand.run("back 1\n")
        by_hand.tidy()
        return seen - start

    for number in range(WARM_UP + pairs):
        order = [("davit", davit), ("hand", hand)]
        rows.append({name: act(number) for name, act in (order if number % 2 else reversed(order))})
    rows = rows[WARM_UP:]
    return {"davit_ms": median(rows, lambda row: row["davit"]), "hand_ms": median(rows, lambda row: row["hand"]),
            "ratio": median(rows, lambda row: row["davit"] / row["hand"])}


def on_docker(prefix, server, pairs):
    """Both of these and the latency, in a home on an engine that is started for it. Pushes of a tree with a Dockerfile, where there is a
    builder for it, and of one for the null buildpack: its slug becomes an image of the same content."""
    dockerd = engine.Dockerd()
    try:
        dockerd.start()
        engine.make_stack(dockerd, prefix / "bin" / "davit")
        with contextlib.closing(world.BenchHome(prefix, 0, docker=dockerd.api)) as home:
            by_hand = ByHand(dockerd, home)
            app = world.pushed_app(home, server)
            result = {"push": pushes_by_hand(home, app, by_hand, pairs), "rollback": rollbacks_by_hand(home, app, by_hand, pairs),
                      "latency": latencies(home, app, server, pairs)}
            if (prefix / "lib" / "davit" / "plugins" / "dockerfile.so").exists():
                app = world.pushed_app(home, server, "bench-dockerfile", {"Dockerfile": DOCKERFILE})
                result["push_dockerfile"] = pushes_by_hand(home, app, by_hand, pairs)
    finally:
        dockerd.remove()
    return result


# --- under load ------------------------------------------------------------------------------------------------------------------


class Requests:
    """A constant load on an app (requests.c), as long as the block runs; then `p99_ms` knows it of any time in it."""

    CONNECTIONS, A_SECOND = 8, 300

    def __init__(self, program, home, app):
        self.argv = [program, str(home.port), f"{app.name}.localhost", str(self.CONNECTIONS), str(self.A_SECOND)]

    def __enter__(self):
        self.asking = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.asking.send_signal(signal.SIGTERM)
        said, _ = self.asking.communicate(timeout=60)
        if self.asking.returncode != 0:
            raise SystemExit("the load ended before it should")
        self.answers = [tuple(map(int, line.split())) for line in said.splitlines()]

    def p99_ms(self, start_s, end_s):
        """Of the answers to what was asked between these two (time.monotonic)."""
        took = sorted(came - asked for asked, came in self.answers if start_s <= asked / 1e6 < end_s)
        if not took:
            raise SystemExit("nothing was asked in that time")
        return took[math.ceil(0.99 * len(took)) - 1] / 1000


def latency(program, home, app, pairs):
    """p99 of what is asked from `git push` until it returns, and for as long before it; the load goes on all the time."""
    times, took_s = [], 1.0
    with Requests(program, home, app) as load:
        for number in range(WARM_UP + pairs):
            app.write("answer", f"latency {number}\n")
            app.commit()
            home.settled()
            steady_s = time.monotonic()
            time.sleep(took_s)
            start_s = time.monotonic()
            app.push()
            end_s = time.monotonic()
            times.append((steady_s, start_s, end_s))
            took_s = end_s - start_s
    rows = [{"steady_ms": load.p99_ms(steady_s, start_s), "deploying_ms": load.p99_ms(start_s, end_s)}
            for steady_s, start_s, end_s in times[WARM_UP:]]
    return {"deploying_ms": median(rows, lambda row: row["deploying_ms"]), "steady_ms": median(rows, lambda row: row["steady_ms"]),
            "added_ms": median(rows, lambda row: row["deploying_ms"] - row["steady_ms"]),
            "ratio": median(rows, lambda row: row["deploying_ms"] / row["steady_ms"])}


def latencies(home, app, server, pairs):
    """Of an app that answers at once, and of others whose answers take some time, by that time in ms."""
    program = world.compiled("requests.c", home.folder / "requests")
    found = {0: latency(program, home, app, pairs)}
    for pause in PAUSES_MS[1:]:
        slow = world.pushed_app(home, server, f"bench-{pause}ms", {**world.PROCFILE, "pause": f"{pause}\n"})
        found[pause] = latency(program, home, slow, pairs)
    return found


# --- ten apps --------------------------------------------------------------------------------------------------------------------


def ten_apps(home, server, pairs):
    """A one-line change of each of ten apps, until the last answers: all pushed at once, and one after another."""
    apps = [world.pushed_app(home, server, f"ten-{number}") for number in range(1, AT_ONCE + 1)]

    def all_pushed(text, at_once):
        for app in apps:
            app.write("answer", text + "\n")
            app.commit()
        home.settled()
        watchers = [push.watch(home, app, text + "\n") for app in apps]
        start = now_ms()
        threads = [threading.Thread(target=app.push) for app in apps]
        for thread in threads:
            thread.start()
            if not at_once:
                thread.join()
        for thread in threads:
            thread.join()
        return max(watcher.seen() for watcher in watchers) - start

    rows = []
    for number in range(1 + pairs):
        order = [("at_once", True), ("in_turn", False)]
        rows.append({name: all_pushed(f"{name} {number}", at_once) for name, at_once in (order if number % 2 else reversed(order))})
    for app in apps:
        home.davit("--force", "apps:destroy", app.name)
    rows = rows[1:]
    return {"cpus": os.cpu_count(), "at_once_ms": median(rows, lambda row: row["at_once"]), "in_turn_ms": median(rows, lambda row: row["in_turn"]),
            "ratio": median(rows, lambda row: row["at_once"] / row["in_turn"])}
