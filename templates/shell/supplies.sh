# supplies.sh: what the jobs of a visit need on a node beside the shared folders: the results that they build on, and their own files. Each goes
# there once a run. Sourced by remote.sh.
# shellcheck disable=SC2154

# supply: all of it is there.
supply() {
  set -- ''
  have=$state/nodes/$node/have marks=
  for need in $needs; do
    read -r _ _ found _ <"data/processed/$need/.done" || return
    lacks "need.${need%/*}.${need#*/}.$found" || continue
    set -- "$@" "data/processed/$need"
  done
  for k in $left; do
    recall "$k"
    read_jobfile
    for need in $pairs; do
      { read -r _; read -r _ found _; } <"data/processed/$need/.done" || return
      slug=${need#*/}
      lacks "pair.${need%%/*}.${slug%/*}.${slug##*/}.$found" || continue
      set -- "$@" "data/processed/$need"
    done
    [ -d "$state/files/$id" ] || continue
    read -r own <"$state/files/$id/$job"
    lacks "files.$own" || continue
    lines=$IFS
    IFS='	'
    set -f
    # shellcheck disable=SC2046 # the fields of the job's line
    set -- "$@" $(awk -F '\t' -v job="$job" '$1 == job { sub(/^[^\t]*\t/, ""); print; exit }' ".logobatch/files/$id")
    set +f
    IFS=$lines
  done
  shift
  [ $# -gt 0 ] || return 0
  # One at a time: what another visit is just sending need not be sent again.
  exec 7>>"$have.lock" && LOGOBATCH_WAIT=$LOGOBATCH_RUN flock 7 || return
  send "$@"
  set -- $?
  exec 7>&-
  return "$1"
}

# lacks MARK: true if it has not been sent yet; notes that it will be.
lacks() {
  [ ! -e "$have/$1" ] || return
  case " $marks " in *" $1 "*) return 1 ;; esac
  marks="$marks $1"
}

# send PATH...: unless another visit has sent all of it while we waited.
send() {
  missing=
  for mark in $marks; do [ -e "$have/$mark" ] || missing=1; done
  [ -n "$missing" ] || return 0
  set -- --anchored --wildcards --no-wildcards-match-slash --exclude='data/processed/*/*/*/jobfile.sh' --exclude='data/processed/*/*/*.failed' -- "$@"
  rm -f "$answers.bad"
  {
    echo "

lb-$LOGOBATCH_RUN.$$" && tar -cf - "$@" || : >"$answers.bad"
  } 2>/dev/null | remote "exec sh '$work/supplies' '$root' $LOGOBATCH_RUN.$$" >"$answers.out" 2>"$answers" &&
    [ ! -e "$answers.bad" ] && grep -qx 'supplied' "$answers.out" || {
    lost='the files that its jobs need could not be sent'
    return 1
  }
  mkdir -p "$have" && for mark in $marks; do : >"$have/$mark"; done
}
