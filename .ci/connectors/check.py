"""Runs the quick start of every document in docs/connectors/ exactly as it is written, each in an empty folder.

    python3 .ci/connectors/check.py FAULTBOOK [NAME…]

Of every section before `## What a connector should know`: a block with `title="FILE"` is written to that file, a block `sh`
is run, and a block `text` behind it is what it must print, where `[..]` stands for anything within a line. What a document
needs beside the tool is named in NEEDS; a document whose programs are missing is named as not run.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = ROOT / "docs" / "connectors"
BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
TITLE = re.compile(r'title="(?P<file>[^"]+)"')
# Seconds that a quick start may take; the one of the library compiles it.
TIMEOUT = 900


def library(folder, environment):
    """The release that the document names is this one."""
    (folder / ".cargo").mkdir()
    (folder / ".cargo" / "config.toml").write_text(f'[patch.crates-io]\nfaultbook = {{ path = "{ROOT}" }}\n')
    # The same versions as everywhere else, and nothing fetched anew.
    shutil.copy(ROOT / "Cargo.lock", folder / "Cargo.lock")
    environment["CARGO_TARGET_DIR"] = str(ROOT / "target" / "connectors")


def c(_folder, environment):
    """The library is installed where `bindings/c/test.sh` has put it."""
    environment["PKG_CONFIG_PATH"] = str(ROOT / C_LIBRARY.parent)


def dotnet(folder, _environment):
    """The package lies beside the program."""
    shutil.copy(ROOT / DOTNET_PACKAGE, folder)


# What `bindings/c/test.sh` and `bindings/dotnet/test.sh` leave behind.
C_LIBRARY = Path("target/c-test/prefix/lib/pkgconfig/faultbook.pc")
DOTNET_PACKAGE = Path("target/dotnet-test/Faultbook.0.1.0.nupkg")


def python(folder, environment):
    """The wheel that the document installs is the one that was built here."""
    environment["PIP_FIND_LINKS"] = str(ROOT / "target" / "python" / "wheels")


# What a document needs: programs, files that are built before, and how the folder is prepared.
NEEDS = {
    "library": (["cargo"], [], library),
    "cli": (["python3"], [], None),
    "c": (["cc", "pkg-config"], [C_LIBRARY], c),
    "dotnet": (["mcs", "mono", "unzip", "curl"], [DOTNET_PACKAGE], dotnet),
    "log-pipeline": (["rsyslogd"], [], None),
    "python": (["python3"], ["target/python/wheels"], python),
}


def blocks(document):
    """The blocks of the part that is run: what they are, and their text."""
    text = document.read_text(encoding="utf-8").split("## What a connector should know")[0]
    start = text.find("## Quick start")
    if start < 0:
        sys.exit(f"{document}: no quick start")
    return [(block["info"].strip(), block["text"]) for block in BLOCK.finditer(text, start)]


def matches(expected, found):
    """Whether the lines are the expected ones; `[..]` stands for anything within a line."""
    pattern = "\n".join(".*".join(map(re.escape, line.split("[..]"))) for line in expected.strip("\n").split("\n"))
    return re.fullmatch(pattern, "\n".join(line.rstrip() for line in found.strip("\n").split("\n"))) is not None


def run(command, folder, environment):
    """Runs a shell block to its end. What it leaves in the background goes on, in the group that is returned."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        shell = subprocess.Popen(["bash", "-eu", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=err, start_new_session=True)
        shell.wait(timeout=TIMEOUT)
        out.seek(0)
        err.seek(0)
        printed = out.read()
        if shell.returncode != 0:
            end(shell.pid)
            raise ValueError(f"exit code {shell.returncode}:\n{command}\n{printed}{err.read()}")
        return printed, shell.pid


def end(group):
    """Ends what a shell block has left behind."""
    try:
        os.killpg(group, signal.SIGTERM)
    except ProcessLookupError:
        pass


def try_document(document, tool):
    programs, files, prepare = NEEDS.get(document.stem, ([], [], None))
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        return f"not run: {', '.join(missing)} missing"
    unbuilt = [str(file) for file in files if not (ROOT / file).exists()]
    if unbuilt:
        raise ValueError(f"{', '.join(unbuilt)} is missing; the test script below bindings/ builds it")
    environment = dict(os.environ, PATH=f"{tool.parent}:{os.environ['PATH']}")
    environment.pop("FAULTBOOK_RULES", None)
    groups = []
    with tempfile.TemporaryDirectory(prefix=f"faultbook-{document.stem}-") as name:
        folder = Path(name)
        if prepare:
            prepare(folder, environment)
        printed = None
        try:
            for info, text in blocks(document):
                title = TITLE.search(info)
                if title:
                    file = folder / title["file"]
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text)
                elif info == "sh":
                    printed, group = run(text, folder, environment)
                    groups.append(group)
                    continue
                elif info == "text":
                    if printed is None:
                        raise ValueError("an expected output without a command")
                    if not matches(text, printed):
                        raise ValueError(f"expected:\n{text}\nprinted:\n{printed}")
                printed = None
        finally:
            for group in groups:
                end(group)
    if not groups:
        raise ValueError("nothing is run")
    return f"{len(groups)} commands"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    tool = Path(sys.argv[1]).resolve()
    names = sys.argv[2:]
    failed = False
    for document in sorted(DOCUMENTS.glob("*.md")):
        if names and document.stem not in names:
            continue
        try:
            said = try_document(document, tool)
        except (ValueError, subprocess.TimeoutExpired) as error:
            failed, said = True, f"FAILED\n{error}"
        print(f"{document.stem}: {said}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    # What a quick start leaves running must not outlive it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
