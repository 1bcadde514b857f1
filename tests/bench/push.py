"""A push of a one-line change: how long until the new revision answers, where the time goes, and what the proxy's switch takes."""
import http.client
import statistics
import subprocess
import threading
import time

from commands import spawn_ms
from world import now_ms

# What happens between two marks of the journal, in order. The journal's times are whole milliseconds.
PARTS = ["git push until davit has the objects", "start of the worker", "fetch", "detect", "build", "release", "launch", "check", "switch",
         "until the client sees it"]


class Watcher(threading.Thread):
    """Asks for the page of a host until it has the wanted body, and notes when that was. While nobody listens it asks again."""

    def __init__(self, port, host, body):
        super().__init__(daemon=True)
        self.port, self.host, self.body, self.seen_ms = port, host, body, None
        self.over = threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self.over.is_set():
            try:
                connection.request("GET", "/", headers={"Host": self.host})
                if connection.getresponse().read().decode(errors="replace") == self.body:
                    self.seen_ms = now_ms()
                    break
            except (OSError, http.client.HTTPException):
                connection.close()
            time.sleep(0.004)
        connection.close()

    def seen(self):
        """When it was, in ms; what is measured has ended."""
        self.join(timeout=10)
        self.over.set()
        if self.seen_ms is None:
            raise SystemExit(f"{self.host} did not answer {self.body!r} within 10 s of the end")
        return self.seen_ms


def watch(home, app, body):
    watcher = Watcher(home.port, f"{app.name}.localhost", body)
    watcher.start()
    return watcher


def parts(home, app, start_ms, seen_ms):
    """The parts' times in ms, by name."""
    deployment = home.last_deployment(app.name)
    steps = {row["phase"]: row for row in home.query("SELECT * FROM steps WHERE deployment = ?", deployment["number"])}
    marks = [start_ms, deployment["created_at_ms"], deployment["started_at_ms"], steps["fetch"]["finished_at_ms"],
             steps["build"]["started_at_ms"], steps["build"]["finished_at_ms"], steps["release"]["finished_at_ms"],
             steps["launch"]["finished_at_ms"], steps["switch"]["started_at_ms"], steps["switch"]["finished_at_ms"], seen_ms]
    return {name: after - before for name, before, after in zip(PARTS, marks, marks[1:])}


def one_push(home, app, text):
    """Times in ms of one push; the previous deploy's drain is over before it starts."""
    app.write("answer", text + "\n")
    app.commit()
    home.settled()
    watcher = watch(home, app, text + "\n")
    start = now_ms()
    done = subprocess.run(["git", "push", "-q", str(home.repository(app.name)), "HEAD:refs/heads/main"], cwd=app.folder, env=home.env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    end = now_ms()
    if done.returncode != 0:
        watcher.over.set()
        raise SystemExit(f"a push failed\n{done.stdout}{done.stderr}")
    seen_ms = watcher.seen()
    return {"answer_ms": seen_ms - start, "push_ms": end - start, "parts": parts(home, app, start, seen_ms)}


def pushes(few, few_app, many, many_app, pairs):
    """Interleaved pushes to a home with few and to one with many other apps."""
    rows, git = [], []
    for number in range(pairs):
        git.append(statistics.median(spawn_ms(["/usr/bin/git", "--version"], few.env) for _ in range(5)))
        text = f"change {number}"
        worlds = [("few", few, few_app), ("many", many, many_app)]
        rows.append({name: one_push(home, app, text) for name, home, app in (worlds if number % 2 else reversed(worlds))})

    def median(pick):
        return statistics.median(pick(row) for row in rows)

    result = {"git_ms": statistics.median(git)}  # what the machine makes of a known program meanwhile
    for name in ["few", "many"]:
        result[name] = {
            "answer_ms": median(lambda row: row[name]["answer_ms"]),
            "fastest_ms": min(row[name]["answer_ms"] for row in rows),
            "push_ms": median(lambda row: row[name]["push_ms"]),
            "parts": {part: median(lambda row: row[name]["parts"][part]) for part in PARTS},
        }
    result["ratio"] = median(lambda row: row["many"]["answer_ms"] / row["few"]["answer_ms"])
    result["switch_ratio"] = median(lambda row: max(row["many"]["parts"]["switch"], 1) / max(row["few"]["parts"]["switch"], 1))
    # Every pair with what git took before it: shows whether a slow push was a busy machine or davit.
    result["all"] = [{"git_ms": round(ms, 1), **{name: round(row[name]["answer_ms"]) for name in ["few", "many"]}}
                     for ms, row in zip(git, rows)]
    return result
