#!/usr/bin/env bash
# Puts header, libraries and a pkg-config file below a prefix, after `cargo build --release -p faultbook-c`.
#   bindings/c/install.sh PREFIX [DIRECTORY OF THE LIBRARIES]
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: bindings/c/install.sh PREFIX [DIRECTORY]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
from=${2:-${CARGO_TARGET_DIR:-$here/../../target}/release}
[ -f "$from/libfaultbook.a" ] || {
  echo "no libfaultbook.a in $from: run cargo build --release -p faultbook-c" >&2
  exit 2
}
mkdir -p "$1/include" "$1/lib/pkgconfig"
prefix=$(cd "$1" && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/Cargo.toml")
cp "$here/include/faultbook.h" "$prefix/include/"
cp "$from/libfaultbook.a" "$prefix/lib/"
for library in libfaultbook.so libfaultbook.dylib faultbook.dll; do
  [ ! -f "$from/$library" ] || cp "$from/$library" "$prefix/lib/"
done
cat >"$prefix/lib/pkgconfig/faultbook.pc" <<PC
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: faultbook
Description: a stable code for every failure
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lfaultbook
Libs.private: -lpthread -ldl -lm -lgcc_s
PC
echo "installed faultbook $version in $prefix"
