# orders.sh: carries out the orders of a visit on a node: its jobs, one after another. Sourced by agent and task.
#
# What is sourced before: processes.sh, logs.sh, clock.sh, place.sh. Set before: work (the folder that all of ours lies in, the current one), name (first word
# of what marks the jobs), slot, nonce, stage and by (below work), root (the view of the image), polite, lost; and a function `hand_in` that gets rid
# of the result of job n in $own, with code, elapsed, spent (hundredths of a second) and note (ok, timeout, replaced, unreadable).
# shellcheck disable=SC2154 # all of those

# leave: nothing of this visit stays.
leave() {
  rm -rf "./$stage" 2>/dev/null || { find "./$stage" -type d ! -perm -700 -exec chmod u+rwx {} \;; rm -rf "./$stage"; }
  : >"$by"
}

# carry_out: unpacked in stage/in are the jobfiles, and `orders`: n, attempt, time limit (s, 0: none), processors, the batch, the job, the shell it
# is for, umask, and the node's name.
carry_out() {
  [ ! -f "$stage/in/extras" ] || place_listed "$stage/in" "$stage/in/extras" "$root" || return 75
  set --
  while read -r n _; do set -- "$@" "$stage/$n" "$stage/$n/out" "$stage/$n/scratch"; done <"$stage/in/orders"
  mkdir "$@" || return 73
  while [ -z "$lost" ] && read -r n attempt time cpus id job shell mask node; do
    execute || break
  done <"$stage/in/orders"
}

# readable: all that the job has left in {out} can be sent.
readable() {
  for entry in "$own"/out/* "$own"/out/.[!.]* "$own"/out/..?*; do
    [ -L "$entry" ] || [ ! -e "$entry" ] || { [ -f "$entry" ] && [ -r "$entry" ]; } || { find "$own/out" -type d ! -perm -700 -exec chmod u+rwx {} \;; return; }
  done
}

# execute: one job. It sees neither our input nor our output.
execute() {
  own=$stage/$n word=$name.$slot.$nonce.$n.$attempt
  [ ! -d "$stage/in/secrets" ] || cp -R "$stage/in/secrets" "$own/scratch/" || return
  now
  began=$now deadline=0
  [ "$time" = 0 ] || deadline=$((now / 100 + time))
  spent "$by.times"
  before=$spent
  echo "- $$ $word $deadline $stage/$n $lifeline" >"$by"
  (
    [ ! -f "$work/$stage/in/environment" ] || . "$work/$stage/in/environment"
    export LOGOBATCH_JOB="$word" LB_OUT="$work/$own/out" LB_SCRATCH="$work/$own/scratch" LB_ATTEMPT="$attempt" LB_CPUS="$cpus" LB_NODE="${machine:-$node}"
    unset LOGOBATCH_AGENT
    umask "$mask"
    trap - PIPE
    # shellcheck disable=SC2086 # words or none
    cd "$root" && exec $polite "$shell" "$work/$stage/in/data/processed/$id/$job/jobfile.sh" </dev/null
  ) 3<&- >>"$own/job.out" 2>>"$own/job.err"
  code=$?
  now
  elapsed=$((now - began))
  spent "$by.times"
  note=ok
  [ ! -e "$own/timeout" ] || note=timeout
  if [ -L "$own" ] || [ ! -d "$own/out" ] || [ -L "$own/out" ] || [ ! -f "$own/job.out" ] || [ ! -f "$own/job.err" ]; then
    note=replaced
    rm -rf "./$own"
    mkdir "$own" "$own/out" && : >"$own/job.out" && : >"$own/job.err" || return
  fi
  # A job that was quicker than keeper is looked at here; nobody writes more than 32 MiB in a hundredth of a second.
  if [ "$elapsed" -ge $((log_bytes / 33554432)) ] && { [ -s "$own/job.out" ] || [ -s "$own/job.err" ]; }; then cap "$own"; fi
  crown "$own"
  readable
  spent=$((spent - before))
  hand_in
}
