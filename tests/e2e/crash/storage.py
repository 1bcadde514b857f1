"""The app of the operation `replace`: storage that two releases must not have at once, a release command, a postdeploy script, and two
instances that start one by one. What each of them did is written down in the storage."""
import json

SERVER_START = '''
import fcntl
mine = os.environ["DAVIT_INSTANCE"]
held = open("/data/held-" + mine, "a")
fcntl.flock(held, fcntl.LOCK_EX)
for name in os.listdir("/data"):
    if name.startswith("held-") and name.split(".")[-3] != mine.split(".")[-3]:
        with open("/data/" + name) as other:
            try:
                fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                open("/data/two-at-once", "w").close()
'''


def mount(app):
    app.home.davit("storage:ensure-directory", app.name)
    app.home.davit("storage:mount", app.name, f"{app.name}:/data")


def write(app, text):
    """The working copy of a release that answers `text`."""
    app.server(text, SERVER_START)
    app.write("Procfile", f"web: exec python3 -u server.py\nrelease: echo {text} >>/data/migrated\n")
    app.write("app.json", json.dumps({"formation": {"web": {"quantity": 2, "max_parallel": 1}},
                                      "scripts": {"dokku": {"postdeploy": f"echo {text} >>/data/announced"}}}))


def trouble(app, after, is_new, undisturbed):
    """What is wrong with what was written down, or nothing. `undisturbed`: nothing happened to what davit itself runs."""
    folder = app.home.path / "storage" / app.name

    def lines(name):
        return (folder / name).read_text().split() if (folder / name).exists() else []
    announced = lines("announced")
    if (folder / "two-at-once").exists():
        return "two releases had the storage at once"
    if len(announced) != len(set(announced)):
        return f"a postdeploy script ran twice: {announced}"
    if is_new and after not in lines("migrated"):
        return "the release is live, and its release command did not run"
    if is_new and undisturbed and after not in announced:
        return "the postdeploy script did not run"
    return None
