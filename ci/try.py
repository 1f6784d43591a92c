"""Tries what other repositories use, on a copy of the rules with a planted mistake: wheel, pre-commit hook, GitHub action,
GitLab job and container file.

Without a container engine and without the services themselves: the steps of the action and of the job run here as a runner
would run them, from the files that are committed. Run by `.ci/run`, with the packages of ci/requirements.txt:

    python3 ci/try.py --profile release
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import yaml
from lxml import etree

ROOT = Path(__file__).resolve().parent.parent
PYTHON = Path(sys.executable)
TOOLS = PYTHON.parent
# The release whose source package carries the schema of the JUnit reports that Jenkins reads.
JUNIT_SCHEMA = "pytest==8.4.2"


def run(*command, expect=0, cwd=ROOT, env=None, quiet=False):
    """Runs a command to its end; another exit code than expected is a failure. Its output, both streams."""
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, text=True, encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if expect is not None and done.returncode != expect:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}, expected {expect}\n{done.stdout}")
    return done.stdout


def demand(condition, what, text=""):
    if not condition:
        sys.exit(f"FAILED: {what}\n{text}")


def git(*arguments, cwd):
    identity = ["-c", "user.name=ci", "-c", "user.email=ci@localhost", "-c", "init.defaultBranch=main",
                "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"]
    return run("git", *identity, *arguments, cwd=cwd)


def repository(folder):
    """A folder as a repository with everything in it committed; its revision."""
    git("init", "--quiet", cwd=folder)
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--message", "all", cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder).strip()


def plant(folder):
    """Misspells a condition of a rule; where the finding has to be."""
    file = folder / "rules" / "exchange.toml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    line = next(index for index, text in enumerate(lines) if text.startswith("when.provider_code"))
    lines[line] = lines[line].replace("when.provider_code", "when.provider_cod", 1)
    file.write_text("".join(lines), encoding="utf-8")
    return "rules/exchange.toml", line + 1


class Trial:
    def __init__(self, work, wheels):
        self.wheels = wheels
        self.clean, self.broken = work / "clean", work / "broken"
        for folder in (self.clean, self.broken):
            shutil.copytree(ROOT / "rules", folder / "rules")
        self.file, self.line = plant(self.broken)
        self.work = work

    def environment(self, **more):
        """No network for packages, and nothing of the surroundings that changes what the tool does."""
        left_out = ("FAULTBOOK_", "GITHUB_", "RUNNER_", "CI_", "PIP_", "PRE_COMMIT", "GIT_", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return kept | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_NO_CACHE_DIR": "1"} | more

    def install(self):
        """`pip install faultbook` gives the command, and nothing is compiled."""
        venv = self.work / "venv"
        run(PYTHON, "-m", "venv", venv)
        run(venv / "bin/python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "faultbook",
            env=self.environment())
        said = run(venv / "bin/faultbook", "--version")
        demand(said == f"faultbook {version()}\n", "the command of the wheel", said)
        return venv / "bin"

    def pre_commit(self):
        """The hook of this repository, run by pre-commit itself in a repository that uses it."""
        hooks = self.work / "hooks"
        for name in run("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
            if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
                (hooks / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, hooks / name)
        revision = repository(hooks)
        run(TOOLS / "pre-commit", "validate-manifest", hooks / ".pre-commit-hooks.yaml")
        environment = self.environment(PRE_COMMIT_HOME=str(self.work / "pre-commit"), PRE_COMMIT_COLOR="never")
        config = {"repos": [{"repo": str(hooks), "rev": revision, "hooks": [{"id": "faultbook"}]}]}
        for folder, expect in ((self.clean, 0), (self.broken, 1)):
            copy = self.work / f"uses-the-hook-{folder.name}"
            shutil.copytree(folder, copy)
            (copy / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
            repository(copy)
            said = run(TOOLS / "pre-commit", "run", "--all-files", cwd=copy, env=environment, expect=expect)
            planted = f"{self.file}:{self.line}:6: error[unknown-key]"
            demand((planted in said) == (expect == 1), f"pre-commit on the {folder.name} rules", said)
            demand("Passed" in said or expect == 1, f"pre-commit on the {folder.name} rules", said)

    def action(self, folder, expect, **given):
        """The steps of the action as a runner runs them; the log of the last one and the summary."""
        action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        unknown = set(given) - {name.replace("-", "_") for name in action["inputs"]}
        demand(not unknown, f"inputs that the action does not have: {unknown}")
        inputs = {name: given.get(name.replace("-", "_"), about["default"]) for name, about in action["inputs"].items()}
        runner = Path(tempfile.mkdtemp(dir=self.work))
        path, summary = runner / "path", runner / "summary"
        path.touch()
        summary.touch()
        log = ""
        for index, step in enumerate(action["runs"]["steps"]):
            demand(step["shell"] == "bash", "a step in another shell")
            demand("${{" not in step["run"], "an input inside of a script could be a command", step["run"])
            value = lambda text: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: str(inputs[found[1]]), str(text))
            added = path.read_text(encoding="utf-8").split()
            environment = self.environment(
                GITHUB_ACTIONS="true", GITHUB_PATH=str(path), GITHUB_STEP_SUMMARY=str(summary), RUNNER_TEMP=str(runner),
                **{name: value(text) for name, text in step.get("env", {}).items()})
            environment["PATH"] = os.pathsep.join([*reversed(added), environment["PATH"]])
            script = runner / f"step-{index}.sh"
            script.write_text(step["run"], encoding="utf-8")
            is_last = index == len(action["runs"]["steps"]) - 1
            log = run("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script, cwd=folder, env=environment,
                      expect=expect if is_last else 0)
        return log, summary.read_text(encoding="utf-8")

    def github(self):
        log, summary = self.action(self.broken, 1)
        annotation = f"::error title=faultbook (unknown-key),file={self.file},line={self.line},endLine={self.line},col=6,"
        demand(annotation in log, "the annotation of the planted mistake", log)
        demand("unknown-key" in summary and f"exchange.toml&#58;{self.line}" in summary, "the summary of the job", summary)
        log, summary = self.action(self.clean, 0)
        demand("::error" not in log and "no findings" in summary, "the action on the clean rules", log + summary)
        sarif = self.work / "broken.sarif"
        self.action(self.broken, 1, format="sarif", output=str(sarif), deny_warnings="false")
        result = json.loads(sarif.read_text(encoding="utf-8"))["runs"][0]["results"][0]
        where = result["locations"][0]["physicalLocation"]
        found = (where["artifactLocation"]["uri"], where["region"]["startLine"])
        demand(found == (self.file, self.line), "the place in SARIF", str(found))
        # What a step is given is never a command.
        self.action(self.clean, 2, rules='$(touch hacked); touch hacked #')
        demand(not (self.clean / "hacked").exists(), "an input was run as a command")

    def gitlab(self):
        job = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text(encoding="utf-8"))["faultbook"]
        for folder, expect in ((self.clean, 0), (self.broken, 1)):
            builds = Path(tempfile.mkdtemp(dir=self.work))
            copy = builds / "project"
            shutil.copytree(folder, copy)
            variables = {name: str(value) for name, value in job["variables"].items()}
            environment = self.environment(CI_BUILDS_DIR=str(builds), **variables)
            script = builds / "script.sh"
            script.write_text("set -eo pipefail\n" + "\n".join(job["script"]) + "\n", encoding="utf-8")
            log = run("bash", script, cwd=copy, env=environment, expect=expect)
            reports = job["artifacts"]["reports"]
            issues = json.loads((copy / reports["codequality"]).read_text(encoding="utf-8"))
            places = [(issue["location"]["path"], issue["location"]["lines"]["begin"]) for issue in issues]
            demand(places == ([(self.file, self.line)] if expect else []), "the code quality report", str(places))
            self.junit(copy / reports["junit"], failing=expect)
            demand(("help: Did you mean `provider_code`?" in log) == bool(expect), "the log of the job", log)

    def junit(self, file, failing):
        document = etree.parse(str(file))
        self.junit_schema().assertValid(document)
        failures = document.findall(".//failure")
        demand(len(failures) == failing, "failing cases", file.read_text(encoding="utf-8"))
        demand(not failing or f"{self.file}:{self.line}:" in failures[0].text, "the case that fails", str(failures))

    def junit_schema(self):
        return etree.XMLSchema(etree.fromstring((self.wheels / "junit.xsd").read_bytes()))

    def junit_of_every_folder(self, bin):
        """The schema accepts the reports on sets with all kinds of findings."""
        schema = self.junit_schema()
        folders = [*(ROOT / "tests/reports").iterdir(), *(ROOT / "tests/lints").iterdir(), ROOT / "tests/cli/findings"]
        for folder in sorted(folders):
            folder = folder if any(folder.glob("*.toml")) else min(folder.iterdir())
            said = self.work / "junit.xml"
            run(bin / "faultbook", "check", folder, "--format", "junit", "--output", said, expect=None)
            schema.assertValid(etree.parse(str(said)))

    def container(self):
        """The linter has no word about it, and what it copies is enough for cargo."""
        run(TOOLS / "hadolint", ROOT / "Containerfile")
        text = (ROOT / "Containerfile").read_text(encoding="utf-8")
        build, last = text.split("\nFROM ")[-2:]
        demand(re.search(r"^USER [1-9]", last, re.MULTILINE), "another user than root")
        source = self.work / "container"
        source.mkdir()
        for sources in re.findall(r"^COPY (.+) \S+$", build, re.MULTILINE):
            for name in sources.split():
                target = source / name
                target.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(ROOT / name, target)
        ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
        demand(all(f"!{path}" in ignored for paths in re.findall(r"^COPY (.+) \S+$", build, re.MULTILINE)
                   for path in paths.split()), "a path that is copied but not sent to the builder")
        environment = os.environ | {"CARGO_TARGET_DIR": str(ROOT / "target")}
        command = re.search(r"^RUN cargo build --release (--locked --bin faultbook)\b", build, re.MULTILINE)
        demand(command, "the command that builds")
        run("cargo", "check", *command[1].split(), cwd=source, env=environment)


def version():
    return re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)[1]


def wheels(work, profile):
    """The wheel of this checkout, and what else pip may ask for without a network."""
    folder = work / "wheels"
    folder.mkdir()
    run(TOOLS / "maturin", "build", "--profile", profile, "--out", folder, "--quiet", cwd=ROOT / "bindings/wheel",
        env=os.environ | {"CARGO_TARGET_DIR": str(ROOT / "target")})
    run(PYTHON, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", folder, "setuptools==84.2.1")
    source = work / "source"
    run(PYTHON, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", source, JUNIT_SCHEMA)
    with tarfile.open(next(source.glob("*.tar.gz"))) as archive:
        name = next(name for name in archive.getnames() if name.endswith("/junit-10.xsd"))
        (folder / "junit.xsd").write_bytes(archive.extractfile(name).read())
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="release", help="the profile of cargo that the wheel is built with")
    parser.add_argument("names", nargs="*", help="what to try; everything unless something is named")
    arguments = parser.parse_args()
    schemas = [("vendor.github-actions", "action.yml"), ("vendor.gitlab-ci", "ci/gitlab.yml")]
    for schema, file in schemas:
        run(TOOLS / "check-jsonschema", "--builtin-schema", schema, file)
    print("schemas: ok")
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        trial = Trial(work, wheels(work, arguments.profile))
        bin = trial.install()
        wheel = next(trial.wheels.glob("faultbook-*.whl"))
        print(f"wheel: ok, {wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB")
        for name, test in (("pre-commit", trial.pre_commit), ("github", trial.github), ("gitlab", trial.gitlab),
                           ("junit", lambda: trial.junit_of_every_folder(bin)), ("container", trial.container)):
            if arguments.names and name not in arguments.names:
                continue
            test()
            print(f"{name}: ok", flush=True)


if __name__ == "__main__":
    main()
