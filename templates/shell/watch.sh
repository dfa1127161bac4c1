# watch.sh: what is looked at once a second while jobs run: time limits, the length of logs, holders that died, what finished jobs left running.
# Sourced by guard, which watches this machine, and by keeper, which watches a node.
#
# A slot's holder says in <slot>.by who it is: "<run> <pid> <word> <deadline in s of uptime, 0: none> <stage> …". The sourcing script has
# processes.sh, logs.sh and clock.sh, and a function `bereaved` that clears up after a holder that died, with whose, holder, word and stage set.

# look FOLDER RUN: every slot that RUN has signed there. Sets seconds, and active: the words of the jobs that run.
look() {
  now
  seconds=$((now / 100)) active='' stages=''
  for by in "$1"/*.by; do
    { read -r whose holder word deadline stage rest; } 2>/dev/null <"$by" && [ "${whose-}" = "$2" ] || continue
    active="$active $word"
    if ! alive "$holder"; then bereaved & fi
    if [ "$deadline" -gt 0 ] && [ "$seconds" -ge "$deadline" ] && [ ! -e "$stage/timeout" ]; then
      : >"$stage/timeout"
      reap "LOGOBATCH_JOB=$word\$" &
    fi
    stages="$stages $stage"
  done
  # shellcheck disable=SC2086 # folders of ours, to be split
  [ -z "$stages" ] || cap $stages
}

# leftovers RUN: processes of jobs that have ended, seen twice so that a job that is just being replaced is let alone.
seen=
leftovers() {
  suspects=
  for pid in $(holders "LOGOBATCH_JOB=$1\\."); do
    word=$({ tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^LOGOBATCH_JOB=//p'; } 2>/dev/null)
    # A session waits for the next visit; what is left of it goes with the run.
    case " $active " in *" $word "*) continue ;; esac
    case $word in *.0) continue ;; esac
    case " $seen " in *" $pid "*) reap "LOGOBATCH_JOB=$word\$" & ;; esac
    suspects="$suspects $pid"
  done
  seen=$suspects
}
