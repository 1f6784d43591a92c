# What `.ci/run` runs, one by one: `just --list`.

set positional-arguments

# Every test of the library and the command line tool
test:
    cargo test

# The C library: header, example, valgrind, threads, conformance
c: release
    bash bindings/c/test.sh

# The .NET package on Mono and CoreCLR: needs mono-mcs and mono-runtime
dotnet: release
    bash bindings/dotnet/test.sh

# The Python package: wheel, pytest, mypy, conformance
python: release
    bash bindings/python/test.sh

# The HTTP service: faults, limits, schemathesis; needs slowhttptest and curl
service: release
    bash .ci/service/run.sh target/release/faultbook

# Quick starts of docs/connectors/
quickstarts: release
    python3 .ci/connectors/check.py target/release/faultbook

# The release build of the tool
release:
    cargo build --release

# Everything, as CI does
ci:
    bash .ci/run
