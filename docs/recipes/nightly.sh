#!/bin/sh
# Reports on one night's log and lists all nights: nightly.sh LOG DIR [DAY]
# Ends with the report's exit code, after the index is written as well.
set -u
log=$1 pages=$2 day=${3:-$(date +%F)}

mkdir -p "$pages/$day" || exit 2
lossreport report "$log" --quiet --title "Nightly losses" \
  --html "$pages/$day/report.html" --json "$pages/$day/report.json" \
  --profile "$pages/$day/night.profile.parquet"
code=$?
lossreport index "$pages" --title "Nightly losses" --quiet || {
  failed=$?
  [ "$code" -ne 0 ] || code=$failed
}
exit "$code"
