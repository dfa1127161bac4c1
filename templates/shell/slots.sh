# slots.sh: late binding. Sourced by run.
#
# A slot is a file in a folder of the user's, so that all images share the slots; holding it is holding its lock (flock), which the kernel
# frees however the holder ends. Beside it, <slot>.by says who holds it: "<run> <pid> <word> <deadline> <stage>". That is a hint that spares
# asking for locks in vain, and a duty: whoever gets the lock of a slot whose .by was not emptied ends what its last holder left running.
#
# The job inherits the lock's descriptor. If it leaves a daemon behind, the slot stays taken until that is gone (guard ends it).

# suits NODE: may this batch run there at all? Otherwise says why not in $why.
suits() {
  # shellcheck disable=SC2154 # resources, tags, requires, gpus: the batch's, sourced by run
  case " $resources " in '  ' | *" $1 "*) ;; *) why="may only run on $resources"; return 1 ;; esac
  case $tags in '') ;; *) why="wants a node with the tags $tags"; return 1 ;; esac
  for program in $requires; do
    command -v "$program" >/dev/null || { why="needs the program $program, which $1 does not have"; return 1; }
  done
  have=0
  for device in /dev/nvidia[0-9]*; do [ ! -e "$device" ] || have=$((have + 1)); done
  [ "$gpus" -le "$have" ] || { why="needs $gpus gpus, $1 has $have"; return 1; }
}

# weight CPUS MEM SHARE: how many slots a job takes: its processors, or more if it needs more memory than comes with them (MiB).
weight() {
  width=$1
  [ "$3" -gt 0 ] && [ "$2" -gt $((width * $3)) ] && width=$((($2 + $3 - 1) / $3))
  return 0
}

# free SLOT: true unless somebody alive says that it is his.
free() {
  holder=
  { read -r _ holder _ <"$1.by"; } 2>/dev/null
  [ -z "$holder" ] || ! alive "$holder"
}

# fit CPUS: finds a node for a job of so many processors; sets node, width and slots (of that node). Fails with $why if none can ever hold it.
fit() {
  found='' widest=0
  while read -r node slots share; do
    suits "$node" || continue
    # shellcheck disable=SC2154 # mem: the batch's
    weight "$1" "$mem" "$share"
    [ "$width" -le "$slots" ] && { found=1; break; }
    [ "$slots" -le "$widest" ] || widest=$slots
  done <.logobatch/run/grid
  [ -z "$found" ] || return 0
  [ "$widest" = 0 ] || why="needs $width slots (cpus: $1, mem: ${mem}M), the largest node has $widest"
  return 1
}

# take_one: waits for a slot of $node and keeps it on descriptor 9. Those that wait queue up; only the first of them asks again and again.
take_one() {
  queued='' looks=0
  while :; do
    looks=$((looks + 1))
    i=1
    while [ "$i" -le "$slots" ]; do
      slot=$LOGOBATCH_SLOTS/$node.$i
      # Now and then the lock itself is asked: the pid that signed may be somebody else's by now.
      if free "$slot" || [ $((looks % 30)) = 0 ]; then
        exec 9>>"$slot"
        if LC_ALL=C flock -n 9; then exec 7>&-; return; fi
        exec 9>&-
      fi
      i=$((i + 1))
    done
    stopped && return 1
    [ "$queued" ] && { sleep 0.1; continue; }
    exec 7>>"$LOGOBATCH_SLOTS/$node.queue" && LOGOBATCH_WAIT=$LOGOBATCH_RUN flock 7
    queued=1
  done
}

# take_many COMMAND...: takes $width slots of $node, the free ones first, and becomes COMMAND with them held. One such taker a node at a time,
# so that two cannot wait for each other; the kernel queues it for each lock, so that small jobs cannot starve it.
take_many() {
  exec 7>>"$LOGOBATCH_SLOTS/$node.queue"
  until LOGOBATCH_WAIT=$LOGOBATCH_RUN flock 7; do ! stopped || exit 0; done
  some='' rest=''
  i=1
  while [ "$i" -le "$slots" ]; do
    if free "$LOGOBATCH_SLOTS/$node.$i"; then some="$some $i"; else rest="$rest $i"; fi
    i=$((i + 1))
  done
  held='' n=0
  for i in $some $rest; do
    [ "$n" -lt "$width" ] || break
    set -- flock -F "$LOGOBATCH_SLOTS/$node.$i" "$@"
    held="$held $node.$i" n=$((n + 1))
  done
  export LOGOBATCH_HELD="$held" LOGOBATCH_NODE="$node"
  exec "$@"
}

# settle: the slots in $held are ours now; end what a holder that died left running there, and finish what it was publishing.
settle() {
  for name in $held; do
    word=
    { read -r whose _ word _ left <"$LOGOBATCH_SLOTS/$name.by"; } 2>/dev/null
    [ -n "$word" ] || continue
    reap "LOGOBATCH_JOB=$word\$"
    # A stage is named after one slot only, so just one can come to this.
    case $whose:$left in "$LOGOBATCH_RUN":*/"$name".*) conclude "$left" && wipe "$left" || return ;; esac
  done
}

# sign TEXT: says in every slot we hold who is there; with an empty text, that nobody is.
sign() {
  for name in $held; do echo "$1" >"$LOGOBATCH_SLOTS/$name.by"; done
}
