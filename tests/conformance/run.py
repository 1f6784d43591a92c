"""Demands the decisions of the conformance vectors, byte by byte, of any program that reads failures line by line from
standard input and writes one decision line for each to standard output:

    python3 tests/conformance/run.py target/release/faultbook -- COMMAND [ARGUMENT…]

The first argument is the command line tool, which says the digest of the rules that are built in.
"""

import json
import subprocess
import sys
from pathlib import Path

# Stands in the vectors for the digest of the rules.
RULESET = b"[RULESET]"
FAILURE = b'{"failure": '
DECISION = b' "decision": '


def vectors(folder):
    """The failures and decisions of all files, as bytes."""
    for path in sorted(folder.glob("*.json")):
        failure = None
        for line in path.read_bytes().splitlines():
            if line.startswith(FAILURE):
                failure = line[len(FAILURE):].removesuffix(b",")
            elif line.startswith(DECISION):
                yield failure, line[len(DECISION):].removesuffix(b",").removesuffix(b"}")


def main():
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        sys.exit(__doc__)
    tool, command = sys.argv[1], sys.argv[3:]
    listed = subprocess.run([tool, "list", "--format", "json"], check=True, stdout=subprocess.PIPE).stdout
    digest = json.loads(listed)["ruleset"].encode()
    pairs = [(failure, decision.replace(RULESET, digest)) for failure, decision in vectors(Path(__file__).parent)]
    if len(pairs) < 500:
        sys.exit(f"only {len(pairs)} vectors")
    lines = b"".join(failure + b"\n" for failure, _ in pairs)
    done = subprocess.run(command, input=lines, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")
    decisions = done.stdout.split(b"\n")[:-1]
    if len(decisions) != len(pairs):
        sys.exit(f"{len(decisions)} decisions for {len(pairs)} failures")
    wrong = [(pair, decision) for pair, decision in zip(pairs, decisions) if pair[1] != decision.removesuffix(b"\r")]
    for (failure, expected), decision in wrong[:5]:
        print(f"{failure.decode()}\n  expected {expected.decode()}\n  was      {decision.decode(errors='replace')}")
    if wrong:
        sys.exit(f"{len(wrong)} of {len(pairs)} decisions differ")
    print(f"{len(pairs)} decisions, byte by byte")


main()
