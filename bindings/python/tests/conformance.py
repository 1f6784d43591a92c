"""Failures in JSON on standard input, one a line; one decision a line on standard output.

    python bindings/python/tests/conformance.py [RULES] < failures.ndjson

Byte by byte what `faultbook --rules RULES classify --input json --format json` writes.
"""

import sys

import faultbook


def main() -> None:
    engine = faultbook.Engine.open(sys.argv[1]) if len(sys.argv) > 1 else faultbook.Engine.builtin()
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(engine.classify_json(line.removesuffix(b"\n").removesuffix(b"\r")) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
