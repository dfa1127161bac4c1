# connection.sh: the connections to a node, shared by the visits there. Sourced by remote.sh.
# shellcheck disable=SC2154
#
# One connection carries a limited number of sessions (sshd's MaxSessions), so slot i uses connection (i - 1) / sessions. Whoever needs one that
# is not there opens it, under a lock. What the user's ssh configuration may hold for people's sessions is switched off.

pinned='-T -a -x -o BatchMode=yes -o StrictHostKeyChecking=yes -o ClearAllForwardings=yes -o RemoteCommand=none -o PermitLocalCommand=no
  -o RequestTTY=no -o StdinNull=no -o ForkAfterAuthentication=no -o EscapeChar=none -o VisualHostKey=no -o LogLevel=ERROR'

# blank: 64 empty lines. What is sent begins with them, since an rc file may read.
blank='



'
blank=$blank$blank$blank$blank blank=$blank$blank$blank$blank

# remote COMMAND: runs it on the node.
remote() (reach "$1")

# reach COMMAND: becomes what runs it on the node over the connection that is there; if it is not, that fails with 255 rather than opening one for
# itself. Into a file it may say a MiB (2048 blocks), whatever talks there.
reach() {
  ulimit -f 2048
  [ -n "$host" ] || exec sh -c "$1"
  # shellcheck disable=SC2086 # words
  exec ssh $pinned -o ControlMaster=no -o ProxyCommand=false -o "ControlPath=$path" $options -- "$host" "$1"
}

# join: there is a connection for our slot. Sets path.
join() {
  [ ! -s "$state/nodes/$node/sessions" ] || read -r sessions <"$state/nodes/$node/sessions"
  index=${held##* }
  index=$((${index##*.} - 1))
  path=$control.$((index / sessions))
  [ "$masters" != 1 ] || path=$control.0
  [ ! -S "$path" ] || return 0
  exec 7>>"$path.lock" && LOGOBATCH_WAIT=$LOGOBATCH_RUN flock 7 || return
  [ -S "$path" ] || open_connection
  set -- $?
  exec 7>&-
  return "$1"
}

open_connection() {
  # It outlives this visit; it ends with the run, or soon after its last session.
  # shellcheck disable=SC2086 # words
  ssh $pinned -o ControlMaster=auto -o ControlPersist=60 -o "ControlPath=$path" -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -fN $options -- "$host" </dev/null >/dev/null 2>"$answers" 7>&- 8>&- 9>&- && [ -S "$path" ] && return
  lost="cannot connect: $(reason)"
  return 1
}

# reason: the last line of what ssh said.
reason() {
  tail -n 1 "$answers" 2>/dev/null | tr -d '\000-\037\177' | cut -c 1-200
}

# lose: what was under way on the node is lost, free of charge; the jobs that are left go elsewhere. A node where three in a row were lost gets
# no more until the runtime has looked at it.
lose() {
  losses=$((losses + 1))
  if grep -q 'Session open refused' "$answers" 2>/dev/null; then
    # Unless another visit has found that out already.
    current=$sessions
    [ ! -s "$state/nodes/$node/sessions" ] || read -r current <"$state/nodes/$node/sessions"
    [ "$current" != "$sessions" ] || [ "$sessions" = 1 ] || echo $(((sessions + 1) / 2)) >"$state/nodes/$node/sessions"
    sleep 0.2
    [ "$losses" -gt 20 ] || return 0
  elif [ -S "$path" ] && ! remote true </dev/null >/dev/null 2>&1; then
    rm -f "$path"
  fi
  said=$(reason)
  lost="${lost:-the session ended early}${said:+ ($said)}"
  # shellcheck disable=SC2086 # numbers
  set -- $left
  echo "$lost" >>"$state/nodes/$node/lost"
  echo "$node	$#	$lost" >>"$state/lost"
  echo "lost    $id on $node: $lost; $# $([ $# = 1 ] && echo job goes || echo jobs go) elsewhere" >>"$state/messages"
  count=0
  while read -r _; do count=$((count + 1)); done <"$state/nodes/$node/lost"
  [ "$count" -lt 3 ] || : >"$state/nodes/$node/aside"
  if [ "$losses" -ge 5 ]; then
    for k in $left; do recall "$k"; failed "lost 5 times, at last with $node: $lost"; done
    left=
    return
  fi
  avoid="$avoid $node"
  let_go
}

# let_go: gives the slot back. A visit that has several of them ends here, and the one that has taken them for it goes on.
let_go() {
  sign ''
  if [ -n "${LOGOBATCH_LOST-}" ]; then
    for k in $left; do eval "printf '%s ' \"\$job_$k\""; done >"$LOGOBATCH_LOST"
    exit 0
  fi
  exec 9>&-
  held=
}
