#!/usr/bin/env bash
# Sets up a checkout: `setup.sh start` for running, `setup.sh test` for all tests. Keeps what is already there.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
mkdir -p var build

check_node
case ${1:-start} in
  start) install_packages "${packages_start[@]}" ;;
  test) install_packages "${packages_test[@]}" ;;
  *) say "usage: setup.sh start|test"; exit 2 ;;
esac
install_npm
if [ "${1:-start}" = test ]; then
  bash scripts/fetch-vocabularies.sh
  install_python
fi
say "building the native addon"
bash scripts/build-native.sh > build/native-build.log 2>&1 || { tail -n 30 build/native-build.log >&2; exit 1; }
say "compiling TypeScript"
npm run --silent build
