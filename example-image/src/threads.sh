#!/bin/sh
# Burns the same landscapes on a number of processes side by side, to see what a further process brings.
#
#   sh src/threads.sh PROCESSES FOREST > threads.csv
#
#   processes,fires,burned,elapsed,cpu          elapsed and cpu in seconds
#
# `burned` is the sum over all fires: the same however the work was split.
set -eu
processes=$1 forest=$2
fires=12

parts=$(mktemp -d "${LB_SCRATCH:-${TMPDIR:-/tmp}}/threads.XXXXXX")
trap 'rm -rf "$parts"' EXIT

# Seconds since the machine started, to a hundredth; whole seconds where there is no /proc.
clock() { { read -r seconds _ </proc/uptime; } 2>/dev/null || seconds=$(date +%s); }

# Every processes-th seed, from the first given.
burn() {
  seed=$1
  while [ "$seed" -le "$fires" ]; do
    awk -f src/fire.awk -v density=0.6 -v seed="$seed" "$forest"
    seed=$((seed + processes))
  done
}

clock
began=$seconds
part=1 running=
while [ "$part" -le "$processes" ]; do
  burn "$part" >"$parts/$part" &
  running="$running $!"
  part=$((part + 1))
done
for pid in $running; do wait "$pid"; done
clock

# The second line of `times` is what the finished children took: user, then system, as 0m1.23s.
times >"$parts/times"
awk -v processes="$processes" -v began="$began" -v ended="$seconds" '
  function seconds_of(text,    part) { split(text, part, /[ms]/); return part[1] * 60 + part[2] }
  FILENAME ~ /times$/ { if (FNR == 2) cpu = seconds_of($1) + seconds_of($2); next }
  $1 != "density" { fires++; burned += $4 }
  END {
    print "processes,fires,burned,elapsed,cpu"
    printf "%d,%d,%d,%.2f,%.2f\n", processes, fires, burned, ended - began, cpu
  }' FS='[, ]' "$parts"/[0-9]* "$parts/times"
