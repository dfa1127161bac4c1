# session.sh: a visit's session with `agent` on a node, over a connection that the visits to that node share. Sourced by remote.sh.
# shellcheck disable=SC2154
#
# A session stays open when its visit is done, for the next one to the same slot: <slot>.session says by which run, as which process, marked with
# which word, and with which work folder. The process that holds it (ssh) has both ends of both FIFOs, so that nothing ends between two visits. A
# visit has descriptor 4, which agent reads, and 5, what agent says. It signs with the session's word: if it dies, whoever sees that (guard, or
# the next one here) ends ssh by that word, and without ssh agent ends its job.

# start_session: agent runs, and has all that it needs.
start_session() {
  fifo=$LOGOBATCH_SLOTS/${held##* } nonce=$LOGOBATCH_RUN.$$.$n
  if adopt; then
    # What tar has said is no reason for anything.
    : >"$answers"
    join_fifos
    expect_within "${LOGOBATCH_SILENCE:-120}"
    if attentive; then hand_over ''; return 0; fi
    lost='it is gone'
    end_session
    lost=
  fi
  word=$nonce.0
  rm -f "$fifo.to" "$fifo.from" && mkfifo "$fifo.to" "$fifo.from" || { halt "cannot write to $LOGOBATCH_SLOTS"; return 1; }
  expect_within "${LOGOBATCH_SILENCE:-120}"
  exec 6<>"$fifo.to" 3<>"$fifo.from"
  {
    export LOGOBATCH_JOB="$word"
    reach "exec env LOGOBATCH_AGENT=${work##*/} sh '$work/agent' ${held##* } $nonce '$root' $nice"
  } <&6 >&3 2>"$answers" 3<&- 6>&- 7>&- 8>&- 9>&- &
  session=$!
  join_fifos
  hand_over "${blank}lb-$nonce
"
  while IFS= read -r line <&5; do
    if [ "$line" = "lb-$nonce" ]; then
      if attentive; then return 0; fi
      break
    fi
  done
  lost='no session could be opened'
  end_session
  return 1
}

# adopt: takes the session that the last visit here has left, if it is of this run and lives. Any other makes way.
adopt() {
  { read -r whose session word there <"$fifo.session"; } 2>/dev/null || return
  : >"$fifo.session"
  alive "$session" || return
  [ "$whose $there" = "$LOGOBATCH_RUN $work" ] && ample && return
  reap "LOGOBATCH_JOB=$word\$"
  return 1
}

# ample: the host takes as many sessions as we want. Else each is to be given back, since slots are being moved to other connections.
ample() { [ ! -e "$state/nodes/$node/sessions" ]; }

# join_fifos: with both ends open no opening waits; then only ssh keeps both, so that its end is seen.
join_fifos() {
  # shellcheck disable=SC2094 # meant so
  exec 6<>"$fifo.to" 3<>"$fifo.from" 4>"$fifo.to" 5<"$fifo.from" 6>&- 3>&-
}

# attentive: agent waits for what there is to do.
attentive() { IFS= read -r line <&5 && [ "$line" = ready ]; }

# hand_over START: jobfiles and orders go to agent.
hand_over() {
  trap '' PIPE
  { printf '%s%s %s\n' "$1" "$bytes" "$nonce" && cat "$base/archive"; } >&4 2>/dev/null
  trap - PIPE
  [ -z "$secrets" ] || wipe "$base/send" "$base/archive"
}

# expect_within SECONDS: says by when something must have come, 0 for never; then guard ends the session.
expect_within() {
  now
  deadline=0
  [ "$1" = 0 ] || deadline=$((now / 100 + $1))
  sign "$LOGOBATCH_RUN $$ $word $deadline $base/send"
}

# take_result: the next job's: $n. Sets code, elapsed, spent and note.
take_result() {
  # The node itself sees to the time limit; it may take its time for sending, but not for ever.
  expect_within $((time > 0 ? time + ${LOGOBATCH_SILENCE:-300} : 0))
  read -r said number <&5 && [ "$said $number" = "result $n" ] || return
  unpack <&5 || return
  read -r said number code elapsed spent note <&5 && [ "$said $number" = "end $n" ]
}

# end_session: one that has done all that it should is left for the next visit; any other is ended, and what it was at with it.
end_session() {
  exec 4>&- 5<&-
  if [ -z "$lost$stop" ] && [ -z "${LOGOBATCH_LOST-}" ] && ample; then
    echo "$LOGOBATCH_RUN $session $word $work" >"$fifo.session"
    return
  fi
  reap "LOGOBATCH_JOB=$word\$"
  [ ! -e "$base/send/timeout" ] || lost='nothing came for too long'
}
