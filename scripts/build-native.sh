#!/usr/bin/env bash
# Builds the native addon for this Linux machine and puts it where the loader finds it.
set -euo pipefail
cd "$(dirname "$0")/.."
target=prebuilds/linux-x64
cmake -S addon -B build/native -DCMAKE_BUILD_TYPE=Release -DCERTWIRE_UNITY=ON > build/native-configure.log 2>&1 || {
  cat build/native-configure.log >&2
  exit 1
}
cmake --build build/native --parallel 2 --target certwire_node
mkdir -p "$target"
if ! cmp -s build/native/node/certwire.node "$target/certwire.node"; then
  # Copied under another name first: a process that has loaded the old one must not see it change.
  cp build/native/node/certwire.node "$target/certwire.node.new"
  mv "$target/certwire.node.new" "$target/certwire.node"
fi
