# processes.sh: who is alive, and how to end what a job left running. Sourced by all that asks.
#
# Every process of a job carries a word in its environment, LOGOBATCH_JOB=<run>.<visit>.<n>, and hands it down to its children,
# whatever session or group they move to. So no job needs a process or a session of its own for being found again.

# alive PID: true while it runs; a zombie nobody has waited for counts as dead.
alive() {
  kill -0 "$1" 2>/dev/null || return 1
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0 # no /proc here: believe kill
  case ${stat##*) } in Z* | X*) return 1 ;; esac
}

# born PID: prints when it started, in the kernel's ticks: pid and birth together name a process for good.
born() {
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || { echo 0; return; }
  stat=${stat##*) }
  # shellcheck disable=SC2086 # fields, to be split
  set -- $stat
  echo "${20}"
}

# holders ENTRY...: the pids whose environment has an entry that begins with one of these (of [A-Za-z0-9_=.-]).
holders() {
  for entry; do
    shift
    set -- "$@" -e "^$entry"
  done
  # shellcheck disable=SC2013 # paths of /proc are words
  for entry in $(grep -lzs "$@" /proc/[0-9]*/environ); do
    entry=${entry#/proc/}
    echo "${entry%/environ}"
  done
}

# reap ENTRY...: ends all of them: TERM, then KILL after three seconds. Fails if some could not be ended.
reap() {
  tries=0 signal=TERM
  while pids=$(holders "$@") && [ -n "$pids" ]; do
    # shellcheck disable=SC2086 # pids, to be split
    kill -s "$signal" $pids 2>/dev/null
    tries=$((tries + 1))
    [ "$tries" -lt 15 ] || signal=KILL
    [ "$tries" -lt 75 ] || return 1
    if [ "$tries" -lt 2 ]; then sleep 0.01; elif [ "$tries" -lt 6 ]; then sleep 0.05; else sleep 0.2; fi
  done
}
