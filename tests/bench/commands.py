"""Whole-process latency of short commands, and which plugin files a command or a push opens."""
import itertools
import os
import re
import statistics
import time

from world import APP

COMMANDS = {"apps:list": ["apps:list"], "config:get": ["config:get", "other-0007", "KEY_7"], "help": ["help"]}


def spawn_ms(argv, env):
    """From posix_spawn to the end, output thrown away."""
    nowhere = os.open("/dev/null", os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, nowhere, number) for number in range(3)]
    start = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=actions)
    _, status = os.waitpid(pid, 0)
    took = (time.perf_counter() - start) * 1000
    os.close(nowhere)
    if status != 0:
        raise SystemExit(f"{argv} ended with status {status}")
    return took


def latency(few, many, pairs):
    """Per command: medians in ms of git, of davit with few and with many; and the medians of the pairs' ratios."""
    git = ["/usr/bin/git", "--version"]
    orders = list(itertools.permutations(range(3)))
    result = {}
    for name, words in COMMANDS.items():
        runs = [(git, few.env), ([str(few.program), *words], few.env), ([str(many.program), *words], many.env)]
        for argv, env in runs * 3:
            spawn_ms(argv, env)
        rows = []
        for number in range(pairs):
            order = orders[number % len(orders)]  # whoever comes first in a round has no lasting advantage
            took = {index: spawn_ms(*runs[index]) for index in order}
            rows.append([took[index] for index in range(3)])
        result[name] = {
            "git_ms": statistics.median(row[0] for row in rows),
            "few_ms": statistics.median(row[1] for row in rows),
            "many_ms": statistics.median(row[2] for row in rows),
            "many_to_git": statistics.median(row[2] / row[0] for row in rows),
            "many_to_few": statistics.median(row[2] / row[1] for row in rows),
        }
    return result


def opened_plugins(home, argv, cwd=None):
    """Names of the plugin files that a command and everything it starts open (strace), sorted."""
    trace = home.folder / "strace"
    home.run(["strace", "-f", "-qq", "-e", "trace=open,openat,openat2", "-o", trace, *argv], cwd=cwd, timeout=240)
    text = trace.read_text(errors="replace")
    trace.unlink()
    if "open" not in text:
        raise SystemExit("strace recorded nothing: the count of plugin files would mean nothing")
    return sorted(set(re.findall(r'lib/davit/plugins/([^"/]+)\.so"', text)))


def plugins_opened(many, app):
    """What is opened by warm short commands, by a plugin's command, and by a push."""
    short = {name: opened_plugins(many, [many.program, *words]) for name, words in COMMANDS.items()}
    plugin = opened_plugins(many, [many.program, "tiny-plugin-004:greet", "ada"])
    app.write("answer", "revision traced\n")
    app.commit()
    push = opened_plugins(many, ["git", "push", "-q", many.repository(APP), "HEAD:refs/heads/main"], cwd=app.folder)
    return {"short": short, "plugin_command": plugin, "push": push}
