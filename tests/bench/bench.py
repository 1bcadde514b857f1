"""The bench: runs every measurement, says PASS or MISS for each goal, and writes build/bench.json and docs/performance.md.

Usage: bench.py --build DIR --hook-bench FILE [--quick] [--only-deploys]; scripts/bench builds both and calls it. `--quick` is for work
on the bench itself: few apps and few pairs, and docs/performance.md is left alone. The exit status says whether it could measure, not whether
the goals were met: on a busy machine times are what they are.
"""
import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import commands
import deploys
import load
import push
import services
import world

SOURCE = world.SOURCE
PAGE = SOURCE / "docs" / "performance.md"
BEGIN, END = "<!-- written by scripts/bench -->", "<!-- end of what scripts/bench writes -->"


class Goals:
    """What was promised, and whether it was kept."""

    def __init__(self):
        self.rows = []

    def add(self, what, value, limit, unit):
        self.rows.append({"goal": what, "value": value, "limit": limit, "unit": unit, "pass": value <= limit})
        say = f"{value:.2f}{unit}" if isinstance(value, float) else f"{value}{unit}"
        print(f"{'PASS' if value <= limit else 'MISS'}   {what}: {say} (at most {limit}{unit})", flush=True)


def head(text):
    with open("/proc/loadavg") as file:
        print(f"-----> {text} (load {file.read().split()[0]})", flush=True)


def hook_figures(program):
    """The SDK's own bench, as medians of 5 runs: {name: {"real": ns, "cpu": ns}}. A no-op hook waits for nothing, so that its CPU time is
    its cost; its real time has in it what else the machine does."""
    done = subprocess.run([program, "--benchmark_format=json", "--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{program} exited {done.returncode}\n{done.stderr}")
    scale = {"ns": 1, "us": 1e3, "ms": 1e6}
    return {row["run_name"].split("/")[0]: {kind: row[f"{kind}_time"] * scale[row["time_unit"]] for kind in ("real", "cpu")}
            for row in json.loads(done.stdout)["benchmarks"] if row.get("aggregate_name") == "median"}


def of_answers(pause_ms):
    return f", answers that take {pause_ms} ms" if pause_ms else ""


def add_latencies(goals, result, where):
    for pause, row in result["latency"].items():
        goals.add(f"{where}p99 under load during a deploy, against steady state{of_answers(pause)}", row["ratio"], 1.5, " ×")


def measure_deploys(goals, few, few_app, prefix, server, pairs):
    """Deploys against what they are measured by (deploys.py)."""
    head(f"p99 under load: a deploy and nothing, {pairs} pairs")
    result = {"latency": deploys.latencies(few, few_app, server, pairs)}
    add_latencies(goals, result, "")
    head(f"{deploys.AT_ONCE} apps at once and one after another, {pairs} pairs")
    result["ten"] = deploys.ten_apps(few, server, pairs)
    goals.add(f"{deploys.AT_ONCE} apps deployed at once, against one after another", result["ten"]["ratio"], 1, " ×")
    head(f"On docker: pushes, rollbacks and p99, {pairs} pairs each")
    if reason := world.engine.missing():
        raise SystemExit(f"docker cannot be measured: {reason}")
    docker = result["docker"] = deploys.on_docker(prefix, server, pairs)
    if "push_dockerfile" in docker:
        goals.add("docker: push of one line with a Dockerfile, less 0.5 s, against docker build and docker run",
                  docker["push_dockerfile"]["ratio"], 1.1, " ×")
    goals.add("docker: push of one line to a slug, less 0.5 s, against docker build and docker run", docker["push"]["ratio"], 1.1, " ×")
    goals.add("docker: rollback, against docker run", docker["rollback"]["ratio"], 1.5, " ×")
    add_latencies(goals, docker, "docker: ")
    return result


def measure(options, folder, homes):
    apps, plugins, pairs, redeploys = (100, 20, 3, 2) if options.quick else (1000, 100, 25, 10)
    rounds = 20 if options.quick else 100
    goals, result = Goals(), {"apps": apps, "plugins": plugins, "pairs": pairs, "rounds": rounds, "redeploys": redeploys}

    head(f"Installing twice: 7 plugins, {plugins} plugins")
    server = world.compiled("server.c", folder / "server")
    few_prefix, many_prefix = world.installations(options.build, folder, plugins)

    def home(prefix, count):
        made = homes.enter_context(contextlib.closing(world.BenchHome(prefix, count)))
        return made, world.pushed_app(made, server)

    head(f"A home with 10 apps, one with {apps}")
    few, few_app = home(few_prefix, 10)
    if options.only_deploys:
        result["deploys"] = measure_deploys(goals, few, few_app, few_prefix, server, pairs)
        result["goals"] = goals.rows
        return result
    many, many_app = home(many_prefix, apps)
    result["enabled"] = [sum(1 for row in made.json("plugin:list") if row["state"] == "enabled") for made in (few, many)]
    world.say(f"plugins enabled: {result['enabled'][0]} and {result['enabled'][1]}")

    head("Short commands")
    result["commands"] = commands.latency(few, many, rounds)
    for name, row in result["commands"].items():
        goals.add(f"`{name}`, {apps} apps and {plugins} plugins, against `git --version`", row["many_to_git"], 3, " ×")
        goals.add(f"`{name}`, {apps} apps and {plugins} plugins, against 10 and 7", row["many_to_few"], 1.5, " ×")

    head("Hooks and loading")
    result["hooks"] = hook_figures(options.hook_bench)
    goals.add("no-op hook through the C ABI, C (CPU time)", result["hooks"]["noop_hook_in_c"]["cpu"], 100, " ns")
    goals.add("no-op hook through the C ABI, C++ wrapper (CPU time)", result["hooks"]["noop_hook_in_cpp"]["cpu"], 100, " ns")
    goals.add("loading the template plugin", result["hooks"]["load_template"]["real"] / 1e6, 1, " ms")

    head(f"Pushes to homes with 10 and {apps} other apps, {pairs} pairs")
    few.route_others()
    many.route_others()
    result["push"] = push.pushes(few, few_app, many, many_app, pairs)
    goals.add("push of one line, from `git push` to the answer", result["push"]["few"]["answer_ms"], 1000, " ms")
    goals.add(f"the same beside {apps} other apps and {plugins} plugins", result["push"]["ratio"], 1.1, " ×")
    goals.add(f"nginx switch with {apps} apps", result["push"]["many"]["parts"]["switch"], 50, " ms")
    goals.add(f"nginx switch with {apps} apps, against 10", result["push"]["switch_ratio"], 1.5, " ×")

    head("Plugin files opened (strace)")
    result["opened"] = commands.plugins_opened(many, many_app)
    goals.add("plugin files opened by warm short commands", sum(map(len, result["opened"]["short"].values())), 0, "")
    goals.add("plugins opened by another plugin's command",
              len(set(result["opened"]["plugin_command"]) - {"tiny-plugin-004"}), 0, "")
    builders = {"buildstep", "dockerfile"}  # an app that has chosen none asks each
    goals.add("plugins opened by a push that it does not need",
              len(set(result["opened"]["push"]) - builders - {"nginx", "process", "user-env-compile"}), 0, "")

    result["load"] = []
    for keep_alive in (True, False):
        head(f"Load {'with' if keep_alive else 'without'} keep-alive through {redeploys} redeploys, a failing one, scale, restart, rollback")
        row = load.under_load(few, few_app, keep_alive, redeploys)
        result["load"].append(row)
        goals.add(f"failed of {row['requests']} requests under load, keep-alive {'on' if keep_alive else 'off'}", row["failed"], 0, "")
    result["deploys"] = measure_deploys(goals, few, few_app, few_prefix, server, pairs)
    head("Services, and the same by hand")
    result["services"] = services.measure(few, few.others[0], folder, options.quick)
    services.add_goals(goals, result["services"])
    result["goals"] = goals.rows
    return result


def table(header, rows):
    lines = [f"| {' | '.join(header)} |", f"|{'|'.join(['---'] + ['---:'] * (len(header) - 1))}|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"


def number(value):
    if isinstance(value, int):
        return str(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def page(result):
    apps, plugins = result["apps"], result["plugins"]
    machine = result["machine"]
    out = [f"Measured on {machine['cpus']} cores ({machine['cpu']}), Linux {machine['kernel']}, g++ Release; load average "
           f"{machine['load_before']} before and {machine['load_after']} after the run, at commit {machine['commit']}.\n"]
    out.append("## Goals\n")
    out.append(table(["goal", "measured", "at most", ""],
                     [[row["goal"], number(row["value"]) + row["unit"], f"{row['limit']}{row['unit']}",
                       "PASS" if row["pass"] else "**MISS**"] for row in result["goals"]]))
    out.append(f"## Short commands\nMedians of {result['rounds']} rounds; a ratio is the median of the rounds' ratios.\n")
    out.append(table(["command", "`git --version`", "10 apps, 7 plugins", f"{apps} apps, {plugins} plugins", "to git", "to few"],
                     [[f"`{name}`", f"{row['git_ms']:.1f} ms", f"{row['few_ms']:.1f} ms", f"{row['many_ms']:.1f} ms",
                       f"{row['many_to_git']:.2f}", f"{row['many_to_few']:.2f}"] for name, row in result["commands"].items()]))
    opened = result["opened"]
    out.append(f"Of {plugins} plugins, a warm short command opens {sum(map(len, opened['short'].values()))} files, a plugin's command "
               f"{', '.join(opened['plugin_command'])}, a push {', '.join(opened['push'])}.\n")
    out.append("## Plugins\n")
    out.append(table(["what", "CPU time", "real time"],
                     [[name] + [f"{row[kind] / 1000:.0f} µs" if row[kind] > 2000 else f"{row[kind]:.1f} ns" for kind in ("cpu", "real")]
                      for name, row in result["hooks"].items()]))
    few, many = result["push"]["few"], result["push"]["many"]
    out.append(f"## A push\nMedians of {result['pairs']} interleaved pairs, in ms; the parts' medians need not add up to the whole's. "
               f"`git --version` took {result['push']['git_ms']:.1f} ms between these pushes: where that is far more than 5 ms, the machine "
               "was busy with something else.\n")
    rows = [[name, number(few["parts"][name]), number(many["parts"][name])] for name in push.PARTS]
    rows.append(["**until the new revision answers**", f"**{few['answer_ms']:.0f}**", f"**{many['answer_ms']:.0f}**"])
    rows.append(["the fastest", f"{few['fastest_ms']:.0f}", f"{many['fastest_ms']:.0f}"])
    rows.append(["until `git push` returns", f"{few['push_ms']:.0f}", f"{many['push_ms']:.0f}"])
    out.append(table(["part", "10 apps, 7 plugins", f"{apps} apps, {plugins} plugins"], rows))
    out.append("## Load\n")
    out.append(table(["", "requests", "per second", "failed"],
                     [[f"keep-alive {'on' if row['keep_alive'] else 'off'}", str(row["requests"]), f"{row['per_second']:.0f}",
                       str(row["failed"])] for row in result["load"]]))
    out.append("## Deploys\n" + deploys_table(result["deploys"]))
    out.append("## Services\nMedians. By hand: Debian's programs on a folder of their own. From an import's time that of an empty dump is taken off: "
               "a new instance for each is what it promises.\n")
    out.append(table(["", "by hand, or few", "davit, or many"], services.rows(result["services"])))
    return "\n".join(out)


def deploys_table(row):
    docker, ten = row["docker"], row["ten"]

    def line(what, mine, other, ratio):
        return [what, number(mine) + " ms", number(other) + " ms", f"{ratio:.2f}"]
    names = {"push": "to a slug", "push_dockerfile": "with a Dockerfile"}
    rows = [line(f"docker: push of one line {names[key]}; `docker build` and `docker run`", docker[key]["davit_ms"], docker[key]["hand_ms"],
                 docker[key]["davit_ms"] / docker[key]["hand_ms"]) for key in names if key in docker]
    rows += [line("docker: rollback; `docker run`", docker["rollback"]["davit_ms"], docker["rollback"]["hand_ms"], docker["rollback"]["ratio"]),
             *(line(f"{where}p99 in a deploy{of_answers(pause)}; steady", of["deploying_ms"], of["steady_ms"], of["ratio"])
               for where, side in (("", row), ("docker: ", docker)) for pause, of in side["latency"].items()),
             line(f"{deploys.AT_ONCE} apps at once; one after another", ten["at_once_ms"], ten["in_turn_ms"], ten["ratio"])]
    parts = table(["part of a push on docker", "ms"], [[name, number(docker["push"]["parts"][name])] for name in push.PARTS])
    return table(["what; against what", "davit", "against", "ratio"], rows) + "\n" + parts


def write_page(result):
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{PAGE} has lost its markers")
    PAGE.write_text(f"{before}{BEGIN}\n{page(result)}\n{END}{after}")


def load_average():
    return Path("/proc/loadavg").read_text().split()[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--hook-bench", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only-deploys", action="store_true")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell in the background ignores them: homes are to be taken down
        signal.signal(number, lambda *_: sys.exit(130))
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    machine = {"cpus": os.cpu_count(), "cpu": cpu, "kernel": platform.release().split("-")[0], "load_before": load_average(),
               "commit": world.command(["git", "-C", SOURCE, "rev-parse", "--short", "HEAD"]).strip()}
    folder = Path(tempfile.mkdtemp(prefix="davit-bench-"))
    folder.chmod(0o755)
    started = time.monotonic()
    try:
        with contextlib.ExitStack() as homes:
            result = measure(options, folder, homes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    machine["load_after"] = load_average()
    result.update(machine=machine, quick=options.quick, seconds=round(time.monotonic() - started))
    (SOURCE / "build" / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    missed = sum(not row["pass"] for row in result["goals"])
    print(f"=====> {len(result['goals'])} goals, {missed} missed; figures in build/bench.json", flush=True)
    if not options.quick and not options.only_deploys:
        write_page(result)
        world.say("docs/performance.md is written")


if __name__ == "__main__":
    main()
