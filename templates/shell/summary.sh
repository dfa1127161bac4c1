# summary.sh: what came of a run. Sourced by start.

# many COUNT ONE MORE: ONE or MORE with # as the count; nothing for 0.
many() {
  case $1 in 0) return ;; 1) words=$2 ;; *) words=$3 ;; esac
  printf '%s' "${words%%#*}$1${words#*#}"
}

# failures_in_short: what failed and where its log is; jobs of a batch with the same reason share a line.
failures_in_short() {
  awk -F '\t' -v list="$state/failed" '
    {
      batch = $1
      sub(/\/[^\/]*$/, "", batch)
      if (!jobs[batch, $2]++) { first[++lines] = $1; batches[lines] = batch; why[lines] = $2 }
    }
    END {
      for (i = 1; i <= lines && i <= 20; i++) {
        said += count = jobs[batches[i], why[i]]
        errors = first[i] ".failed/job.err"
        if ((getline line < errors) < 0) errors = (count > 1 ? "they were" : "it was") " not started"
        else if (count > 1) errors = errors " …"
        print "  " (count > 1 ? count " jobs of " substr(batches[i], 16) : substr(first[i], 16)) ": " why[i] "  (" errors ")"
      }
      if (said < NR) print "  … and " (NR - said) " more, in " list
    }' "$state/failed"
}

# summarize: how many, what failed and where its log is; ends with the status that make reports.
summarize() {
  ok=$(wc -l <"$state/ok") failed=$(wc -l <"$state/failed") same=$(wc -l <"$state/same") skipped=$(wc -l <"$state/skipped")
  lost=$((todo - ok - failed - same - skipped))
  read -r uptime _ </proc/uptime
  seconds=$(($(date +%s) - ${now%?????????}))
  line="$ok done$(many "$same" ', # unchanged' ', # unchanged')$(many "$failed" ', # failed' ', # failed')"
  line="$line$(many "$skipped" ', # not run because of that' ', # not run because of that')$(many "$lost" ', # not run' ', # not run')"
  [ -n "$silent" ] && [ "$failed" = 0 ] && [ "$lost" = 0 ] || echo "$line in $seconds s; results are in data/processed"
  [ ! -s "$state/lost" ] || {
    awk -F '\t' '{ nodes[$1]++; jobs += $2 } END { for (node in nodes) list = list ", " node; print "  lost with a node and run again elsewhere: " jobs (jobs == 1 ? " job" : " jobs") " (" substr(list, 3) ")" }' "$state/lost"
  }
  for counts in "$state"/nodes/*/counts; do
    { read -r submissions queries _ <"$counts"; } 2>/dev/null || continue
    node=${counts%/counts}
    [ -n "$silent" ] || echo "  ${node##*/}: $submissions submission$([ "$submissions" = 1 ] || echo s), $queries $([ "$queries" = 1 ] && echo query || echo queries) of its queue"
  done
  if [ "$failed" -gt 0 ]; then
    failures_in_short
    echo "  make retry  runs them again"
  fi
  case $ended_by in '') ;; *)
    echo "ended by SIG$ended_by; make goes on where this stopped"
    case $ended_by in INT) exit 130 ;; TERM) exit 143 ;; HUP) exit 129 ;; esac ;;
  esac
  [ -z "$released" ] || exit 1
  [ "$failed" = 0 ] && [ "$skipped" = 0 ] && [ "$lost" = 0 ] && [ "$asked" = 0 ] && : >"$state/complete" && exit 0
  [ "$lost" = 0 ] || [ -n "$halted" ] || echo "the recipes of $lost jobs ended before their time; make runs those again"
  exit 1
}
