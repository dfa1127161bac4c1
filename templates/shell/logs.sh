# logs.sh: a job's logs stay within a limit. Sourced by run and guard.
#
# The job appends to its log directly, no process stands between. When a log has passed the limit its beginning is kept aside, in
# <log>.head, and the file is emptied again and again while the job writes on; at the end the head takes its place, with a line that says so.

log_bytes=${LOGOBATCH_LOG_BYTES:-67108864}

# cap STAGE...: for the logs in there that are too long.
cap() {
  find "$@" -maxdepth 1 \( -name job.out -o -name job.err \) -size "+${log_bytes}c" 2>/dev/null |
    while IFS= read -r long; do
      # Two may be at it at once: what becomes the head was whole before either empties the log.
      [ -e "$long.head" ] || { head -c "$log_bytes" "$long" >"$long.$$" && mv -n "$long.$$" "$long.head"; rm -f "$long.$$"; }
      : >"$long"
    done
}

# crown STAGE: at the job's end.
crown() {
  for long in "$1/job.out" "$1/job.err"; do
    [ -e "$long.head" ] || continue
    printf '\n[LogoBatch: cut after %s bytes; the job wrote more]\n' "$log_bytes" >>"$long.head"
    mv -f "$long.head" "$long"
  done
}
