# session.sh: one session of a visit with `agent` on a node, over a connection that the visits to that node share. Sourced by remote.sh.
# shellcheck disable=SC2154
#
# Descriptor 4 is what agent reads: one archive goes in, then it stays open; when we end, however, it closes, and agent ends its job. Descriptor 5 is
# what it says: a result a job. The wrapper of ssh holds the slot's lock, so that the slot stays taken until ssh is gone.

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
  [ -z "$secrets" ] || wipe "$base/send" "$base/archive"
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

# take_result: the next job's: $n. Sets code, elapsed, spent and note.
take_result() {
  # The node itself sees to the time limit; it may take its time for sending, but not for ever.
  expect_within $((time > 0 ? time + ${LOGOBATCH_SILENCE:-300} : 0))
  read -r said number <&5 && [ "$said $number" = "result $n" ] || return
  unpack <&5 || return
  read -r said number code elapsed spent note <&5 && [ "$said $number" = "end $n" ]
}

# end_session: nothing more is sent or read, so ssh ends when agent has cleared up, and at once if something still talks. It is not waited for long.
end_session() {
  exec 4>&- 5<&-
  [ -z "$left" ] || [ -z "$stop" ] || kill "$session" 2>/dev/null
  expect_within 60
  while alive "$session"; do wait "$session"; done
  [ ! -e "$base/send/timeout" ] || lost='nothing came for too long'
}
