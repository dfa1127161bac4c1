# slots.sh: late binding. Sourced by run.
#
# A slot is a file in a folder of the user's, so that all images share the slots; holding it is holding its lock (flock), which the kernel
# frees however the holder ends. Beside it, <slot>.by says who holds it: "<run> <pid> <word> <deadline> <stage>". That is a hint that spares
# asking for locks in vain, and a duty: whoever gets the lock of a slot whose .by was not emptied ends what its last holder left running.
#
# The job inherits the lock's descriptor. If it leaves a daemon behind, the slot stays taken until that is gone (guard ends it).
#
# run/grid has a line a node: name, kind (local, ssh, slurm, sge), slots, MiB of memory that come with a slot (0: unknown), gpus, tags, programs; the last
# two with commas, or -. Nodes may join while visits wait.

# suits: may this batch run on the node whose line was read? Otherwise says why not in $why, unless no such node may take part at all: see fits.
suits() {
  # shellcheck disable=SC2154 # resources, tags, requires, gpus, mem: the batch's, sourced by run
  case " $resources " in '  ' | *" $node "*) ;; *) return 1 ;; esac
  for tag in $tags; do
    case ",$marks," in *",$tag,"*) ;; *) [ -z "$resources" ] || why="wants the tags $tags, which $node does not have"; return 1 ;; esac
  done
  for program in $requires; do
    case ",$programs," in *",$program,"*) ;; *) why="needs the program $program, which $node does not have"; return 1 ;; esac
  done
  [ "$gpus" -le "$have" ] || { why="needs gpus: $gpus, $node has $have"; return 1; }
  [ -z "$setup" ] || [ ! -e "$state/nodes/$node/unprepared/$setup" ] || { why="its setup $setup failed on $node"; return 1; }
}

# barred: true if $node is a cluster whose scheduler never takes what this visit asks for, as it has said in this run: $refusal. What it took of
# an earlier run it still has.
barred() {
  # shellcheck disable=SC2086 # numbers
  set -- $left
  bar=$state/nodes/$node/refused/$id/$cpus.$((time * $#))
  { IFS= read -r refusal <"$bar"; } 2>/dev/null || return
  [ -d "$state/attached/$id" ] || return 0
  for k; do eval "[ ! -e \"$state/attached/$id/\$job_$k\" ] || return 1"; done
}

# weight CPUS MEM SHARE: how many slots a job takes: its processors, or more if it needs more memory than comes with them (MiB).
weight() {
  width=$1
  [ "$3" -gt 0 ] && [ "$2" -gt $((width * $3)) ] && width=$((($2 + $3 - 1) / $3))
  return 0
}

# fit CPUS: sets choices to the nodes that can hold a job of so many processors, hosts before queues: "node:kind:slots:width …". Fails with $why if none ever can; that
# is not said while nodes are still to come.
fit() {
  until fits "$1"; do
    [ -e "$state/coming" ] && ! stopped || return 1
    sleep 0.3
  done
  [ ! -d "$state/attached/$id" ] || attached "$1"
}

# attached CPUS: jobs that wait in the queue of a cluster already, since a run that died has put them there, are asked for there.
attached() {
  for k in $left; do
    recall "$k"
    while { read -r there <"$state/attached/$id/$job"; } 2>/dev/null && ! stopped; do
      for choice in $choices; do
        case $choice in "$there":*) choices=$choice; return ;; esac
      done
      # It is there, but not for this batch any more.
      ! grep -q "^$there " "$state/grid" || break
      sleep 0.3
      fits "$1"
    done
  done
}

fits() {
  choices='' queues='' widest=0 why='there is no node for it' refusal='' asks="cpus: $1"
  [ -z "$tags" ] || why="wants the tags $tags, which no machine that takes part has"
  [ -z "$resources" ] || why="may only run on $resources, and no machine that takes part is called so"
  [ "$mem" = 0 ] || asks="$asks, mem: ${mem}M"
  while read -r node kind slots share have marks programs; do
    suits || continue
    # How large the machines of a cluster are is known to its scheduler.
    case $kind in
      slurm | sge) barred || queues="$queues $node:$kind:$slots:1"; continue ;;
    esac
    weight "$1" "$mem" "$share"
    if [ "$width" -le "$slots" ]; then
      choices="$choices $node:$kind:$slots:$width"
    elif [ "$slots" -gt "$widest" ]; then
      widest=$slots why="needs $width slots ($asks), the largest node has $widest"
    fi
  done <.logobatch/run/grid
  choices=$choices$queues why=${refusal:-$why}
  [ -n "$choices" ]
}

# choice NODE:KIND:SLOTS:WIDTH: sets node, kind, slots and width.
choice() {
  width=${1##*:} slots=${1%:*}
  kind=${slots%:*} slots=${slots##*:}
  node=${kind%:*} kind=${kind##*:}
}

# wide: true if the job takes several slots on some node.
wide() {
  for choice in $choices; do
    [ "${choice##*:}" = 1 ] || return 0
  done
  return 1
}

# ready: true unless no job may start on $node for now, or this visit was lost there and there is another one to wait for: a node that loses all
# that it is given always has a slot to spare. Sets stale if it is no choice any more.
ready() {
  [ ! -e "$state/nodes/$node/aside" ] || return 1
  case $kind in slurm | sge) if barred; then stale=1; return 1; fi ;; esac
  case " $avoid " in *" $node "*) [ "$looks" -gt 20 ] && ! elsewhere ;; esac
}

# elsewhere: true if jobs may start on a node where this visit was not lost.
elsewhere() {
  for other in $choices; do
    other=${other%%:*}
    case " $avoid " in *" $other "*) ;; *) [ -e "$state/nodes/$other/aside" ] || return 0 ;; esac
  done
  return 1
}

# free SLOT: true unless somebody alive says that it is his.
free() {
  holder=
  { read -r _ holder _ <"$1.by"; } 2>/dev/null
  [ -z "$holder" ] || ! alive "$holder"
}

# spots ORDINAL: lists the slots of all choices: hosts come before queues, which take any number and let it wait; the first of each node, then the
# second …, so that work spreads. The first look of a visit begins at its own place in the list: those that start together do not ask for the same lock.
spots() {
  spots='' ordinal=$1
  for sort in host queue; do
    set --
    i=1 more=1
    while [ -n "$more" ]; do
      more=
      for choice in $choices; do
        choice "$choice"
        case $sort:$kind in host:slurm | host:sge | queue:local | queue:ssh) continue ;; esac
        if [ "$i" -le "$slots" ]; then
          set -- "$@" "$node.$i:$kind"
          more=1
        fi
      done
      i=$((i + 1))
    done
    [ $# -gt 0 ] || continue
    skip=$((ordinal % $#))
    while [ "$skip" -gt 0 ]; do
      spot=$1
      shift
      set -- "$@" "$spot"
      skip=$((skip - 1))
    done
    spots="$spots $*"
  done
}

# take_one ORDINAL: waits for a slot and keeps it on descriptor 9; sets slot, node and kind. Those that wait queue up; only the first of them
# asks again and again. Fails if it has to be seen anew where the job may run.
take_one() {
  queued='' looks=0 stale=''
  spots "$1"
  while :; do
    looks=$((looks + 1))
    for spot in $spots; do
      kind=${spot##*:} slot=$LOGOBATCH_SLOTS/${spot%:*} node=${spot%.*}
      ready || continue
      # Now and then the lock itself is asked: the pid that signed may be somebody else's by now.
      if free "$slot" || [ $((looks % 30)) = 0 ]; then
        exec 9>>"$slot"
        if LC_ALL=C flock -n 9; then exec 7>&-; return; fi
        exec 9>&-
      fi
    done
    stopped && return 1
    [ -z "$stale" ] || return
    [ $((looks % 50)) != 0 ] || { fit "$cpus" && ! wide && spots 0; } || return
    [ "$queued" ] && { sleep 0.1; continue; }
    queued=1
    queue "q.$LOGOBATCH_IMAGE.${id%/*}.${id#*/}"
  done
}

# queue NAME: waits until nobody is before us; holds the place on descriptor 7.
queue() {
  exec 7>>"$LOGOBATCH_SLOTS/$1"
  until LOGOBATCH_WAIT=$LOGOBATCH_RUN flock 7; do ! stopped || exit 0; done
}

# take_many JOB...: takes $width slots of one node, the free ones first, and runs these jobs of the batch with them held; the kernel queues it for
# each lock, so that small jobs cannot starve it. Those jobs that were lost with their node come back in a file, and another node is looked for.
take_many() {
  # Below 10 nothing is free then for the locks to come: those descriptors are the visit's own.
  exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null 9</dev/null
  while [ $# -gt 0 ]; do
    queue "q.$LOGOBATCH_IMAGE.${id%/*}.${id#*/}"
    # A visit of its own says why.
    fit "$cpus" || { exec 7>&-; sh "$here/run" "$id" "$first" "$cpus" "$@"; return; }
    claim $((first / $#)) || { exec 7>&-; stopped && return; continue; }
    some='' rest=''
    i=1
    while [ "$i" -le "$slots" ]; do
      if free "$LOGOBATCH_SLOTS/$node.$i"; then some="$some $i"; else rest="$rest $i"; fi
      i=$((i + 1))
    done
    held='' n=0
    set -- sh "$here/run" "$id" "$first" "$cpus" "$@"
    for i in $some $rest; do
      [ "$n" -lt "$width" ] || break
      set -- flock -F "$LOGOBATCH_SLOTS/$node.$i" "$@"
      held="$held $node.$i" n=$((n + 1))
    done
    LOGOBATCH_HELD="$held" LOGOBATCH_NODE="$node" LOGOBATCH_KIND="$kind" LOGOBATCH_LOST="$LOGOBATCH_SLOTS/lost.$$" "$@"
    held='' jobs=
    exec 7>&-
    if [ -s "$LOGOBATCH_SLOTS/lost.$$" ]; then
      read -r jobs <"$LOGOBATCH_SLOTS/lost.$$"
      rm -f "$LOGOBATCH_SLOTS/lost.$$"
    fi
    avoid=$node
    # shellcheck disable=SC2086 # names of jobs
    set -- $jobs
  done
}

# claim ORDINAL: the node for a job that takes several slots: one that has them free now; if there is none, the next that nobody waits for in this
# way. One such taker a node at a time, so that two cannot wait for each other, and so that none waits for a slow node while another gets free: its
# place there is held on descriptor 7. Fails if it has to be seen anew where the job may run.
claim() {
  looks=0 stale='' turn=$1
  until stopped; do
    looks=$((looks + 1)) room=
    set --
    for choice in $choices; do
      choice "$choice"
      ready || continue
      if roomy; then
        room=1
        hold && return
      fi
      set -- "$@" "$choice"
    done
    [ -z "$stale" ] && [ $((looks % 50)) != 0 ] || return 1
    # Where there is room, somebody else is just taking some.
    if [ -z "$room" ] && [ $# -gt 0 ]; then
      turn=$((turn + 1))
      shift $((turn % $#))
      choice "$1"
      hold && return
    fi
    sleep 0.1
  done
  return 1
}

# roomy: true if $node has $width free slots.
roomy() {
  i=1 empty=0
  while [ "$i" -le "$slots" ]; do
    ! free "$LOGOBATCH_SLOTS/$node.$i" || empty=$((empty + 1))
    [ "$empty" -lt "$width" ] || return 0
    i=$((i + 1))
  done
  return 1
}

# hold: the place of the one who takes several slots of $node is ours, on descriptor 7.
hold() {
  exec 6>>"$LOGOBATCH_SLOTS/$node.queue"
  if LC_ALL=C flock -n 6; then exec 7>&6 6</dev/null; else exec 6</dev/null; return 1; fi
}

# make_way: the slots that take_many has taken for this visit are signed, so that the next one who takes several sees which are free. The place in
# the queue is open in the one who waits for us, too.
make_way() {
  sign "$LOGOBATCH_RUN $$ $LOGOBATCH_RUN.$$.0.0 0 data/processed/.stage/${held##* }/send"
  flock -u 7
}

# settle: the slots in $held are ours now; end what a holder that died left running there, and finish what it was publishing.
settle() {
  for name in $held; do
    word=
    { read -r whose _ word _ place <"$LOGOBATCH_SLOTS/$name.by"; } 2>/dev/null
    [ -n "$word" ] || continue
    reap "LOGOBATCH_JOB=$word\$"
    # A stage is named after one slot only, so just one can come to this.
    case $whose:$place in "$LOGOBATCH_RUN":*/"$name"/*) conclude "$place" && wipe "$place" || return ;; esac
  done
}

# sign TEXT: says in every slot we hold who is there; with an empty text, that nobody is.
sign() {
  for name in $held; do echo "$1" >"$LOGOBATCH_SLOTS/$name.by"; done
}
