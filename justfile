# What `.ci/run` runs, one by one: `just --list`.

set positional-arguments

# Every test of the library and the command line tool
test:
    cargo test

# The C library: header, example, valgrind, threads, conformance
c: release
    FAULTBOOK=$PWD/target/release/faultbook bash bindings/c/test.sh

# The .NET package on Mono and CoreCLR: needs mono-mcs, mono-runtime and the wheel dotnetcore2
dotnet: release
    FAULTBOOK=$PWD/target/release/faultbook bash bindings/dotnet/test.sh

# The Python package: wheel, pytest, mypy, conformance
python: release
    FAULTBOOK_BIN=$PWD/target/release/faultbook bash bindings/python/test.sh

# The HTTP service: faults, limits, schemathesis; needs slowhttptest and curl
service: release
    python3 .ci/service/check.py target/release/faultbook

# Quick starts of docs/connectors/
quickstarts: release
    python3 .ci/connectors/check.py target/release/faultbook

# The release build of the tool
release:
    cargo build --release

# Everything, as CI does
ci:
    bash .ci/run
