# supplies.sh: what the jobs of a visit need on a node beside the shared folders: the results that they build on, and their own files. Each goes
# there once a run. Sourced by remote.sh.
# shellcheck disable=SC2154

# supplies: what the node lacks. Results of whole batches are sent at once; sets extras (a path a line), the paired results and files that are to
# go with the jobfiles, and marks, which are to say that they are there.
supplies() {
  have=$state/nodes/$node/have whole='' extras='' marks=
  for need in $needs; do
    read -r _ _ found _ <"data/processed/$need/.done" || return
    ! lacks "need.${need%/*}.${need#*/}.$found" || whole="${whole}data/processed/$need
"
  done
  whole_marks=$marks
  for k in $left; do
    recall "$k"
    read_jobfile
    for need in $pairs; do
      { read -r _; read -r _ found _; } <"data/processed/$need/.done" || return
      pair=${need#*/}
      ! lacks "pair.${need%%/*}.${pair%/*}.${pair##*/}.$found" || extras="${extras}data/processed/$need
"
    done
    [ -d "$state/files/$id" ] || continue
    while IFS='	' read -r mark file; do
      [ -z "$file" ] || ! lacks "$mark" || extras="$extras$file
"
    done <"$state/files/$id/$job"
  done
  # Agent moves files within its work folder only: where the view is on a storage, they go there like the rest.
  case $root in
    "$work"/*) ;;
    *) whole=$whole$extras extras='' whole_marks=$marks ;;
  esac
  [ -n "$whole" ] || return 0
  # One at a time: what another visit is just sending need not be sent again.
  exec 7>>"$have.lock" && LOGOBATCH_WAIT=$LOGOBATCH_RUN flock 7 || return
  send_whole
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

# got: what was to be sent is there.
got() {
  [ -z "$marks" ] || { [ -d "$have" ] || mkdir -p "$have"; } && for mark in $marks; do : >"$have/$mark"; done
}

# send_whole: unless another visit has sent all of it while we waited.
send_whole() {
  missing=
  for mark in $whole_marks; do [ -e "$have/$mark" ] || missing=1; done
  [ -n "$missing" ] || return 0
  printf '%s' "$whole" >"$base/send/whole" || return
  rm -f "$answers.bad"
  {
    echo "${blank}lb-$LOGOBATCH_RUN.$$" && tar -cf - --anchored --wildcards --no-wildcards-match-slash --exclude='data/processed/*/*/*/jobfile.sh' \
      --exclude='data/processed/*/*/*.failed' --verbatim-files-from -T "$base/send/whole" || : >"$answers.bad"
  } 2>/dev/null | remote "exec sh '$work/supplies' '$root' $LOGOBATCH_RUN.$$" >"$answers.out" 2>"$answers" &&
    [ ! -e "$answers.bad" ] && grep -qx 'supplied' "$answers.out" || {
    lost='the results that its jobs need could not be sent'
    return 1
  }
  everything=$marks marks=$whole_marks
  got
  marks=$everything
}
