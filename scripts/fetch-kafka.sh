#!/usr/bin/env bash
# Fetches the jars of the test brokers, and of other programs for tests, with Maven; does nothing if they are already there.
#   scripts/fetch-kafka.sh                    Apache Kafka, its tools and Connect -> var/kafka-libs
#   scripts/fetch-kafka.sh kafka VERSION      another version of it               -> var/kafka-libs-VERSION
#   scripts/fetch-kafka.sh perf-test          RabbitMQ's load generator           -> var/perf-test-libs
#   scripts/fetch-kafka.sh cloudevents        the CloudEvents SDK for Java        -> var/cloudevents-libs
#   scripts/fetch-kafka.sh opensearch         an OpenSearch node                  -> var/opensearch-libs
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

case "${1:-kafka}" in
  kafka) name=kafka-libs${2:+-$2} pom=test/integration/support/kafka/pom.xml ;;
  perf-test) name=perf-test-libs pom=test/integration/support/rabbitmq/pom.xml ;;
  cloudevents) name=cloudevents-libs pom=test/interop/java/pom.xml ;;
  opensearch) name=opensearch-libs pom=test/interop/opensearch/pom.xml ;;
  *) echo "usage: $0 [kafka [VERSION]|perf-test|cloudevents|opensearch]" >&2; exit 2 ;;
esac
target=var/$name
mkdir -p var
if [ "$#" -gt 1 ]; then
  sed -E "s#(<kafka.version>).*(</kafka.version>)#\1$2\2#" "$pom" > "var/$name.xml"
  pom=var/$name.xml
fi
# Two parts of the tests may come here at the same time.
exec 9> "var/.$name.lock"
flock 9

# The pom in the target says which versions the jars have, so a changed pom fetches them again.
if cmp --silent "$pom" "$target/pom.xml"; then
  echo "$target: already there"
  exit 0
fi
if ! command -v mvn >/dev/null; then
  echo "$0: Maven is missing; install it with: apt-get install maven" >&2
  exit 1
fi

echo "$target: fetching with Maven ..."
work=$(mktemp -d "var/.$name.XXXXXX")
trap 'rm -rf "$work"' EXIT
maven=(mvn -q -B -ntp -f "$pom" dependency:copy-dependencies)
"${maven[@]}" -DoutputDirectory="$PWD/$work" > "var/$name.log" 2>&1 || fetch_failed Maven "var/$name.log" \
  "${maven[*]} -DoutputDirectory=\"\$PWD/$target\" && cp $pom $target/pom.xml"
chmod 755 "$work"
cp "$pom" "$work/pom.xml"
rm -rf "$target"
mv "$work" "$target"
echo "$target: $(find "$target" -name '*.jar' | wc -l) jars, $(du -sh "$target" | cut -f1)"
