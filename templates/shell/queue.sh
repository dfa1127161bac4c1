# queue.sh: hands the jobs of a visit to the queue of a cluster, and waits for them. Sourced by remote.sh.
# shellcheck disable=SC2154
#
# The runtime speaks with the cluster, for all visits together. It finds our order in the node's spool, and says on descriptor 5, after the order's word:
#
#   end <n> <exit> <elapsed> <spent> <word>    job n is back, its archive is <n>.tar; word: ok, timeout, replaced, unreadable
#   end <n> 0 0 0 killed <why>                 it has failed, in the words of the scheduler; there may be an archive
#   lost <why>   back   refused                the rest runs elsewhere; there is no place for now; nor will there be: the reason is in nodes/<node>/refused

start_session() {
  order=$state/nodes/$node/spool/${held##* } fifo=$LOGOBATCH_SLOTS/${held##* }
  [ -p "$fifo.from" ] || { rm -f "$fifo.from"; mkfifo "$fifo.from"; } || return
  # Open on both ends: the runtime comes and goes.
  exec 5<>"$fifo.from" || return
  word=$LOGOBATCH_RUN.$$.$n
  : >"$answers"
  # Where it could run as well, if there is a slot.
  hosts=
  for choice in $choices; do
    case $choice in *:slurm:* | *:sge:*) ;; *:1) hosts=$hosts,${choice%%:*} ;; esac
  done
  going=
  [ -z "$extras" ] || for mark in $marks; do going=$going,$mark; done
  {
    echo "$$ $word $id $cpus $((max_bytes + 2 * log_bytes)) $going $hosts"
    for k in $left; do
      recall "$k"
      for n in $wanted; do eval "[ \"\$order_$n\" != $k ] || number=$n"; done
      echo "$number $attempt $time $job $meaning"
    done
    echo .
  } >"$order"
}

# take_result: the next job's: $n. Sets code, elapsed, spent, note and words.
take_result() {
  while :; do
    # A signal ends it.
    IFS= read -r line <&5 || return
    case $line in
      "$word end "*)
        # A runtime that took over says again what was taken before.
        number=${line#"$word end "}
        [ "${number%% *}" -lt "$n" ] || break
        ;;
      "$word "*) break ;;
    esac
  done
  line=${line#"$word "}
  case $line in
    "end $n "*) ;;
    lost\ *) lost=${line#lost }; return 1 ;;
    back) pause=1; return 1 ;;
    refused) pause=0; turned_away; return 1 ;;
    *) return 1 ;;
  esac
  line=${line#end * }
  code=${line%% *} line=${line#* }
  elapsed=${line%% *} line=${line#* }
  spent=${line%% *} note=${line#* }
  case $note in killed\ *) words=${note#* } note=killed ;; esac
  if [ "$note" = killed ] && [ ! -s "$base/$n.tar" ]; then
    [ -d "$stage/out" ] || mkdir "$stage/out"
    : >"$stage/job.out"
    : >"$stage/job.err"
    return
  fi
  unpack <"$base/$n.tar" && : >"$base/$n.tar"
}

# turned_away: the first of its batch says so.
turned_away() {
  barred && mkdir "${bar%/*}/said" 2>/dev/null || return 0
  echo "refused $id on $node: ${refusal#*does not take it: }$(fits "$cpus" && echo '; it runs elsewhere')" >>"$state/messages"
}

# end_session: the runtime sees that we are done.
end_session() {
  : >"$order"
  exec 5>&-
}
