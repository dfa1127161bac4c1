# nodes.sh: which resources there are, and the process that attends the nodes among them while a run lasts. Sourced by start, up and down.

# find_grid: sets grid to the file that names the resources, empty for this machine alone.
find_grid() {
  grid=${GRID:-${LOGOBATCH_GRID-}}
  [ -n "$grid" ] || [ ! -e "${HOME:-/nowhere}/.logobatch.yml" ] || grid=$HOME/.logobatch.yml
  [ "$grid" != local ] || grid=
  [ -n "$grid" ] || return 0
  [ -f "$grid" ] || { echo "there is no grid file $grid (GRID=local runs on this machine alone)" >&2; return 2; }
  command -v node >/dev/null || {
    echo "other machines need the program node here, which is not found: running on this machine alone" >&2
    grid=
  }
}

# needs_of BATCH...: what these batches ask of nodes. The runtime reads it in run/needs: a word and a value a line.
needs_of() {
  wanted='' programs='' setups='' hidden='' anywhere='' picky='' kept='' stamps=' '
  for batch; do
    . ".logobatch/batches/$batch"
    # shellcheck disable=SC2154 # resources, shared ...: the batch's
    wanted="$wanted $resources" programs="$programs $requires" hidden="$hidden $secrets" stamps="$stamps$shared "
    [ -n "$resources" ] || anywhere=1
    [ "$resources$tags$requires$mem$gpus" = 00 ] || picky=1
    [ "$keep" = 0 ] || kept=1
    [ -z "$setup" ] || setups="$setups$setup	$batch
"
  done
  # Each once, with the batches that name it.
  [ -z "$setups" ] || setups=$(printf '%s' "$setups" | awk -F '\t' '{ of[$1] = of[$1] " " $2 } END { for (script in of) print script FS substr(of[script], 2) }' | sort)
  {
    for name in $wanted; do [ -n "$anywhere" ] || echo "wanted $name"; done
    for name in $programs; do echo "requires $name"; done
    for name in $hidden; do echo "secret $name"; done
    [ -z "$setups" ] || printf '%s\n' "$setups" | sed 's/^/setup /'
    while IFS='	' read -r name folder; do
      case $stamps in *" $name "*) printf 'shared %s\n' "$folder" ;; esac
    done <.logobatch/shared
    [ -z "$kept" ] || echo 'keep yes'
  } >"$state/needs"
}

# own_slots: the folder for the slots' locks. They belong to the user, not to the image, so it is one that all images share, in memory if there is such a file system.
own_slots() {
  if [ -z "${LOGOBATCH_SLOTS-}" ]; then
    LOGOBATCH_SLOTS=${TMPDIR:-/tmp}/logobatch-$(id -u)
    [ ! -w /dev/shm ] || LOGOBATCH_SLOTS=/dev/shm/logobatch-$(id -u)
  fi
  (umask 077 && mkdir -p "$LOGOBATCH_SLOTS") && [ -O "$LOGOBATCH_SLOTS" ] && [ ! -L "$LOGOBATCH_SLOTS" ] || {
    echo "cannot use $LOGOBATCH_SLOTS for slots: it must be a folder of yours" >&2
    return 1
  }
  # Sockets of a run that died, when nothing of it is left that may use them.
  for folder in "$LOGOBATCH_SLOTS"/c.*; do
    [ ! -d "$folder" ] || alive "${folder##*.}" || [ -n "$(holders "LOGOBATCH_START=${folder##*.}\$")" ] || rm -rf "$folder"
  done
  LOGOBATCH_IMAGE=$(pwd -P | cksum)
  LOGOBATCH_IMAGE=${LOGOBATCH_IMAGE%% *}
  export LOGOBATCH_SLOTS LOGOBATCH_IMAGE
}

# look_for_nodes: finds the grid file, and starts the runtime if there is one. It does nothing with a node until it is told to go.
look_for_nodes() {
  attendant=
  rm -f "$state/email"
  find_grid && own_slots && { [ -z "$grid" ] || attend; }
}

# attend: starts the runtime. It lives as long as somebody has descriptor 7 open, so what lasts longer than we must not inherit that; what it has
# to say is read from descriptor 5.
attend() {
  LOGOBATCH_TERMINAL=0
  [ ! -t 0 ] || LOGOBATCH_TERMINAL=1
  export LOGOBATCH_TERMINAL
  rm -f "$state/attend.to" "$state/attend.from"
  mkfifo "$state/attend.to" "$state/attend.from" || return
  # shellcheck disable=SC2094 # both ends of each, so that neither opening waits
  exec 6<>"$state/attend.to" && exec 3<"$state/attend.to" 7>"$state/attend.to" 6<>"$state/attend.from" && exec 5<"$state/attend.from" || return
  LOGOBATCH_GRID=$grid LOGOBATCH_START=$$ setsid node .logobatch/runtime.mjs attend --run "$run" <&3 >&6 2>&1 3<&- 5<&- 6>&- 7>&- 8>&- &
  attendant=$!
  exec 3<&- 6>&-
}

# go: by now run/needs says what is to be done.
go() { (trap '' PIPE; echo go >&7) 2>/dev/null; }

# revive: after somebody has killed it. It takes the nodes over; what it says goes to the messages.
revive() {
  [ "${revived:=0}" -lt 20 ] || { rm -f "$state/coming"; return 0; }
  revived=$((revived + 1))
  exec 3<"$state/attend.to" || return
  LOGOBATCH_GRID=$grid LOGOBATCH_START=$$ setsid node .logobatch/runtime.mjs attend --run "$run" <&3 >>"$state/messages" 2>&1 3<&- 5<&- 7>&- 8>&- &
  attendant=$!
  exec 3<&-
  go
}

# await_nodes: until jobs can start; sets coming, the slots of nodes that may still join. Fails, with what the runtime said, if they cannot.
await_nodes() {
  while IFS= read -r line <&5; do
    # shellcheck disable=SC2086 # the rest is words
    case $line in
      ready\ *) return 0 ;;
      coming\ *) coming=${line#* } ;;
      login\ *) log_in ${line#* } ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
  wait "$attendant"
  attendant=
  return 1
}

# log_in SOCKET HOST OPTION...: opens a connection where a person has to answer, which all sessions with that host then share.
log_in() {
  socket=$1 host=$2
  shift 2
  echo "$host asks who you are:"
  ssh -T -a -x -o BatchMode=no -o StrictHostKeyChecking=yes -o ClearAllForwardings=yes -o RemoteCommand=none -o PermitLocalCommand=no -o ControlMaster=auto \
    -o ControlPersist=60 -o "ControlPath=$socket" -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -fN "$@" -- "$host" </dev/null >/dev/null 5<&- 7>&- 8>&- ||
    : >"$socket.refused"
}

# dismiss: no more jobs; the nodes are to go down. What waits in the queue of a cluster is ended with a run that was cancelled, but not because this
# machine is in trouble.
dismiss() {
  how=end
  [ -z "${halted-}" ] || how=leave
  [ -z "${ended_by-}" ] || how=cancel
  (trap '' PIPE; echo "$how" >&7) 2>/dev/null
  exec 7>&-
}

# release_nodes: waits until the nodes are down. Fails if something was left somewhere.
release_nodes() {
  [ -n "${attendant-}" ] || return 0
  dismiss
  while IFS= read -r line <&5; do printf '%s\n' "$line"; done
  while alive "$attendant"; do wait "$attendant"; done
  wait "$attendant"
  set -- $?
  # One that was killed may have left a connection that is just being opened.
  [ "$1${revived-}" = 0 ] || reap "LOGOBATCH_START=$$\$"
  return "$1"
}
