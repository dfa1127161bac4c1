# remote.sh: a visit's jobs on another machine. Sourced by run, when its slot turns out to be on one.
# shellcheck disable=SC2154 # what run, job.sh and run/nodes/<node>/connect have set
#
# Jobfiles and orders are packed into one archive; what carries them there and the results back is session.sh for a node that is reached by SSH, and
# queue.sh for a cluster. What is received goes into a folder of its own, and is the job's stage only when nothing but {out} and logs is in it: a
# node can neither forge a record nor reach another job's.

. "$here/connection.sh"
. "$here/supplies.sh"
case $kind in ssh) . "$here/session.sh" ;; *) . "$here/queue.sh" ;; esac

# visit_there: runs the jobs on $node; those that are not back at the end stay in $left.
visit_there() {
  . "$state/nodes/$node/connect"
  lost='' pause=''
  base=data/processed/.stage/${held##* } answers=$LOGOBATCH_SLOTS/${held##* }.err
  stages || { halt 'cannot write to data/processed/.stage'; return 1; }
  sign "$LOGOBATCH_RUN $$ $LOGOBATCH_RUN.$$.$n.0 0 $base/send"
  # Whoever sends more than this fills the disk: guard ends the session.
  echo "$max_files $(((max_bytes + 2 * log_bytes) / 1024))" >"$base/limit"
  # Secrets are for nobody else here, either.
  [ -z "$secrets" ] || umask 077
  if reachable && supplies && orders && start_session; then
    # To a cluster it goes when its turn has come.
    [ "$kind" != ssh ] || got
    umask "$LOGOBATCH_MASK"
    converse
    end_session
  fi
  [ -z "$secrets" ] || wipe "$base/send" "$base/archive"
  umask "$LOGOBATCH_MASK"
  stopped && return 1
  [ -n "$left" ] || return 0
  [ -z "$pause" ] || { let_go; sleep "$pause"; return 0; }
  [ -n "$lost" ] || return 0 # an attempt failed, and there is another one
  lose
}

# reachable: there is a connection, if one is needed: the runtime has its own with a cluster, and this machine needs none.
reachable() {
  path=
  case $kind:$host in *: | ssh:*) ;; *) [ -n "$needs" ] || return 0 ;; esac
  [ -z "$host" ] || join
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

# converse: takes the results as they come, and publishes each.
converse() {
  lost='the session ended early'
  for n in $wanted; do
    eval "k=\$order_$n"
    recall "$k"
    stage=$base/$n
    take_result || return
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

# unpack: the archive of a result into the job's stage. 512 bytes are a block of tar: a file larger than any result may be is cut, whatever is said to
# be in it.
unpack() {
  (ulimit -f $(((max_bytes + 2 * log_bytes) / 512 + 16)) && exec tar -b 1 -xmf - -C "$stage" --strip-components=1 --no-same-owner --no-same-permissions 4>&- 8>&- 9>&-) 2>>"$answers" || {
    lost='sent a result that cannot be unpacked'
    return 1
  }
}

# sensible: numbers that sh can reckon with, and a word that we know.
sensible() {
  for figure in "$code" "$elapsed" "$spent"; do
    case $figure in '' | *[!0-9]* | 0?* | ??????????*) return 1 ;; esac
  done
  case $note in ok | timeout | replaced | unreadable | killed) ;; *) return 1 ;; esac
}

# accept: what was received of the job is its stage, if it is a folder, its logs, and nothing else. Only then does it get a journal.
accept() {
  [ -d "$stage/out" ] && [ ! -L "$stage/out" ] || return
  for log in "$stage/job.out" "$stage/job.err"; do [ -f "$log" ] && [ ! -L "$log" ] || return; done
  for entry in "$stage"/* "$stage"/.[!.]* "$stage"/..?*; do
    case ${entry##*/} in
      out | job.out | job.err | '.[!.]*' | '..?*') ;;
      slurm.out | sge.out) [ -f "$entry" ] && [ ! -L "$entry" ] || return ;;
      *) return 1 ;;
    esac
  done
  echo "for $folder" >>"$stage.journal"
}
