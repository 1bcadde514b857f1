"""A Docker engine for end-to-end tests: a dockerd in a temporary folder, with the default stack and with what belongs to a stranger.

Several test programs share one: `engine.py up FILE` starts it and writes to FILE where it is, `engine.py down FILE` compares what the
stranger has with what it was and stops it (fixtures of ctest; a ctest that is killed takes it along). A test program that is
run alone starts one of its own. Nothing here is davit's, except that the stack is made by `davit stack:build`.
"""
import contextlib
import hashlib
import http.client
import io
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
from pathlib import Path

STACK = "davit-e2e/stack:1"
BUSYBOX = "davit-e2e/busybox:1"
PREFIX = "davit-engine-"
START_S = 120
STACK_S = 900


class Refused(AssertionError):
    def __init__(self, what, status, said):
        super().__init__(f"{what}: {status} {said}")
        self.status = status


def label_of(home):
    """What everything of a davit home carries."""
    return f"davit.home={hashlib.sha256(str(home).encode()).hexdigest()[:12]}"


class Api:
    """The engine's HTTP API, by its socket."""

    def __init__(self, path):
        self.path = str(path)

    def ask(self, method, target, body=None, content_type="application/json", query=None, timeout=120):
        connection = http.client.HTTPConnection("docker", timeout=timeout)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(timeout)
        try:
            connection.sock.connect(self.path)
            if isinstance(body, (dict, list)):
                body = json.dumps(body).encode()
            connection.request(method, target + ("?" + urllib.parse.urlencode(query) if query else ""), body=body,
                               headers={"Content-Type": content_type} if body is not None else {})
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(f"{method} {target}", answer.status, said.decode(errors="replace").strip())
        try:
            return json.loads(said) if said.strip() else None
        except ValueError:
            return said.decode(errors="replace")

    def answers(self):
        with contextlib.suppress(OSError, http.client.HTTPException, AssertionError):
            return self.ask("GET", "/_ping", timeout=10) == "OK"
        return False

    def labelled(self, kind, *labels):
        """`kind`: containers, networks or images."""
        more = {"all": "1"} if kind == "containers" else {}
        return self.ask("GET", f"/{kind}" + ("" if kind == "networks" else "/json"),
                        query={"filters": json.dumps({"label": list(labels)}), **more})

    def of_home(self, home):
        """(containers, networks) that a davit home has made."""
        return self.labelled("containers", label_of(home)), self.labelled("networks", label_of(home))

    def forget_home(self, home):
        """Removes everything that a davit home has made, as whoever deletes a home must."""
        containers, networks = self.of_home(home)
        for container in containers:
            with contextlib.suppress(Refused):
                self.ask("DELETE", f"/containers/{container['Id']}", query={"force": "1", "v": "1"})
        for network in networks:
            with contextlib.suppress(Refused):
                self.ask("DELETE", f"/networks/{network['Id']}")
        images = self.labelled("images", label_of(home))
        for _ in range(2):  # the slugs first, then what they stand on
            for image in images:
                with contextlib.suppress(Refused):
                    self.ask("DELETE", f"/images/{image['Id']}")

    def import_image(self, name, tar):
        """`tar`: bytes or an open file."""
        repository, tag = name.rsplit(":", 1)
        said = self.ask("POST", "/images/create", body=tar, content_type="application/x-tar",
                        query={"fromSrc": "-", "repo": repository, "tag": tag}, timeout=600)
        image = re.search("sha256:[0-9a-f]{64}", json.dumps(said)).group()
        self.ask("POST", f"/images/{image}/tag", query={"repo": repository, "tag": tag})  # Podman has called it "latest"

    def run(self, image, argv, name=None, **more):
        made = self.ask("POST", "/containers/create", {"Image": image, "Cmd": argv, **more}, query={"name": name} if name else None)
        self.ask("POST", f"/containers/{made['Id']}/start")
        return made["Id"]


def busybox_tar(extra=None):
    """A root of a single program. `extra`: name -> bytes of more files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        def add(name, content, mode):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
        program = Path("/bin/busybox").read_bytes()
        add("bin/busybox", program, 0o755)
        for link in ("sh", "cat", "sleep", "ls", "nc", "httpd", "true", "env", "id", "mkdir", "dd", "echo"):
            entry = tarfile.TarInfo(f"bin/{link}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
        for folder in ("tmp/", "etc/", "www/"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(entry)
        add("etc/passwd", b"root:x:0:0:root:/:/bin/sh\n", 0o644)
        for name, content in (extra or {}).items():
            add(name, content, 0o755)
    return out.getvalue()


def missing(program="dockerd"):
    """Why there can be no such engine here; None if there can."""
    if os.geteuid() != 0:
        return f"a {program} needs root"
    if not shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin"):
        return f"{program} is not installed: run scripts/install-deps"
    return None


class Pool:
    """A range of addresses that no other engine of the tests on this machine cuts its networks from, and within which containers of one
    network reach each other: where the machine's own engine lets nothing be forwarded that it does not know (its policy is DROP, and
    what crosses a bridge counts as forwarded), the firewall gets one rule, which goes with us."""

    FIRST, COUNT = 130, 100

    def __init__(self):
        for number in range(self.COUNT):
            self.marker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.marker.bind(f"\0davit-test-pool-{number}")
            except OSError:
                self.marker.close()
                continue
            self.network = f"10.{self.FIRST + number}.0.0/16"
            self.rule = ["FORWARD", "-m", "physdev", "--physdev-is-bridged", "-s", self.network, "-d", self.network, "-j", "ACCEPT"]
            self.opened = [program for program in self.firewalls() if self.opens(program)]
            return
        raise AssertionError("no range of addresses is free: are there engines that were left?")

    @staticmethod
    def firewalls():
        """The iptables of both kinds, where it has a table; asking would make one."""
        names = Path("/proc/net/ip_tables_names")
        kinds = {"iptables-nft": "table ip filter" in subprocess.run(["nft", "list", "tables"], stdout=subprocess.PIPE, check=False,
                                                                     text=True).stdout,
                 "iptables-legacy": names.exists() and "filter" in names.read_text().split()}
        return [program for program, there in kinds.items() if there and shutil.which(program, path="/usr/sbin:/sbin")]

    def opens(self, program):
        policy = subprocess.run([f"/usr/sbin/{program}", "-w", "-S", "FORWARD"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                check=True).stdout
        if not policy.startswith("-P FORWARD DROP"):
            return False
        subprocess.run([f"/usr/sbin/{program}", "-w", "-I", *self.rule], check=True)
        return True

    def close(self):
        for program in self.opened:
            subprocess.run([f"/usr/sbin/{program}", "-w", "-D", *self.rule], check=False)
        self.marker.close()


class Own:
    """An engine in a temporary folder, from start() to remove(). `program`: what it is."""

    program = None

    def __init__(self):
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.environ.get(APART, os.getpid())}-"))
        self.socket = self.folder / "engine.sock"
        self.api = Api(self.socket)
        self.process = None

    def start(self):
        if reason := missing(self.program):
            raise AssertionError(reason)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                            env={**os.environ, "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", **self.environment()})
        end = time.monotonic() + START_S
        while not self.api.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{self.program} does not start: " + (self.folder / "log").read_text(errors="replace")[-3000:])
            time.sleep(0.05)

    def environment(self):
        return {}

    def stop(self, number=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def remove(self):
        with contextlib.suppress(Refused, OSError):
            for container in self.api.ask("GET", "/containers/json", query={"all": "1"}):
                with contextlib.suppress(Refused):
                    self.api.ask("DELETE", f"/containers/{container['Id']}", query={"force": "1"})
            for network in self.api.ask("GET", "/networks"):
                with contextlib.suppress(Refused):
                    network["Driver"] == "bridge" and self.api.ask("DELETE", f"/networks/{network['Id']}")
        self.stop()
        remove_folder(self.folder)


class Dockerd(Own):
    """A dockerd of our own, without iptables and without a default bridge: it changes nothing of the machine's network but bridges, and
    these go with it."""

    program = "dockerd"

    def __init__(self):
        super().__init__()
        self.pool = Pool()

    def words(self):
        return ["dockerd", "--data-root", self.folder / "data", "--exec-root", self.folder / "exec", "--pidfile", self.folder / "pid",
                "--host", f"unix://{self.socket}", "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-masq=false",
                "--default-address-pool", f"base={self.pool.network},size=24", "--shutdown-timeout", "5"]

    def remove(self):
        super().remove()
        self.pool.close()


class Podman(Own):
    """The API service of a Podman of our own. It changes the firewall and keeps names of network namespaces in /run: for a
    program that has a network and mounts of its own (apart() below)."""

    program = "podman"

    @staticmethod
    def limits():
        """Those of ours for those where Podman's are above what a root without CAP_SYS_RESOURCE may set. A container with any of its own gets
        Podman's for the others, whatever its settings say."""
        ours = {"nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[1], "nproc": resource.getrlimit(resource.RLIMIT_NPROC)[1]}
        return {name: most for name, most in ours.items() if most != resource.RLIM_INFINITY}

    def environment(self):
        settings = self.folder / "containers.conf"
        limits = [f"{name}={most}:{most}" for name, most in self.limits().items()]
        settings.write_text(f'[containers]\ndefault_ulimits = {json.dumps(limits)}\n'
                            '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nlock_type = "file"\n'
                            '[network]\nnetwork_backend = "netavark"\n')
        return {"CONTAINERS_CONF": str(settings)}

    def words(self):
        return ["podman", "--root", self.folder / "data", "--runroot", self.folder / "run", "--tmpdir", self.folder / "tmp",
                "--network-config-dir", self.folder / "networks", "system", "service", "--time", "0", f"unix://{self.socket}"]


def remove_folder(folder):
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        if line.split()[1].startswith(f"{folder}/"):
            subprocess.run(["umount", "-l", line.split()[1]], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def sweep():
    """What engines left whose test program was killed; plugins/docker/tests does the same. An engine that still runs is not touched."""
    if APART in os.environ:  # whether one runs can be seen from outside only
        return
    commands = b"".join(file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists())
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if not owner.isdigit() or Path("/proc", owner).exists() or bytes(folder) in commands:
            continue
        networks = folder / "data/network/files/local-kv.db"
        text = networks.read_bytes() if networks.exists() else b""
        for link in Path("/sys/class/net").iterdir():
            if f'"BridgeName":"{link.name}"'.encode() in text:
                subprocess.run(["ip", "link", "delete", link.name], check=False)
        remove_folder(folder)


def cache_folder():
    """Survives runs; the same as in plugins/docker/tests."""
    if own := os.environ.get("DAVIT_TEST_CACHE"):
        return Path(own)
    xdg = os.environ.get("XDG_CACHE_HOME")
    return Path(xdg, "davit-tests") if xdg else Path(os.environ.get("HOME", "/tmp"), ".cache/davit-tests")


APART = "DAVIT_E2E_APART"  # of a program that is apart(): its process number outside
OUTSIDE = Path("/run/netns/outside")  # and the machine's own network


def apart():
    """Goes on as the same program with a network, processes and mounts of its own, which all end with it. Needs root."""
    if APART in os.environ:
        return
    inner = 'ip link set lo up && exec "$@"'
    outer = (f'mkdir -p {OUTSIDE.parent} && mount -t tmpfs apart {OUTSIDE.parent} && touch {OUTSIDE} && mount --bind /proc/self/ns/net {OUTSIDE} && '
             f'export {APART}=$$ && exec unshare --net --pid --fork --kill-child --mount-proc "$@"')
    os.execvp("unshare", ["unshare", "--mount", "sh", "-c", outer, "sh", "sh", "-c", inner, "sh", sys.executable, "-B", *sys.argv])


def cached_mmdebstrap(folder):
    """A program that is mmdebstrap, but remembers between runs what it made of which words."""
    program = Path(folder) / "mmdebstrap"
    there = f"nsenter --net={OUTSIDE} " if APART in os.environ else ""
    program.write_text(f"#!/bin/sh\nexec {there}/usr/bin/python3 -B {Path(__file__).with_name('cached_mmdebstrap.py')} {cache_folder()} \"$@\"\n")
    program.chmod(0o755)
    return program


def with_setting(text, plugin, key, value):
    """plugins.toml with one more setting of a plugin."""
    head = f"[plugins.{plugin}.settings]\n"
    line = f"{key} = {json.dumps(str(value))}\n"
    return text.replace(head, head + line, 1) if head in text else text + "\n" + head + line


def make_stack(dockerd, davit):
    """The default stack, made by davit as an operator would, under a name that every home of the tests can use."""
    home = dockerd.folder / "stack-home"
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(dockerd.folder), "DAVIT_HOME": str(home),
           "DOCKER_HOST": f"unix://{dockerd.socket}", "LANG": "C.UTF-8"}

    def run(*words):
        done = subprocess.run([davit, *words], env=env, cwd=dockerd.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=STACK_S)
        if done.returncode != 0:
            raise AssertionError(f"davit {words} exited {done.returncode}: {done.stdout.decode(errors='replace')}")
    run("init", "--runtime", "docker", "--http-port", "9")
    settings = home / "plugins.toml"
    settings.write_text(with_setting(settings.read_text(), "docker", "mmdebstrap", cached_mmdebstrap(dockerd.folder)))
    run("stack:build")
    tag = next(tag for image in dockerd.api.labelled("images", "davit.kind=stack") for tag in image["RepoTags"])
    dockerd.api.ask("POST", f"/images/{tag}/tag", query=dict(zip(("repo", "tag"), STACK.rsplit(":", 1))))


class Stranger:
    """What somebody else has on the same engine. It looks like davit's as far as it can: names, an empty label."""

    def __init__(self, api):
        self.api = api

    def plant(self):
        api = self.api
        api.import_image(BUSYBOX, busybox_tar())
        api.import_image("davit-000000000000/slug:strange", busybox_tar({"bin/strange": b"another layer"}))
        api.ask("POST", "/networks/create", {"Name": "davit-stranger"})
        api.ask("POST", "/volumes/create", {"Name": "stranger"})
        mounts = {"Binds": ["stranger:/data"], "NetworkMode": "davit-stranger"}
        api.run(BUSYBOX, ["sh", "-c", "echo mine >/data/file; exec sleep 1000000"], "first.web.1", HostConfig=mounts,
                Labels={"davit.owner": "first"})
        ended = api.run(BUSYBOX, ["true"], "stranger-ended", HostConfig={"NetworkMode": "none"})
        api.ask("POST", f"/containers/{ended}/wait")
        api.ask("POST", "/containers/create", {"Image": "davit-000000000000/slug:strange", "Cmd": ["true"]}, query={"name": "davit-scratch"})

    def everything(self):
        """Whatever has no label of a davit home."""
        api = self.api

        def foreign(rows):
            return [row for row in rows if "davit.home" not in (row.get("Labels") or {})]
        containers = {}
        for row in foreign(api.ask("GET", "/containers/json", query={"all": "1"})):
            facts = api.ask("GET", f"/containers/{row['Id']}/json")
            containers[row["Id"]] = {key: facts[key] for key in ("Name", "Created", "Image", "RestartCount", "State", "Mounts", "HostConfig")}
        return {"containers": containers,
                "images": {row["Id"]: sorted(row["RepoTags"] or []) for row in foreign(api.ask("GET", "/images/json"))
                           if (row["RepoTags"] or [STACK]) != [STACK]},
                "volumes": sorted(row["Name"] for row in foreign(api.ask("GET", "/volumes")["Volumes"])),
                "networks": {row["Id"]: row["Name"] for row in foreign(api.ask("GET", "/networks"))}}

    def copy(self, container):
        """What one makes to look into a container of davit's, and on its image: both inherit the labels of davit's image."""
        api = self.api
        copy = "davit-e2e/copy:" + container[:12]
        source = api.ask("GET", f"/containers/{container}/json")["Image"]
        api.ask("POST", "/commit", {}, query=dict(zip(("repo", "tag"), copy.rsplit(":", 1)), container=container))
        api.ask("POST", "/images/" + source + "/tag", query={"repo": "davit-e2e/named", "tag": container[:12]})
        id = api.run(copy, ["1000000"], Entrypoint=["sleep"], HostConfig={"NetworkMode": "none"})
        return [id, copy, "davit-e2e/named:" + container[:12]]

    def copied(self, copy):
        """The state of what copy() made, "" for what is not there."""
        states = []
        for kind, name in zip(("containers", "images", "images"), copy):
            try:
                facts = self.api.ask("GET", f"/{kind}/{name}/json")
                states.append((facts["Id"], facts.get("State", {}).get("Status")))
            except Refused:
                states.append("")
        return states

    def forget_copy(self, copy):
        self.api.ask("DELETE", f"/containers/{copy[0]}", query={"force": "1"})
        for image in copy[1:]:
            self.api.ask("DELETE", f"/images/{image}")

    def changes(self, before):
        after = self.everything()
        return [f"{kind}: {before[kind]} became {after[kind]}" for kind in before if before[kind] != after[kind]]


def alone(davit):
    """An engine for this test program only: (api, function that ends it, and finds out whether the stranger was left in peace)."""
    dockerd = Dockerd()
    try:
        dockerd.start()
        make_stack(dockerd, davit)
        stranger = Stranger(dockerd.api)
        stranger.plant()
        before = stranger.everything()
    except BaseException:
        dockerd.remove()
        raise

    def end():
        changes = stranger.changes(before)
        dockerd.remove()
        assert not changes, changes
    return dockerd.api, end


def keep(file, owner, davit):
    """Runs an engine until the process of the descriptor `owner` ends, or SIGTERM."""
    wakeup = os.pipe()
    os.set_blocking(wakeup[1], False)
    signal.set_wakeup_fd(wakeup[1])
    signal.signal(signal.SIGTERM, lambda *_: None)
    api, end = alone(davit)
    problem = None
    try:
        file.with_suffix(".part").write_text(json.dumps({"socket": api.path, "keeper": os.getpid()}))
        file.with_suffix(".part").rename(file)
        select.select([owner, wakeup[0]], [], [])
    finally:
        try:
            end()
        except AssertionError as error:
            problem = str(error)
        file.with_suffix(".problem").write_text(problem or "")
        file.unlink(missing_ok=True)


def up(file):
    if reason := missing():
        print(f"SKIPPED aloud: {reason}", file=sys.stderr)
        return 77
    down(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    log = file.with_suffix(".log")
    ctest = os.getppid()
    owner = os.pidfd_open(ctest)
    keeper = os.fork()
    if keeper == 0:
        os.setsid()
        with log.open("wb") as out:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        code = 1
        try:
            keep(file, owner, Path(os.environ["DAVIT_BUILD_DIR"]) / "bin" / "davit")
            code = 0
        finally:
            import traceback
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(code)
    while not file.exists():
        if os.waitpid(keeper, os.WNOHANG) != (0, 0):
            print(log.read_text(errors="replace"), file=sys.stderr)
            return 1
        time.sleep(0.1)
    return 0


def down(file):
    if not file.exists():
        return 0
    keeper = json.loads(file.read_text())["keeper"]
    with contextlib.suppress(ProcessLookupError):
        watch = os.pidfd_open(keeper)
        words = Path(f"/proc/{keeper}/cmdline").read_bytes()
        if b"engine.py" not in words:
            file.unlink()
            return 0
        os.kill(keeper, signal.SIGTERM)
        select.select([watch], [], [])
    file.unlink(missing_ok=True)
    problem = file.with_suffix(".problem").read_text()
    if problem:
        print(f"what belongs to a stranger is not what it was: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit({"up": up, "down": down}[sys.argv[1]](Path(sys.argv[2])))
