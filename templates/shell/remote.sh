# remote.sh: a visit's jobs on a node that is reached by SSH. Sourced by run, when its slot turns out to be on one.
# shellcheck disable=SC2154 # what run, job.sh and run/nodes/<node>/connect have set
#
# One session a visit, over a connection that the visits to a node share. Descriptor 4 is what `agent` there reads: jobfiles and orders go in as one
# archive, then it stays open; when we end, however, it closes, and the agent ends its job. Descriptor 5 is what it says: a result a job.
# The wrapper of ssh holds the slot's lock, so that the slot stays taken until ssh is gone. What is received goes into a folder of its own, and
# is the job's stage only when nothing but out, job.out and job.err is in it: a node can neither forge a record nor reach another job's.

. "$here/connection.sh"
. "$here/supplies.sh"

# visit_there: runs the jobs on $node; those that are not back when the session ends stay in $left.
visit_there() {
  . "$state/nodes/$node/connect"
  lost=
  base=data/processed/.stage/${held##* } answers=$LOGOBATCH_SLOTS/${held##* }.err
  stages || { halt 'cannot write to data/processed/.stage'; return 1; }
  sign "$LOGOBATCH_RUN $$ $LOGOBATCH_RUN.$$.$n.0 0 $base/send"
  # Whoever sends more than this fills the disk: guard ends the session.
  echo "$max_files $(((max_bytes + 2 * log_bytes) / 1024))" >"$base/limit"
  # Secrets are for nobody else here, either.
  [ -z "$secrets" ] || umask 077
  if join && supplies && orders && start_session; then
    got
    [ -z "$secrets" ] || { wipe "$base/send" "$base/archive"; umask "$LOGOBATCH_MASK"; }
    converse
    end_session
  fi
  umask "$LOGOBATCH_MASK"
  stopped && return 1
  [ -n "$left" ] || return 0
  [ -n "$lost" ] || return 0 # an attempt failed, and there is another one
  lose
}

# stages: an empty stage for each job, and a folder for what is sent. Those that the last visit has left clean serve again.
stages() {
  set --
  for k in $left; do set -- "$@" "$base/$((n + $# + 1))"; done
  for stage; do
    for entry in "$stage"/* "$stage"/.[!.]* "$stage"/..?* "$stage"/out/* "$stage"/out/.[!.]* "$stage"/out/..?*; do
      if [ "$entry" != "$stage/out" ] && { [ -e "$entry" ] || [ -L "$entry" ]; }; then wipe "$stage"; fi
    done
  done
  for extra in environment secrets timeout; do [ ! -e "$base/send/$extra" ] || wipe "$base/send/$extra"; done
  for folder in "$base/send" "$@"; do [ -d "$folder" ] || { mkdir -p "$base/send" "$@"; return; }; done
}

# orders: what agent is to do, and what it needs for it: one archive. A job that cannot even be sent has failed.
orders() {
  wanted=''
  set --
  : >"$base/send/orders" || return
  for k in $left; do
    recall "$k"
    set -- "$@" "$folder/jobfile.sh"
    n=$((n + 1))
    eval "order_$n=$k"
    wanted="$wanted $n"
    echo "$n $attempt $time $cpus $id $job $shell $LOGOBATCH_MASK $node" >>"$base/send/orders" || return
  done
  why=
  if [ -n "$secrets" ] && ! { secrets "$base/send/secrets" && environment >"$base/send/environment"; }; then
    for k in $left; do recall "$k"; failed "$why"; done
    left=
    return 1
  fi
  if [ -n "$extras" ]; then
    printf '%s' "$extras" >"$base/send/extras" || return
    set -- "$@" --verbatim-files-from -T "$base/send/extras"
  fi
  set -- "$@" -C "$base/send" ${extras:+extras} ${secrets:+environment}
  [ ! -e "$base/send/secrets" ] || set -- "$@" secrets
  LC_ALL=C tar -b 1 --totals -cf "$base/archive" "$@" orders 2>"$answers" && read -r _ _ _ bytes _ <"$answers" || { halt 'cannot pack jobs'; return 1; }
}

# environment: the secrets that are variables, for sh. They travel by the encrypted stream only.
environment() {
  for secret in $secrets; do
    case $secret in */* | *.*) continue ;; esac
    eval "rest=\$$secret"
    quoted=
    while :; do
      case $rest in *\'*) quoted=$quoted${rest%%\'*}"'\\''" rest=${rest#*\'} ;; *) break ;; esac
    done
    echo "export $secret='$quoted$rest'"
  done
}

# start_session: agent runs, and has all that it needs.
start_session() {
  fifo=$LOGOBATCH_SLOTS/${held##* }
  [ -p "$fifo.to" ] && [ -p "$fifo.from" ] || { rm -f "$fifo.to" "$fifo.from"; mkfifo "$fifo.to" "$fifo.from"; } || return
  # Both ends are opened here, so that neither opening waits and the end of one is seen by the other: nobody keeps both of one.
  # shellcheck disable=SC2094 # meant so
  exec 6<>"$fifo.to" && exec 3<"$fifo.to" 4>"$fifo.to" 6<>"$fifo.from" && exec 5<"$fifo.from" || return
  nonce=$LOGOBATCH_RUN.$$.$n
  word=$nonce.0
  expect_within "${LOGOBATCH_SILENCE:-120}"
  {
    export LOGOBATCH_JOB="$word"
    remote "exec env LOGOBATCH_AGENT=${work##*/} sh '$work/agent' ${held##* } $nonce '$root' $nice"
  } <&3 >"$fifo.from" 2>"$answers" 3<&- 4>&- 5<&- 6>&- 8>&- &
  session=$!
  exec 3<&- 6>&-
  {
    echo "${blank}lb-$nonce
$bytes" && cat "$base/archive"
  } >&4 2>/dev/null
  while IFS= read -r line <&5; do [ "$line" != "lb-$nonce" ] || return 0; done
  end_session
  lost='no session could be opened'
  return 1
}

# expect_within SECONDS: says by when something must have come, 0 for never; then guard ends the session.
expect_within() {
  now
  deadline=0
  [ "$1" = 0 ] || deadline=$((now / 100 + $1))
  sign "$LOGOBATCH_RUN $$ $word $deadline $base/send"
}

# converse: takes the results as they come, and publishes each.
converse() {
  lost='the session ended early'
  for n in $wanted; do
    eval "k=\$order_$n"
    recall "$k"
    stage=$base/$n
    # The node itself sees to the time limit; it may take its time for sending, but not for ever.
    expect_within $((time > 0 ? time + ${LOGOBATCH_SILENCE:-300} : 0))
    read -r said number <&5 && [ "$said $number" = "result $n" ] || return
    # 512 bytes are a block of tar: a file larger than any result may be is cut, whatever is said to be in it.
    (ulimit -f $(((max_bytes + 2 * log_bytes) / 512 + 16)) && exec tar -b 1 -xmf - -C "$base/$n" --strip-components=1 --no-same-owner --no-same-permissions <&5 4>&- 8>&- 9>&-) 2>>"$answers" || {
      lost='sent a result that cannot be unpacked'
      return
    }
    read -r said number code elapsed spent note <&5 && [ "$said $number" = "end $n" ] || return
    sensible || { lost='sent a result without sense'; return; }
    accept || { lost='sent something else than a result'; return; }
    now
    ended=$now began=$((now - elapsed)) why=
    sign "$LOGOBATCH_RUN $$ $word 0 $stage"
    judge "$note"
    log
    left=" $left "
    left="${left%%" $k "*} ${left#*" $k "}"
    losses=0
    finish || { stop=1; return; }
    [ -z "$again" ] || left="$left $k"
    case $left in *[0-9]*) ;; *) left= ;; esac
  done
  lost=
}

# sensible: numbers that sh can reckon with, and a word that we know.
sensible() {
  for figure in "$code" "$elapsed" "$spent"; do
    case $figure in '' | *[!0-9]* | 0?* | ??????????*) return 1 ;; esac
  done
  case $note in ok | timeout | replaced | unreadable) ;; *) return 1 ;; esac
}

# accept: what was received of the job is its stage, if it is a folder, two files, and nothing else. Only then does it get a journal.
accept() {
  [ -d "$stage/out" ] && [ ! -L "$stage/out" ] || return
  for log in "$stage/job.out" "$stage/job.err"; do [ -f "$log" ] && [ ! -L "$log" ] || return; done
  for entry in "$stage"/* "$stage"/.[!.]* "$stage"/..?*; do
    case ${entry##*/} in out | job.out | job.err | '.[!.]*' | '..?*') ;; *) return 1 ;; esac
  done
  echo "for $folder" >>"$stage.journal"
}

# end_session: nothing more is sent or read, so ssh ends when agent has cleared up, and at once if something still talks. It is not waited for long.
end_session() {
  exec 4>&- 5<&-
  [ -z "$left" ] || [ -z "$stop" ] || kill "$session" 2>/dev/null
  expect_within 60
  while alive "$session"; do wait "$session"; done
  [ ! -e "$base/send/timeout" ] || lost='nothing came for too long'
}
