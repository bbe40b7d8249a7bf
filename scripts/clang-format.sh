#!/usr/bin/env bash
# Checks the C++ format; --write fixes it.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(--dry-run --Werror)
[ "${1:-}" = --write ] && mode=(-i)
git ls-files --cached --others --exclude-standard 'addon/*.cc' 'addon/*.h' | xargs -r clang-format-19 "${mode[@]}"
