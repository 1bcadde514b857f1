"""A long random run: operations of every kind on one app, a fault in most of them, under constant load, for as long as asked.

After each, the app is exactly as it was or exactly as it was to be (matrix.whole_state, and what it answers), and a bystander is what it
was. What is chosen depends on the seed, the number of the step and what came out before; times are the machine's, so that a seed
repeats the choices and not every race.
"""
import random
import time

import matrix
from matrix import Broken, harness

LARGEST_SCALE = 3
DOMAIN = "soaked"  # a name that stays while the app is renamed
NO_FAULT = "nothing"


class Model:
    """What the app is, as far as requests can tell."""

    def __init__(self, answer, count):
        self.answer, self.count = answer, count
        self.of_version = {}  # release -> what it answered when it was live


class Soak:
    def __init__(self, world, seed, say=print):
        self.world, self.home, self.seed, self.say = world, world.home, seed, say
        self.number = 0
        self.points = {}  # operation -> points that it passed when nothing happened to it
        self.outcomes = {}  # (operation, fault) -> how often it was old, new
        self.app = self.deployed("soak", "start")
        self.home.davit("domains:add", self.app.name, f"{DOMAIN}.localhost")
        self.bystander = self.deployed("bystander", "untouched")
        self.untouched = self.home.instances("bystander")
        if harness.ON_DOCKER:
            self.home.davit("plugin:enable", "process")
        self.model = Model("start/0", 1)
        self.learn_version()

    def deployed(self, name, answer):
        self.home.davit("apps:create", name)
        self.home.davit("checks:set", name, "wait-to-retire", "2")
        app = harness.App(self.home, name)
        self.serve(app, answer)
        app.push()
        return app

    @staticmethod
    def serve(app, answer):
        app.server(answer)
        app.write("server.py", (app.folder / "server.py").read_text().replace(
            f'"{answer}"', f'"{answer}/" + os.environ.get("SOAKED", "0")'))
        app.commit()

    def learn_version(self):
        live = next(row["version"] for row in self.home.json("releases:list", self.app.name) if row["state"] == "live")
        self.model.of_version[live] = self.model.answer

    # --- operations: each prepares what it stands on, and returns (argv, every pair of answer and count that may be its outcome) ---

    def configured(self):
        """What a new release of the present code answers: a variable may be pending after a `config:set` that failed."""
        value = self.home.davit("config:get", self.app.name, "SOAKED", check=False).stdout.strip() or "0"
        return f"{self.model.answer.split('/')[0]}/{value}"

    def davit(self, *words):
        return [str(harness.DAVIT), *words]

    def push(self):
        return matrix.operation_argv(self.app, "redeploy")

    def deploy(self, _):
        text = f"deploy{self.number}"
        self.serve(self.app, text)
        return self.push(), [(f"{text}/{self.configured().split('/')[1]}", self.model.count)]

    def failing_deploy(self, random_choice):
        self.serve(self.app, "never")
        self.app.write("Procfile", random_choice.choice(["web: exit 3\n", "release: exit 4\nweb: exec python3 -u server.py\n"]))
        self.app.commit()
        return self.push(), []

    def rollback(self, random_choice):
        there = {row["version"] for row in self.home.json("releases:list", self.app.name) if row["state"] != "failed"}
        version = random_choice.choice(sorted(there & set(self.model.of_version)))
        return self.davit("releases:rollback", self.app.name, str(version)), [(self.model.of_version[version], self.model.count)]

    def scale(self, random_choice):
        count = random_choice.choice([n for n in range(1, LARGEST_SCALE + 1) if n != self.model.count])
        return self.davit("ps:scale", self.app.name, f"web={count}"), [(self.model.answer, count)]

    def restart(self, _):
        # The same release: what a `config:set` that failed has left comes with the next one.
        return self.davit("ps:restart", self.app.name), [(self.model.answer, self.model.count)]

    def config_set(self, _):
        value = str(self.number)
        return (self.davit("config:set", self.app.name, f"SOAKED={value}"),
                [(f"{self.model.answer.split('/')[0]}/{value}", self.model.count)])

    def rename(self, _):
        return self.davit("apps:rename", self.app.name, f"soak{self.number}"), [(self.model.answer, self.model.count)]

    def move(self, random_choice):
        self.home.davit("ps:set", self.app.name, "runtime", random_choice.choice(["process", "docker"]))
        return self.restart(random_choice)

    OPERATIONS = [deploy, failing_deploy, rollback, scale, restart, config_set, rename] + ([move] if harness.ON_DOCKER else [])

    # --- one step ---

    def step(self):
        self.number += 1
        choice = random.Random(f"{self.seed} {self.number}")
        operation = choice.choice(self.OPERATIONS)
        name = operation.__name__
        argv, may_become = operation(self, choice)
        point, fault_name = "", NO_FAULT
        if name in self.points:
            fault_name = choice.choice([NO_FAULT, *matrix.FAULTS])
            point = choice.choice(self.points[name])
        what = f"step {self.number}: {name} × {fault_name}" + (f" at {point}" if fault_name != NO_FAULT else "")
        self.say(what, end=" ", flush=True)
        try:
            code, output = self.run(argv, name, point, fault_name)
            self.settle(name)
            outcome = self.judge(may_become, name, fault_name, code, output)
        except AssertionError as error:
            raise Broken(f"{what}: {error}") from error
        self.outcomes.setdefault((name, fault_name), []).append(outcome)
        self.say(f"-> {outcome}", flush=True)

    def run(self, argv, name, point, fault_name):
        """The operation under load, with the fault in it; (exit code, output) of the client."""
        trace = self.home.folder / f"trace-{self.number}"
        fault = matrix.Fault(fault_name, self.world)
        load = harness.Load(self.home, DOMAIN, threads=2, keep_alive=False, rate=matrix.LOAD_PER_SECOND)
        beside = harness.Load(self.home, self.bystander.name, threads=1, rate=matrix.LOAD_PER_SECOND / 5)
        with load, beside:
            running = matrix.Running(self.app, argv, f"trace@{trace}" if fault_name == NO_FAULT else f"stop@{point}")
            try:
                if fault_name != NO_FAULT:
                    worker = harness.wait_for(lambda: matrix.deployments_worker(self.home) or self.is_over(running) and -1,
                                              f"it stands still at {point}, or is over", 120)
                    if worker != -1:
                        fault.happen(worker, running)
                code, output = running.end()
                harness.wait_for(lambda: not matrix.pids_of(self.home, r"davit-worker deploy"), "the end of the worker", 120)
            finally:
                fault.over()
            self.home.davit("system:start")
        for one in (load, beside):
            matrix.check_load(one, fault_name)
        if fault_name == NO_FAULT and trace.exists():
            self.points[name] = list(dict.fromkeys(trace.read_text().splitlines()))
        return code, output

    def is_over(self, running):
        """Not every run of an operation passes every point."""
        return running.process.poll() is not None and not matrix.pids_of(self.home, r"davit-worker deploy")

    def settle(self, name):
        if name == "rename":
            there = {f"soak{self.number}", self.app.name} & set(self.home.json("apps:list"))
            if len(there) != 1:
                raise Broken(f"after a rename there are the apps {sorted(there)}")
            self.app.name = there.pop()
        matrix.settled(self.home, self.app.name)

    def judge(self, may_become, name, fault_name, code, output):
        if fault_name == "restart-engine":
            for app in (self.app, self.bystander):
                matrix.wait_for_containers(self.home, app.name)
        state = matrix.whole_state(self.home, self.app)
        said, by = matrix.answers(self.home, DOMAIN)
        if by - state["ids"]:
            raise Broken(f"requests went to {sorted(by)}, instances are {sorted(state['ids'])}")
        is_old = (said, state["instances"]) == ({self.model.answer}, self.model.count)
        has_its_name = name != "rename" or self.app.name == f"soak{self.number}"
        new = next(((answer, count) for answer, count in may_become
                    if has_its_name and (said, state["instances"]) == ({answer}, count)), None)
        if not is_old and new is None:
            raise Broken(f"neither old ({self.model.answer}, {self.model.count}) nor new ({may_become}): it says {said} with "
                         f"{state['instances']} instances; exit {code}\n{output}")
        if new is None and may_become and fault_name in (NO_FAULT, "kill-nginx", "kill-supervisor", "drop-client"):
            raise Broken(f"it did not go on, exit {code}, though nothing stopped it for good\n{output}")
        if new:
            self.model.answer, self.model.count = new
        self.learn_version()
        if self.home.instances(self.bystander.name) != self.untouched:
            self.check_bystander(fault_name)
        return "the same" if is_old and new else "new" if new else "old"

    def check_bystander(self, fault_name):
        """An engine that was started again has started its containers again: other pids, the same instances."""
        now = self.home.instances(self.bystander.name)
        if fault_name != "restart-engine" or {row["id"] for row in now} != {row["id"] for row in self.untouched}:
            raise Broken(f"the bystander was {self.untouched} and is {now}")
        self.untouched = now

    def summary(self):
        lines = []
        for (operation, fault), outcomes in sorted(self.outcomes.items()):
            counts = ", ".join(f"{outcomes.count(word)} {word}" for word in ("old", "new", "the same") if word in outcomes)
            lines.append(f"  {operation} × {fault}: {counts}")
        return "\n".join(lines)


def run(seconds, seed, say=print):
    """Until the time is over. Raises Broken where a promise does not hold; either way says what was done."""
    world = matrix.World()
    try:
        soak = Soak(world, seed, say)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                soak.step()
        except AssertionError as error:  # at once: the end of a world takes minutes on a busy machine
            say(f"\n !     {error}", flush=True)
            raise
        finally:
            say(f"\nseed {seed}, {soak.number} steps\n{soak.summary()}", flush=True)
        for app in (soak.app, soak.bystander):
            matrix.destroy(world, app)
    finally:
        left = world.close()
    if left:
        raise Broken(f"still running after system:stop: {left}")
