"""Constant load (wrk) through everything that is done to an app; counts what failed."""
import re
import signal
import subprocess

import harness
from world import APP

# A pause of 4 ms before each request: constant load, not a test of how fast wrk can be on a machine that also builds.
PACE = 'function delay() return 4 end\n'


def counts(text):
    """(requests, failed, per second) of wrk's report."""
    requests = int(re.search(r"(\d+) requests in", text)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    other = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    failed = sum(int(number) for number in errors.groups()) if errors else 0
    return requests, failed + (int(other[1]) if other else 0), rate


def story(home, app, redeploys):
    """Everything that promises to drop no request; each step is proved to have happened."""
    def answers(body):
        harness.wait_for(lambda: home.get(APP)[1] == body, f"the answer {body!r}")

    for number in range(redeploys):
        app.write("answer", f"load {number}\n")
        app.commit()
        app.push()
        answers(f"load {number}\n")
    app.write("Procfile", "web: exit 3\n")
    app.commit()
    if app.push(check=False).returncode == 0:
        raise SystemExit("a deploy of an app that exits at once was accepted")
    answers(f"load {redeploys - 1}\n")
    for quantity in [4, 2]:
        home.davit("ps:scale", APP, f"web={quantity}")
        harness.wait_for(lambda: len(home.instances(APP)) == quantity, f"{quantity} instances")
    home.davit("ps:restart", APP)
    home.davit("releases:rollback", APP)
    answers(f"load {redeploys - 2}\n")
    home.settled()  # the ends of the old instances are part of the story
    home.davit("ps:scale", APP, "web=1")
    app.write("Procfile", "web: exec ./server\n")
    app.commit()


def under_load(home, app, keep_alive, redeploys):
    pace = home.folder / "pace.lua"
    pace.write_text(PACE)
    argv = ["wrk", "-t1", "-c8", "-d900s", "--timeout", "10s", "-s", str(pace), "-H", f"Host: {APP}.localhost"]
    if not keep_alive:
        argv += ["-H", "Connection: close"]
    load = subprocess.Popen([*argv, f"http://127.0.0.1:{home.port}/"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    try:
        story(home, app, redeploys)
    finally:
        load.send_signal(signal.SIGINT)
        text, _ = load.communicate(timeout=60)
    requests, failed, rate = counts(text)
    if requests < 1000:
        raise SystemExit(f"wrk made only {requests} requests: this was no load\n{text}")
    return {"keep_alive": keep_alive, "requests": requests, "failed": failed, "per_second": rate, "wrk": text}
