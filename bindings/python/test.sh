#!/usr/bin/env bash
# Builds the wheel of the Python package, installs it into an environment of its own below target/, and runs its tests:
#
#     bindings/python/test.sh [--release] [ARGUMENTS OF PYTEST]
#
# 0: all is well; 1: a test failed; 2: something is missing.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

profile=dev folder=debug
if [ "${1:-}" = --release ]; then
  profile=release folder=release
  shift
fi

missing() {
  echo "$1 is missing: $2" >&2
  exit 2
}
command -v cargo >/dev/null || missing cargo "install Rust 1.89 or later"
python=${PYTHON:-python3}
command -v "$python" >/dev/null || missing "$python" "install Python 3.11 or later, or name one in PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  missing "Python 3.11" "the tests read TOML with it (the package itself runs on 3.10); name one in PYTHON"
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing "venv" "install python3-venv"

work=$root/target/python
environment=$work/venv
[ -x "$environment/bin/python" ] || "$python" -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt ||
  missing "a package of tests/requirements.txt" "pip has to reach a package index, or PIP_FIND_LINKS a folder that has it"

# The decisions of the command line, to compare with.
if [ -z "${FAULTBOOK_BIN:-}" ]; then
  cargo build --quiet --locked --profile "$profile" --manifest-path "$root/Cargo.toml" --bin faultbook
  FAULTBOOK_BIN=$root/target/$folder/faultbook
fi
export FAULTBOOK_BIN

rm -rf "$work/wheels"
"$environment/bin/maturin" build --quiet --profile "$profile" --compatibility linux --out "$work/wheels"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$work"/wheels/*.whl

export MYPY_CACHE_DIR=$work/mypy PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=$work/hypothesis
"$environment/bin/python" -m pytest -o cache_dir="$work/pytest" "$@"
"$environment/bin/python" "$root/tests/conformance/run.py" "$FAULTBOOK_BIN" -- "$environment/bin/python" tests/conformance.py
"$environment/bin/python" -m mypy -p faultbook -p tests
"$environment/bin/python" -m mypy.stubtest faultbook --mypy-config-file pyproject.toml --allowlist tests/stubtest.txt --ignore-unused-allowlist
