"""The crash matrix: every point of a deployment × every fault × every operation, under load.

A cell has an app with an old release, begins an operation, stops davit's worker at one point of its journal, lets one fault happen
there, lets the worker go on, and asks for one further command (`davit system:start`). Then the app is exactly as it was or exactly as
it was to be: instances, units, ports, routes, rows, files, branches. Where an old release existed, the load saw no failed request.
An app that was found whole stands for the next cell of its operation, a few times; then it is destroyed, and nothing of it may be left.

The points are not written down here: an operation runs once with a trace, and says which points it passes. The runtime is the
harness's parameter (DAVIT_E2E_RUNTIME).
"""
import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
import engine  # noqa: E402
import harness  # noqa: E402
import storage  # noqa: E402

OPEN_STATES = {"queued", "running", "committed", "draining"}
OPERATIONS = ["first", "redeploy", "rollback", "scale", "replace"]
INSTANCES = {"first": (0, 1), "scale": (1, 2), "replace": (2, 2)}  # before and after; of the others (1, 1)
FAULTS = ["kill-worker", "kill-guard", "kill-nginx", "kill-supervisor", "disk-full", "drop-client"]
if harness.ON_DOCKER:
    FAULTS += ["restart-engine", "engine-away"]
ENGINE_AWAY_S = 7
HOME_BYTES = 640 << 20  # of the tmpfs that a cell with a full disk fills; a build wants 256 MiB free
LOAD_PER_SECOND = 100
CELLS_AN_APP = 8  # its history grows by a release a cell
# Fewer than these are a broken trace, not a short deployment.
FEWEST_POINTS = 12


class Broken(AssertionError):
    """What a cell promised does not hold."""


class World:
    """One home for many cells: on a small disk of its own, so that one fault can fill it; on docker with an engine of its own, so that
    one can stop it."""

    def __init__(self):
        self.number = 0
        self.dockerd = None
        if harness.ON_DOCKER:
            self.start_engine()
        self.make_home()

    def start_engine(self):
        self.dockerd = engine.Dockerd()
        try:
            self.dockerd.start()
            engine.make_stack(self.dockerd, harness.DAVIT)
        except BaseException:
            self.dockerd.remove()
            raise

    def make_home(self):
        def small_disk(path):
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={HOME_BYTES},mode=711", "davit-crash", str(path)], check=True)
        self.home = harness.Home(prepare=small_disk, docker=self.dockerd and self.dockerd.api)
        self.standing = {}  # operation -> the app that its next cell takes

    def close_home(self):
        left = self.home.close()
        subprocess.run(["umount", "-l", str(self.home.path)], check=True)
        self.home.folder.exists() and shutil.rmtree(self.home.folder)
        return left

    def renew(self):
        """After a cell that broke: what it left behind is no business of the next one. The engine stays if it answers."""
        self.close_home()
        if self.dockerd and not self.dockerd.api.answers():
            self.dockerd.remove()
            self.start_engine()
        self.make_home()

    def close(self):
        left = self.close_home()
        if self.dockerd:
            self.dockerd.remove()
        return left

    def unused(self, prefix):
        """A word that nothing of this world has had."""
        self.number += 1
        return f"{prefix}{self.number}"


class App(harness.App):
    """`said`: what its live release answers; None: there is none. `said_before`: and the one that was live before. `alone`: it has
    storage for one release at a time (storage.py)."""

    def __init__(self, world, alone=False):
        super().__init__(world.home, world.unused("c"))
        self.world, self.cells, self.alone = world, 0, alone
        self.said = self.said_before = None
        self.home.davit("apps:create", self.name)
        self.home.davit("checks:set", self.name, "wait-to-retire", "2")
        if alone:
            storage.mount(self)

    def commit_next(self):
        """What a next push deploys; returns what it answers."""
        text = self.world.unused("answer")
        if self.alone:
            storage.write(self, text)
        else:
            self.server(text)
        self.commit()
        return text

    def deploy_next(self):
        text = self.commit_next()
        self.push()
        self.said, self.said_before = text, self.said


def prepared(world, operation):
    """(app, what it answers before, what it answers after): everything that the operation stands on, and nothing of it."""
    app = world.standing.pop(operation, None)
    if app is None:
        app = App(world, alone=operation == "replace")
        for _ in range({"first": 0, "rollback": 2}.get(operation, 1)):
            app.deploy_next()
    if operation == "scale":
        if len(app.home.instances(app.name)) > 1:
            app.home.davit("ps:scale", app.name, "web=1")
            settled(app.home, app.name)
        return app, app.said, app.said
    return app, app.said, app.said_before if operation == "rollback" else app.commit_next()


def kept(world, operation, app):
    """The app is whole: the next cell may take it, unless it has had enough of them."""
    app.cells += 1
    if operation == "first" or app.cells == CELLS_AN_APP:
        destroy(world, app)
    else:
        world.standing[operation] = app


def operation_argv(app, operation):
    if operation in ("first", "redeploy", "replace"):
        return ["git", "-c", "protocol.file.allow=always", "push", str(app.home.repository(app.name)), "HEAD:refs/heads/main"]
    if operation == "rollback":
        return [str(harness.DAVIT), "releases:rollback", app.name]
    return [str(harness.DAVIT), "ps:scale", app.name, "web=2"]


class Running:
    """An operation that runs in the background, as a client would run it; its own process group, so that it can be dropped."""

    def __init__(self, app, argv, failpoint):
        self.app = app
        self.process = subprocess.Popen(argv, cwd=app.folder, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                        env={**app.home.env, "DAVIT_FAILPOINT": failpoint})
        self.output = []
        self.reader = threading.Thread(target=lambda: self.output.extend(self.process.stdout))
        self.reader.start()

    def drop(self):
        with contextlib.suppress(ProcessLookupError):  # at a late point it may have ended well by itself
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self):
        code = self.process.wait(timeout=harness.DEADLINE_S)
        self.reader.join(timeout=harness.DEADLINE_S)
        return code, b"".join(self.output).decode(errors="replace")


def deployments_worker(home):
    """The pid of the worker that stands still at a failpoint, once there is one."""
    for pid, words in home.pids().items():
        with contextlib.suppress(OSError, IndexError):
            if "davit-worker deploy" in words and Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T":
                return pid
    return None


def pids_of(home, pattern):
    return [pid for pid, words in home.pids().items() if re.search(pattern, words)]


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Fault:
    """One thing that goes wrong while the worker stands still; afterwards `over()` makes it good again, as an operator would."""

    def __init__(self, name, world):
        self.name, self.world = name, world
        self.filler = world.home.path / "filler"
        self.return_of_engine = None

    def happen(self, worker, running):
        home = self.world.home
        if self.name == "kill-worker":
            kill(worker)
            return
        if self.name == "kill-guard":
            kill(harness.parent_of(worker))
        elif self.name == "kill-nginx":
            for pid in pids_of(home, r"^nginx: "):
                kill(pid)
        elif self.name == "kill-supervisor":
            for pid in pids_of(home, r"^s6-svscan "):
                kill(pid)
        elif self.name == "disk-full":
            with open(self.filler, "wb", buffering=0) as file:  # a buffer would try once more at its close
                for piece in (1 << 20, 1 << 10, 1):
                    with contextlib.suppress(OSError):
                        while file.write(b"\0" * piece):
                            pass
        elif self.name == "drop-client":
            running.drop()
        elif self.name == "restart-engine":
            self.world.dockerd.stop()
            self.world.dockerd.start()
        elif self.name == "engine-away":  # the worker goes on without it
            self.world.dockerd.stop()
            self.return_of_engine = threading.Timer(ENGINE_AWAY_S, self.world.dockerd.start)
            self.return_of_engine.start()
        kill(worker, signal.SIGCONT)

    def over(self):
        self.filler.unlink(missing_ok=True)
        if self.return_of_engine:
            self.return_of_engine.join()


def points_of(world, operation):
    """Every failpoint that the operation passes, in order."""
    app, _, _ = prepared(world, operation)
    trace = world.home.folder / f"trace-{app.name}"
    running = Running(app, operation_argv(app, operation), f"trace@{trace}")
    code, output = running.end()
    if code != 0:
        raise Broken(f"{operation} without any fault exited {code}:\n{output}")
    settled(world.home, app.name)
    points = list(dict.fromkeys(trace.read_text().splitlines()))
    if len(points) < FEWEST_POINTS:
        raise Broken(f"{operation} passed {len(points)} points only: {points}")
    destroy(world, app)
    return points


def settled(home, name):
    try:
        harness.wait_for(lambda: not OPEN_STATES & {row["state"] for row in home.json("deploys:list", name)},
                         f"the end of every deployment of {name}", 60)
    except AssertionError as error:
        steps = rows(home, "SELECT d.number, d.state, seq, s.phase, plugin, hook, s.state FROM deployments d LEFT JOIN steps s ON s.deployment = d.number "
                     "WHERE d.app_name = ? AND d.finished_at_ms IS NULL ORDER BY d.number, seq", name)
        raise Broken(f"{error}; its steps: {steps}; processes: {home.pids()}") from error


def wait_for_containers(home, name):
    """An engine that has just been started starts its containers, and they take as long as at any start."""
    def are_up():
        live = any(row["state"] == "live" for row in home.json("releases:list", name))
        return not live or all(row["state"] == "running" for row in home.instances(name)) and home.ask(name)[0] == 200
    harness.wait_for(are_up, f"the containers of {name} after the engine's start", 60)


def destroy(world, app):
    world.home.davit("--force", "apps:destroy", app.name)
    harness.wait_for(lambda: not [pid for pid, words in world.home.pids().items() if f" {app.name}." in words],
                     f"the end of the processes of {app.name}", 60)
    if left := of_app(world.home, app.name):
        raise Broken(f"the engine has still {left} of an app that is gone")


def of_app(home, name):
    """What the engine has of an app: kind and name of each container, and its network. Nothing on the other runtime."""
    if home.engine is None:
        return []
    containers, networks = home.engine.of_home(home.path)
    return (sorted(f"{row['Labels']['davit.kind']} {row['Names'][0][1:]}" for row in containers
                   if row["Labels"].get("davit.owner", name) == name) +
            ["network" for row in networks if row["Labels"]["davit.owner"] == name])


def rows(home, query, *arguments):
    with contextlib.closing(sqlite3.connect(f"file:{home.path}/davit.db?mode=ro", uri=True)) as database:
        return database.execute(query, arguments).fetchall()


def whole_state(home, app):
    """What there is of the app, everywhere; raises Broken where parts disagree."""
    name = app.name
    problems = []
    live = [row for row in home.json("releases:list", name) if row["state"] == "live"]
    groups = rows(home, "SELECT revision, process_type, count, g.state FROM live_groups g JOIN apps a ON a.id = g.app WHERE a.name = ?",
                  name)
    instances = home.instances(name) if live else []
    revisions = {row["revision"] for row in instances}
    units = {path.name for path in (home.path / "run/s6/units").glob(f"{name}.*")}
    scanned = {path.name for path in (home.path / "run/s6/scan").glob(f"{name}.*")}
    ids = {row["id"] for row in instances}
    processes = {row["id"] for row in instances if row["runtime"] == "process"}
    leases = {owner for (owner,) in rows(home, "SELECT owner FROM ports WHERE owner IS NOT NULL") if owner.startswith(name + ".")}
    slugs = {path.name.split(".")[0] for path in (home.path / "slugs" / name).glob("*")}
    wanted_slugs = {digest.removeprefix("sha256:") for (digest,) in rows(home, "SELECT DISTINCT artifact_digest FROM releases r JOIN apps a ON a.id = r.app "
                                                 "WHERE a.name = ? AND r.state <> 'failed'", name)}
    if len(live) > 1:
        problems.append(f"{len(live)} live releases")
    if len(revisions) > 1:
        problems.append(f"instances of {sorted(revisions)}")
    if {group[3] for group in groups} - {"live"}:
        problems.append(f"groups are not all live: {groups}")
    if {group[0] for group in groups} != revisions:
        problems.append(f"groups {groups} but instances {sorted(ids)}")
    said = dict(rows(home, "SELECT process_type, quantity FROM formation f JOIN apps a ON a.id = f.app WHERE a.name = ?", name))
    if any(said.get(group[1], group[2]) != group[2] for group in groups):
        problems.append(f"groups {groups} but the formation is {said}")
    if sum(group[2] for group in groups) != len(instances):
        problems.append(f"groups {groups} but {len(instances)} instances")
    if any(row["state"] != "running" for row in instances):
        problems.append(f"not running: {[(row['id'], row['state']) for row in instances]}")
    for what, names, wanted in (("units", units, processes), ("supervised", scanned, processes), ("ports", leases, ids)):
        if names != wanted:
            problems.append(f"{what} {sorted(names)} but instances {sorted(wanted)}")
    if home.engine is not None:
        # REVISION is not a part of the live ones' names; an app that runs in containers has one network
        wanted = sorted(f"instance {name}." + instance.removeprefix(name + ".").split(".", 1)[1] for instance in ids - processes)
        if of_app(home, name) != wanted + ["network"] * bool(wanted):
            problems.append(f"the engine has {of_app(home, name)} but instances {sorted(ids)}")
    if slugs != wanted_slugs:
        problems.append(f"slugs {sorted(slugs)} but releases name {sorted(wanted_slugs)}")
    work = [path.name for path in (home.path / "run/work").glob("*")]
    if work:
        problems.append(f"scratch is left: {work}")
    copies = [path.name for path in (home.path / "run/plugins/process/instances").glob(f"{name}.*")]
    if set(copies) - processes:
        problems.append(f"copies of slugs {sorted(copies)} but instances {sorted(ids)}")
    stuck = [row for row in home.json("deploys:list", name) if row["state"] in OPEN_STATES | {"stuck"}]
    if stuck:
        problems.append(f"deployments that did not end: {stuck}")
    if problems:
        raise Broken("; ".join(problems))
    return {"live": live[0]["version"] if live else None, "instances": len(instances), "ids": ids}


def answers(home, name):
    """The set of what the app says to a few requests, and by which instances."""
    said, by = set(), set()
    for _ in range(8):
        status, body, who = home.ask(name)
        said.add(body.strip() if status == 200 else str(status))
        if who:
            by.add(who)
    return said, by


def branch(app):
    done = app.home.run(["git", "--git-dir", str(app.home.repository(app.name)), "rev-parse", "--verify", "-q", "refs/heads/main"],
                        check=False)
    return done.stdout.strip()


def run_cell(world, operation, point, fault_name):
    """Raises Broken where the promise of a cell does not hold."""
    home = world.home
    app, before, after = prepared(world, operation)
    count_before, count_after = INSTANCES.get(operation, (1, 1))
    old_branch = branch(app)
    fault = Fault(fault_name, world)
    load = harness.Load(home, app.name, threads=2, keep_alive=False, rate=LOAD_PER_SECOND) if before is not None else contextlib.nullcontext()
    with load:
        running = Running(app, operation_argv(app, operation), f"stop@{point}")
        try:
            # At a late point the client has gone already.
            worker = harness.wait_for(lambda: deployments_worker(home), f"{operation} stands still at {point}", 90)
            fault.happen(worker, running)
            code, output = running.end()
            harness.wait_for(lambda: not pids_of(home, r"davit-worker deploy"), "the end of the worker", 90)
        finally:
            fault.over()
        home.davit("system:start")
        settled(home, app.name)
    check_load(load, fault_name, stops=app.alone)
    if fault_name in ("restart-engine", "engine-away"):
        for one in (app, *world.standing.values()):
            wait_for_containers(home, one.name)
    state = whole_state(home, app)
    said, by = answers(home, app.name) if state["live"] else ({before}, set())
    if by - state["ids"]:
        raise Broken(f"requests went to {sorted(by)}, instances are {sorted(state['ids'])}")
    is_old = said == {before} and state["instances"] == count_before
    is_new = said == {after} and state["instances"] == count_after
    if is_new and operation != "scale":
        app.said, app.said_before = after, before
    if not is_old and not is_new:
        raise Broken(f"neither old nor new: it says {said} with {state['instances']} instances\n{output}")
    if operation in ("redeploy", "replace") and (branch(app) == old_branch) != is_old:
        raise Broken(f"the branch and the release disagree: the app is {'old' if is_old else 'new'}\n{output}")
    if fault_name in ("kill-nginx", "kill-supervisor") and is_old and operation != "first":
        raise Broken(f"the deployment failed, exit {code}, though only {fault_name[5:]} was killed and came back:\n{output}")
    if fault_name == "drop-client" and is_old:
        raise Broken("the client went away, and the deployment with it")
    if app.alone:
        if trouble := storage.trouble(app, after, is_new, fault_name in ("kill-nginx", "kill-supervisor", "drop-client")):
            raise Broken(trouble)
    kept(world, operation, app)


def check_load(load, fault_name, stops=False):
    """`stops`: the old instances end before the new ones start."""
    if not isinstance(load, harness.Load):
        return
    bad = load.bad
    if fault_name in ("restart-engine", "engine-away"):  # no container has a port while there is no engine, and an answer on its way is cut
        bad = [line for line in bad if not re.match(r"50[234] |IncompleteRead", line)]
    if stops:
        bad = [line for line in bad if not re.match(r"50[234] ", line)]
    if fault_name == "kill-nginx":  # nobody answers until it is up again; but nobody answers wrongly either
        bad = [line for line in bad if not re.match(r"(ConnectionRefused|ConnectionReset|RemoteDisconnected|BrokenPipe)", line)]
    if bad:
        raise Broken(f"{len(bad)} of {len(bad) + load.good} requests failed: {bad[:3]}")


def cells(points_by_operation, faults=FAULTS):
    """Every cell, in a fixed order."""
    return [(operation, point, fault) for operation in OPERATIONS for point in points_by_operation[operation] for fault in faults]


def chosen(all_cells, generator, wanted):
    """`wanted` cells, such that every fault and every operation is met soon, and every point if they are enough."""
    rest = list(all_cells)
    generator.shuffle(rest)
    picked, met = [], set()
    while rest and len(picked) < wanted:
        cell = max(rest, key=lambda cell: len(set(cell) - met))
        rest.remove(cell)
        picked.append(cell)
        met.update(cell)
    return picked
