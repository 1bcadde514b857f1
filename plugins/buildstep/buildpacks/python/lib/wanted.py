"""Says what a Python app wants installed.

wanted.py BUILD_DIR            prints the name of the file it looked at, then requirement lines for pip, none if there is
                               nothing to install
wanted.py --repeatable FILE    exit code 0 if those lines mean the same next time (no local paths, no moving branches)
"""
import hashlib
import json
import os
import re
import sys
import tomllib


class Refused(Exception):
    """The app's fault, said in one line."""


def read_text(path):
    with open(path, encoding="utf-8-sig") as file:
        return file.read()


def logical_lines(text):
    """pip's own rules: a backslash joins lines, ` #` starts a comment."""
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        if line:
            yield line


def from_requirements(path, build, depth=0):
    """The lines of a requirements file, with the files that it includes read in, so that a change in one is seen."""
    if depth > 10:
        raise Refused(f"{path}: requirements files include each other")
    for line in logical_lines(read_text(path)):
        include = re.match(r"(?:-r|--requirement)[ =]*(\S+)$", line)
        if include and "://" not in include.group(1):
            inner = os.path.join(os.path.dirname(path), include.group(1))
            if not os.path.isfile(inner):
                raise Refused(f"{os.path.relpath(path, build)} includes {include.group(1)}, which does not exist")
            yield from from_requirements(inner, build, depth + 1)
            continue
        constraint = re.match(r"(?:-c|--constraint)[ =]*(\S+)$", line)
        if constraint and os.path.isfile(os.path.join(build, constraint.group(1))):
            # A comment, so that a change of that file is a change of what is wanted.
            with open(os.path.join(build, constraint.group(1)), "rb") as file:
                yield f"# {hashlib.sha256(file.read()).hexdigest()}"
        yield line


def names_a_package(line):
    """Options alone, such as --index-url, install nothing."""
    return not line.startswith(("-", "#")) or re.match(r"-e|--editable|-r|--requirement", line)


def pipfile_requirement(name, spec):
    if isinstance(spec, str):
        return name if spec == "*" else name + spec
    extras = "[" + ",".join(spec["extras"]) + "]" if spec.get("extras") else ""
    if "git" in spec:
        url = spec["git"] + (f"@{spec['ref']}" if spec.get("ref") else "")
        line = f"{name}{extras} @ git+{url}"
    elif "path" in spec:
        return ("-e " if spec.get("editable") else "") + spec["path"]
    else:
        version = spec.get("version", "*")
        line = name + extras + ("" if version == "*" else version)
    for hashed in spec.get("hashes", []):
        line += f" --hash={hashed}"
    if spec.get("markers"):
        before, sep, hashes = line.partition(" --hash")
        line = f"{before} ; {spec['markers']}{sep}{hashes}"
    return line


def from_pipfile(build):
    lock = os.path.join(build, "Pipfile.lock")
    if os.path.isfile(lock):
        data = json.loads(read_text(lock))
        packages = data.get("default", {})
        sources = data.get("_meta", {}).get("sources", [])
    else:
        data = tomllib.loads(read_text(os.path.join(build, "Pipfile")))
        packages = data.get("packages", {})
        sources = data.get("source", [])
    lines = [pipfile_requirement(name, spec) for name, spec in sorted(packages.items())]
    urls = [source["url"] for source in sources if source.get("url")]
    if lines and urls and urls != ["https://pypi.org/simple"]:
        lines.insert(0, f"--index-url {urls[0]}")
        lines[1:1] = [f"--extra-index-url {url}" for url in urls[1:]]
    return lines


def from_pyproject(build):
    data = tomllib.loads(read_text(os.path.join(build, "pyproject.toml")))
    project = data.get("project", {})
    poetry = data.get("tool", {}).get("poetry", {})
    if "dependencies" not in project and set(poetry.get("dependencies", {})) - {"python"}:
        raise Refused("pyproject.toml names its dependencies for Poetry; set the buildpack heroku/python, "
                      "or move them to [project] dependencies")
    # An app is run from its folder; only a project that declares commands must itself be installed.
    if project.get("scripts") or project.get("gui-scripts"):
        return ["."]
    if "dependencies" in project.get("dynamic", []):
        return ["."]
    return list(project.get("dependencies", []))


def main():
    if sys.argv[1] == "--repeatable":
        moving = re.compile(r"^(-e|--editable)\b|^\.|^/|git\+|hg\+|svn\+|bzr\+|file:|^\S*\.(whl|zip|tar\.gz)$")
        lines = read_text(sys.argv[2]).splitlines()
        return 1 if any(moving.search(line) for line in lines) else 0
    build = sys.argv[1]
    try:
        for name, read in (("requirements.txt", lambda: from_requirements(os.path.join(build, "requirements.txt"), build)),
                           ("Pipfile", lambda: from_pipfile(build)), ("pyproject.toml", lambda: from_pyproject(build))):
            if os.path.isfile(os.path.join(build, name)):
                lines = list(read())
                if not any(names_a_package(line) for line in lines):
                    lines = []
                print("\n".join([name, *lines]))
                return 0
    except (Refused, tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        print(f" !     {error}", file=sys.stderr)
        return 1
    print("This app has no requirements.txt, Pipfile or pyproject.toml", file=sys.stderr)
    return 1


sys.exit(main())
