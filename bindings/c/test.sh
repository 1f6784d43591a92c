#!/usr/bin/env bash
# Builds the C library and tries it as C and C++ programs do, under valgrind and with threads.
#   bindings/c/test.sh [dev|release]
# FAULTBOOK names a command line tool of the same state, so that none has to be built.
set -euo pipefail
cd "$(dirname "$0")/../.."

profile=${1:-dev}
case $profile in
  dev) built=debug ;;
  release) built=release ;;
  *) echo "usage: bindings/c/test.sh [dev|release]" >&2; exit 2 ;;
esac
missing=
for tool in cargo gcc g++ nm python3 valgrind; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  echo "missing:$missing; Debian and Ubuntu: apt-get install gcc g++ binutils python3 valgrind" >&2
  exit 2
fi

target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$PWD/$target
work=$target/c-test
rm -rf "$work"
mkdir -p "$work/testing" "$work/rules"
step() { printf '\n== %s\n' "$*"; }

step "header, symbols, words of the decision without an engine"
cargo test --quiet --profile "$([ "$profile" = dev ] && echo test || echo release)" -p faultbook-c

step "library"
cargo build --profile "$profile" -p faultbook-c --features testing
cp "$target/$built/libfaultbook.so" "$work/testing/"
cargo build --profile "$profile" -p faultbook-c
bindings/c/install.sh "$work/prefix" "$target/$built"
faultbook=${FAULTBOOK:-$target/$built/faultbook}
[ -n "${FAULTBOOK:-}" ] || cargo build --profile "$profile" --bin faultbook

step "nothing is exported but what the header declares"
nm --dynamic --defined-only --format=posix "$work/prefix/lib/libfaultbook.so" | cut -d' ' -f1 | sort |
  diff -u bindings/c/tests/symbols.txt -

for set in one two broken; do cp -r bindings/c/tests/rules "$work/rules/$set"; done
sed -i 's/set one saw/set two saw/' "$work/rules/two/new.toml"
sed -i 's/^code = "DSNEW001"/code = "DSNEW002"/' "$work/rules/broken/new.toml"

prefix=$work/prefix
cflags="-Wall -Wextra -Werror -pedantic -I$prefix/include"
shared="-L$prefix/lib -lfaultbook -Wl,-rpath,$prefix/lib"
static="$prefix/lib/libfaultbook.a -lpthread -ldl -lm -lgcc_s"

step "example: C, C++ and the static library give the same answers as each other"
gcc -std=c11 $cflags bindings/c/examples/classify.c $shared -o "$work/classify"
g++ -x c++ -std=c++17 $cflags bindings/c/examples/classify.c -x none $shared -o "$work/classify-cpp"
gcc -std=c11 $cflags bindings/c/examples/classify.c $static -o "$work/classify-static"
printf '%s\n' '{"connector":"webhook","http_status":502}' '{"message":"what is this"}' '' 'nonsense' >"$work/failures.ndjson"
for program in classify classify-cpp classify-static; do
  "$work/$program" <"$work/failures.ndjson" >"$work/$program.out"
  cmp "$work/classify.out" "$work/$program.out"
done
grep -c . "$work/classify.out"

step "conformance program"
gcc -std=c11 $cflags bindings/c/tests/conformance.c $shared -lpthread -o "$work/conformance"
"$work/conformance" <"$work/failures.ndjson" | cmp "$work/classify.out" -
# Exit code 1 says that some of them cannot be read.
("$faultbook" classify --input json --format json <"$work/failures.ndjson" 2>/dev/null || [ $? -eq 1 ]) |
  cmp "$work/classify.out" -
python3 tests/conformance/run.py "$faultbook" -- "$work/conformance"

step "border"
gcc -std=c11 $cflags bindings/c/tests/border.c $shared -lpthread -o "$work/border"
"$work/border" "$work/rules" 20000 10
g++ -x c++ -std=c++17 $cflags bindings/c/tests/border.c -x none $shared -lpthread -o "$work/border-cpp"
"$work/border-cpp" "$work/rules" 2000 3
gcc -std=c11 $cflags -DFAULTBOOK_TESTING bindings/c/tests/border.c -L"$work/testing" -lfaultbook \
  -Wl,-rpath,"$work/testing" -lpthread -o "$work/border-testing"
"$work/border-testing" "$work/rules" 2000 3 2>"$work/faults.log"
grep -c "a fault on purpose" "$work/faults.log"

step "valgrind"
# Not `possible`: hash tables are held by a pointer into their middle, and the table of known patterns lives on.
valgrind="valgrind --quiet --error-exitcode=9 --leak-check=full
  --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect"
$valgrind "$work/border" "$work/rules" 20 2
$valgrind "$work/border-testing" "$work/rules" 20 2 2>"$work/faults.log" || { cat "$work/faults.log" >&2; exit 1; }
$valgrind "$work/conformance" <"$work/failures.ndjson" | cmp "$work/classify.out" -

step "done"
