# conduct.sh: runs the visits: make with as many at once as there are slots, guard and progress beside it, and what came of it all.
# The last part of start.

LOGOBATCH_START=$$
now=$(date +%s%N)
read -r uptime _ </proc/uptime
LOGOBATCH_CLOCK=$((${now%???????} - ${uptime%.*}${uptime#*.}))
LOGOBATCH_MASK=$(umask)
export LOGOBATCH_START LOGOBATCH_CLOCK LOGOBATCH_MASK
[ -s "$state/joblog" ] || printf 'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n' >"$state/joblog"

# pool: where the slots are.
pool() {
  if [ -z "$attendant" ]; then echo ' of this machine'; else echo " of $(many "$nodes" '# node' '# nodes')"; fi
}

abreast=$((slots + coming))
[ -z "$cap" ] || [ "$cap" -ge "$abreast" ] || abreast=$cap
[ "$abreast" -le "$visits" ] || abreast=$visits
[ -n "$silent" ] || echo "running $(many "$todo" '# job' '# jobs')$(many "$unchanged" ', # is unchanged' ', # are unchanged') on $(many "$slots" '# slot' '# slots')$(pool)"

# watch: starts the guard, anew if somebody has killed it.
watch() {
  watched=$((watched + 1))
  [ "$watched" -le 20 ] || return 0
  setsid sh "$here/guard" "$run" $$ "$above" </dev/null >/dev/null 2>&1 5<&- 7>&- 8>&- &
  guard=$!
}
watched=0
watch
if [ -n "$silent" ]; then progress=; else sh "$here/progress" "$run" "$todo" </dev/null 5<&- 7>&- 8>&- & progress=$!; fi

# end_work: no new jobs; those that run are ended, and those that wait for a slot, perhaps of another image's, no longer do.
end_work() {
  # In dash a trap that comes between the parts of a condition decides it.
  trap - CHLD
  : >"$state/stop.$run"
  [ -n "$work" ] || return
  kill -s TERM "$work" 2>/dev/null
  # More than once, since a visit may have been on its way to its job.
  while alive "$work"; do
    reap "LOGOBATCH_JOB=$run\\."
    reap "LOGOBATCH_WAIT=$run\$"
    sleep 0.2
  done
}

# A first signal ends the run in order; nothing is promised differently after a second. All of it happens in the traps themselves, so that none
# is missed just before `wait`.
ended_by='' halted='' work=''
trap 'ended_by=${ended_by:-INT}; end_work' INT
trap 'ended_by=${ended_by:-TERM}; end_work' TERM
trap 'ended_by=${ended_by:-HUP}; end_work' HUP
trap 'halted=1; end_work' USR2
trap 'alive "$guard" || watch; [ -z "$attendant" ] || alive "$attendant" || revive' CHLD

# Only what does the work carries the word LOGOBATCH_RUN, so that all of it can be found and ended by that.
# What a shell starts in the background has INT and QUIT ignored for ever; jobs are to have them, for themselves and their children.
default='env --default-signal=INT,QUIT'
$default true 2>/dev/null || default=
# shellcheck disable=SC2086 # words
LOGOBATCH_RUN=$run setsid $default "$make" -f "$state/visits.mk" -rR --no-print-directory -k "-j$abreast" all </dev/null >/dev/null 2>"$state/make.err" 5<&- 7>&- &
work=$!
[ -z "$ended_by$halted" ] || end_work
while alive "$work"; do wait "$work"; done
trap '' INT TERM HUP USR2
trap - CHLD

# Nothing of this run lives on: neither a daemon that a job left nor a visit whose make was killed.
: >"$state/stop.$run"
reap "LOGOBATCH_RUN=$run\$"
# The nodes go down while the rest is seen to.
dismiss
kill "$guard" 2>/dev/null
if [ -n "$progress" ]; then
  kill -s USR1 "$progress" 2>/dev/null
  wait "$progress"
else
  cat "$state/messages"
fi
recover
released=
release_nodes || released=no
. "$here/mail.sh"
mail_batches
summarize
