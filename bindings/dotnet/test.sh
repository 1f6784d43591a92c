#!/usr/bin/env bash
# Builds the .NET package and tries it on Mono and on CoreCLR, in process, over HTTP and over a Unix socket.
#   bindings/dotnet/test.sh [dev|release]
# FAULTBOOK names a command line tool of the same state, so that none has to be built.
set -euo pipefail
cd "$(dirname "$0")/../.."

profile=${1:-dev}
case $profile in
  dev) built=debug ;;
  release) built=release ;;
  *) echo "usage: bindings/dotnet/test.sh [dev|release]" >&2; exit 2 ;;
esac
target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$PWD/$target

missing=
for tool in cargo mcs mono python3; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  echo "missing:$missing; Debian and Ubuntu: apt-get install mono-runtime mono-mcs mono-devel" >&2
  exit 2
fi
# A CoreCLR of 3.1 or later: the one that is told, that of the PyPI package dotnetcore2, or the one on the PATH.
dotnet=${FAULTBOOK_DOTNET:-$(ls "$target"/dotnet-runtime/lib/python*/site-packages/dotnetcore2/bin/dotnet 2>/dev/null || command -v dotnet || true)}
if [ -z "$dotnet" ]; then
  echo "missing: a .NET runtime; python3 -m venv target/dotnet-runtime && target/dotnet-runtime/bin/pip install dotnetcore2" >&2
  exit 2
fi

work=$target/dotnet-test
rm -rf "$work"
# Sockets have short paths.
sockets=$(mktemp -d)
service=
finish() {
  [ -z "$service" ] || kill "$service" 2>/dev/null || true
  rm -rf "$sockets"
}
trap finish EXIT
mkdir -p "$work"
step() { printf '\n== %s\n' "$*"; }

step "library and service"
cargo build --profile "$profile" -p faultbook-c
faultbook=${FAULTBOOK:-$target/$built/faultbook}
[ -n "${FAULTBOOK:-}" ] || cargo build --profile "$profile" --bin faultbook

step "package"
api="-sdk:4.7.1-api -langversion:7 -warn:4 -warnaserror"
cd bindings/dotnet
mcs $api -unsafe -optimize -target:library -doc:"$work/Faultbook.xml" -out:"$work/Faultbook.dll" -r:System.Net.Http src/*.cs
cd ../..
package=$(python3 bindings/dotnet/pack.py "$work" "$work/Faultbook.dll" "$work/Faultbook.xml" "linux-x64=$target/$built/libfaultbook.so")
# From here on only what is in the package.
rm "$work/Faultbook.dll"
python3 bindings/dotnet/tests/package.py "$package" "$work"

step "programs"
tests=bindings/dotnet/tests
mcs $api -out:"$work/Tests.exe" -r:"$work/Faultbook.dll" -r:System.Net.Http -r:System.Data $tests/Tests.cs $tests/Packages.cs
mcs $api -out:"$work/Conformance.exe" -r:"$work/Faultbook.dll" $tests/Conformance.cs
mcs $api -out:"$work/Sample.exe" -r:"$work/Faultbook.dll" -r:System.Net.Http bindings/dotnet/samples/Sample.cs
for program in Tests Conformance Sample; do
  # The same intermediate language for CoreCLR.
  cp "$work/$program.exe" "$work/$program.dll"
  cat >"$work/$program.runtimeconfig.json" <<'JSON'
{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"}, "rollForward": "LatestMajor",
 "configProperties": {"System.Globalization.Invariant": true}}}
JSON
done
mono "$work/Tests.exe" surface /usr/lib/mono/4.7.1-api/Facades/netstandard.dll

step "service"
address=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$faultbook" serve --access-log off --listen "$address" --socket "$sockets/faultbook" 2>"$work/service.log" &
service=$!
for _ in $(seq 100); do [ ! -S "$sockets/faultbook" ] || break; sleep 0.1; done

run() {
  case $runtime in
    mono) mono "$work/$1.exe" "${@:2}" ;;
    coreclr) "$dotnet" "$work/$1.dll" "${@:2}" ;;
  esac
}
for runtime in mono coreclr; do
  step "$runtime: in process, over HTTP, over a Unix socket"
  run Tests decisions pinvoke
  run Tests decisions http "http://$address"
  run Tests decisions socket "$sockets/faultbook"
  step "$runtime: opening, reloading, closing"
  rm -rf "$work/rules" && cp -r bindings/c/tests/rules "$work/rules"
  run Tests engine "$work/rules"
  step "$runtime: a service that is down, slow or talks nonsense; one that starts again"
  mkdir "$sockets/$runtime"
  run Tests faults "$sockets/$runtime"
  run Tests restart "$faultbook" "$sockets/$runtime"
  step "$runtime: sample"
  run Sample | tee "$work/sample.$runtime"
  run Sample "http://$address" | cmp "$work/sample.$runtime" -
  step "$runtime: conformance"
  for way in "pinvoke" "http http://$address" "socket $sockets/faultbook"; do
    if [ $runtime = mono ]; then command="mono $work/Conformance.exe"; else command="$dotnet $work/Conformance.dll"; fi
    python3 tests/conformance/run.py "$faultbook" -- $command $way
  done
done
cmp "$work/sample.mono" "$work/sample.coreclr"

step "done"
