# job.sh: one job within a visit: is there anything to do, running it, and what became of it. Sourced by run.
# shellcheck disable=SC2154 # what run and the batch's file have set: id job folder state sequence cpus held time retries ...

# read_jobfile: its digest and the jobs it is paired with, from the first lines.
read_jobfile() {
  { read -r _; read -r _ digest _; IFS= read -r pairs; } <"$folder/jobfile.sh"
  case $pairs in '#: needs '*) pairs=${pairs#'#: needs '} ;; *) pairs= ;; esac
}

# read_needs: sets $needed to the digests of the results that the job builds on. Fails if one is missing, and says which in $missing.
read_needs() {
  needed=
  for need in $needs; do
    { read -r _ _ found _; } 2>/dev/null <"data/processed/$need/.done" || { missing=$need; return 1; }
    needed="$needed,$need=$found"
  done
  for need in $pairs; do
    ! fell "$need" && { read -r _; read -r _ found _; } 2>/dev/null <"data/processed/$need/.done" || { missing=$need; return 1; }
    needed="$needed,$need=$found"
  done
  needed=${needed#,}
  own=-
  [ ! -d "$state/files/$id" ] || read -r own <"$state/files/$id/$job"
  meaning="logobatch 1 $digest ${folders:--} $own ${needed:--}"
}

# fell NEED: true if it failed in this run, or was not run because of such a one; what it left earlier does not count then.
fell() {
  { [ -s "$state/failed" ] || [ -s "$state/skipped" ]; } && grep -qsF "data/processed/$1	" "$state/failed" "$state/skipped"
}

# unchanged: true if the record of the last result was made of the very same things.
unchanged() {
  [ -z "${LOGOBATCH_FORCE-}" ] && recorded
}

recorded() {
  { IFS= read -r last <"$folder/.done"; } 2>/dev/null && [ "$last" = "$meaning" ]
}

# recall K: makes job k of the visit the one at hand.
recall() {
  eval "job=\$job_$1 meaning=\$meaning_$1 attempt=\$attempt_$1"
  folder=data/processed/$id/$job sequence=$((first + $1 - 1))
}

# visit_here: runs the jobs on this machine.
visit_here() {
  politely=
  if { read -r nice <"$state/nodes/$node/nice"; } 2>/dev/null; then politely="nice -n $nice"; fi
  for k in $left; do
    ! stopped || return
    recall "$k"
    n=$((n + 1)) again=1
    while [ -n "$again" ]; do
      prepare || { halt "cannot write to data/processed/.stage"; return 1; }
      execute
      finish || return
    done
  done
  left=
}

# finish: after an attempt: the result is published, or the attempt made $again, or the job has failed. Fails if the run cannot go on.
finish() {
  again=
  if stopped && [ -n "$why" ]; then wipe "$stage"; return 1; fi
  if [ -z "$why" ]; then
    deliver || { halt "cannot write to $folder"; return 1; }
    # Compiled anew meanwhile (--force): it may be either text's result, so the next make must look at it, although its record is newer.
    read_jobfile
    case $meaning in "logobatch 1 $digest "*) ;; *) touch -t 197001020000 "$folder/.done" ;; esac
    [ ! -e "$folder.failed" ] || wipe "$folder.failed"
    echo "$folder" >>"$state/ok"
    return 0
  fi
  if [ "$attempt" -le "$retries" ]; then
    wipe "$stage"
    attempt=$((attempt + 1)) again=1
    eval "attempt_$k=$attempt"
    return
  fi
  wipe "$folder.failed" "$stage/scratch/secrets"
  # What gave this result before has failed now (make -B): the next make must see that.
  ! recorded || rm -f "$folder/.done"
  # What is neither file nor folder nor link would hang or harm whoever looks into it.
  find "$stage" ! -type f ! -type d ! -type l -exec rm -f {} +
  mv "$stage" "$folder.failed" || { halt "cannot write to $folder.failed"; return 1; }
  case $kind in local) failed "$why" ;; *) failed "$why" "$node" ;; esac
}

# prepare: an empty stage, a folder a slot and job of the visit. If the last job left it clean it serves again: no process for that.
prepare() {
  stage=data/processed/.stage/${held##* }/$n
  for entry in "$stage"/out/* "$stage"/out/.[!.]* "$stage"/out/..?* "$stage"/scratch/* "$stage"/scratch/.[!.]* "$stage"/scratch/..?* "$stage/timeout"; do
    if [ -e "$entry" ] || [ -L "$entry" ]; then wipe "$stage"; fi
  done
  [ ! -s "$stage/job.out" ] && [ ! -s "$stage/job.err" ] || wipe "$stage"
  [ -d "$stage/out" ] || mkdir -p "$stage/out" "$stage/scratch" || return
  echo "for $folder" >>"$stage.journal"
}

# deliver: the result to where it belongs. What is there already when the job wrote nothing needs no moving.
deliver() {
  if [ "$files" = 0 ] && [ ! -s "$stage/job.out" ] && [ ! -s "$stage/job.err" ] && fresh "$folder"; then
    publish_record "$stage" "$folder"
  else
    record "$stage/.done" && publish "$stage" "$folder"
  fi
}

# execute: one attempt. Sets $why to what went wrong, empty if nothing did.
execute() {
  why=
  word=$LOGOBATCH_RUN.$$.$n.$attempt
  secrets "$stage/scratch/secrets" || return 0
  now
  began=$now deadline=0
  [ "$time" = 0 ] || deadline=$((now / 100 + time))
  spent "$LOGOBATCH_SLOTS/${held##* }.times"
  before=$spent
  sign "$LOGOBATCH_RUN $$ $word $deadline $stage"
  # shellcheck disable=SC2086 # words, or none
  LOGOBATCH_JOB=$word LB_OUT=$PWD/$stage/out LB_SCRATCH=$PWD/$stage/scratch LB_ATTEMPT=$attempt LB_CPUS=$cpus LB_NODE=$node \
    $politely "$shell" "$folder/jobfile.sh" </dev/null >>"$stage/job.out" 2>>"$stage/job.err" 8>&-
  code=$?
  now
  ended=$now
  spent "$LOGOBATCH_SLOTS/${held##* }.times"
  spent=$((spent - before))
  look_over
  judge "$seen"
  log
}

# secrets FOLDER: lays the files among them there, readable for nobody else; variables are in the environment already.
secrets() {
  to=$1
  set -f
  lines=$IFS
  IFS='
'
  # shellcheck disable=SC2086 # a variable or a path a line
  set -- $secrets
  IFS=$lines
  set +f
  for secret; do
    case $secret in
      */* | *.*)
        file=$secret
        case $file in "~"/*) file=$HOME/${file#*/} ;; esac
        mkdir -p "$to" && (umask 077 && cp -- "$file" "$to/") 2>/dev/null || {
          why="the secret file $secret is missing here, or cannot be read"
          return 1
        }
        ;;
      *) eval "[ \"\${$secret+set}\" ]" || { why="the secret $secret is not set in the environment of make"; return 1; } ;;
    esac
  done
}

# intact: the job has left us the folder that it was given: removed, or with a link in its place, anything could be taken for a result.
intact() {
  [ ! -L "$stage" ] && [ -d "$stage/out" ] && [ ! -L "$stage/out" ] && [ -f "$stage/job.out" ] && [ -f "$stage/job.err" ] || return
  { [ -r "$stage/out" ] && [ -w "$stage/out" ] && [ -x "$stage/out" ]; } || chmod u+rwx "$stage/out"
}

# judge [WORD]: what became of it: the time limit, the exit status, what it wrote; in the words of `agent`, if it ran on another node.
judge() {
  case $1 in
    replaced) why='removed or replaced the folder of its {out}' ;;
    timeout) why="time limit of $time s reached" ;;
    unreadable) why='its results could not be read and listed (no permission, or disk full?)' ;;
    killed) why="ended by the scheduler: $words" ;;
    ok)
      if [ "$code" = 0 ]; then results; return; fi
      why="exit $code"
      if [ "$code" -gt 128 ] && [ "$code" -lt 193 ] && signal=$(kill -l "$((code - 128))" 2>/dev/null); then why="$why, SIG$signal"; fi
      ;;
  esac
}

# look_over: sets seen to what there is to see of a job that ran here: replaced, timeout or ok.
look_over() {
  if ! intact; then
    wipe "$stage"
    mkdir -p "$stage/out" && : >>"$stage/job.out" && : >>"$stage/job.err"
    seen=replaced
    return
  fi
  # A job that was quicker than guard is looked at here; nobody writes more than 32 MiB in a hundredth of a second.
  if [ $((ended - began)) -ge $((log_bytes / 33554432)) ] && { [ -s "$stage/job.out" ] || [ -s "$stage/job.err" ]; }; then cap "$stage"; fi
  crown "$stage"
  seen=ok
  [ ! -e "$stage/timeout" ] || seen=timeout
}

# log: a line in GNU parallel's nine columns.
log() {
  decimal "$((LOGOBATCH_CLOCK + began))"
  started=$decimal
  decimal "$((ended - began))"
  signal=0
  [ "$code" -le 128 ] || [ "$code" -ge 193 ] || signal=$((code - 128))
  printf '%s\t%s\t%s\t%s\t0\t0\t%s\t%s\tsh %s/jobfile.sh\n' "$sequence" "$node" "$started" "$decimal" "$code" "$signal" "$folder" >>"$state/joblog"
}

# failed WHY [NODE]: says so, with the end of what it wrote to stderr, and where the rest is. NODE: it ran on another machine.
failed() {
  folder=data/processed/$id/$job there=${2-}
  # Names that a job has chosen may be part of it.
  case $1 in *[[:cntrl:]]*) set -- "$(printf '%s' "$1" | tr '\000-\037\177' '?')" ;; esac
  printf '%s\t%s\n' "$folder" "$1" >>"$state/failed"
  if [ -d "$folder.failed" ]; then
    # A full disk has no room for the message that says so.
    if [ ! -s "$folder.failed/job.err" ]; then
      { echo full? >"$folder.failed/job.err"; } 2>/dev/null || set -- "$1 (disk full?)"
      : >"$folder.failed/job.err"
    fi
    [ "$attempt" = 1 ] || set -- "$1 (attempt $attempt of $((retries + 1)))"
    tail=$(tail -n 10 "$folder.failed/job.err" | cut -c 1-300 | tr -d '\000-\010\013-\037\177' | sed 's/^/    | /')
    [ -z "$there" ] || tail=$tail$(undeclared)
    set -- "$1" "${tail:+$tail
}    log: $folder.failed/job.err"
  else
    set -- "$1"
  fi
  printf 'failed  %s: %s\n%s' "$id/$job${there:+ on $there}" "$1" "${2:+$2
}" >>"$state/messages"
}

# undeclared: a line for each file that the job did not find there, and that is here.
undeclared() {
  printf '%s\n' "$tail" | grep -i 'no such file' | tr -c 'A-Za-z0-9_./+\n-' '\n' | sort -u | while IFS= read -r path; do
    case $path in [/.]*) ;; *[/.]*) [ ! -e "$path" ] || printf '\n    hint: %s is here, but not on %s: name it under files or shared' "$path" "$there" ;; esac
  done
}

# skipped: something it needs is not there, and that has been said already.
skipped() {
  printf '%s\tneeds %s\n' "$folder" "$missing" >>"$state/skipped"
}

# halt WHY: this machine is the trouble, so no other job would do better.
halt() {
  echo "stopped  this machine $1 (disk full, or not allowed?)" >>"$state/messages"
  kill -s USR2 "$LOGOBATCH_START"
}
