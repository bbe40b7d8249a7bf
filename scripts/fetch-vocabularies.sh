#!/usr/bin/env bash
# Fetches the published schemas of OCSF and Splunk CIM with pip -> var/vocabularies; does nothing if they are there.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

target=var/vocabularies
list=test/support/vocabularies/requirements.txt
mkdir -p var
exec 9> var/.vocabularies.lock
flock 9

# The list in the target says which versions it has, so a changed list fetches them again.
if cmp --silent "$list" "$target/requirements.txt"; then
  say "$target: already there"
  exit 0
fi
say "$target: fetching with pip"
work=$(mktemp -d var/.vocabularies.XXXXXX)
trap 'rm -rf "$work"' EXIT
pip=(python3 -m pip download -q --no-deps --only-binary=:all: --require-hashes -r "$list" --dest)
"${pip[@]}" "$work/wheels" > var/vocabularies.log 2>&1 || fetch_failed pip var/vocabularies.log \
  "bash scripts/fetch-vocabularies.sh"
for wheel in "$work"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$work/all"; done
mkdir "$work/kept"
cp "$work/all/ocsf_json_schema/ocsf/1.8.0.json" "$work/kept/ocsf.json"
for model in Certificates Change Event_Signatures; do
  cp "$work/all/pytest_splunk_addon/data_models/$model.json" "$work/kept/cim-$model.json"
done
cp "$list" "$work/kept/requirements.txt"
chmod 755 "$work/kept"
rm -rf "$target"
mv "$work/kept" "$target"
