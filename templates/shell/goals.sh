# goals.sh: what was asked for. Sourced by start.
#
# A goal is a script of its own, such as status, or a target: all, a bbatch, a batch or a job, by its name or by its folder.

# goals GOAL...: does what has a script of its own, and sets targets to the rest, as the Makefile calls it. Fails if there is no such target: then
# nothing is run.
goals() {
  targets='' wrong=''
  for goal; do
    goal=${goal%/}
    case $goal in
      status | verify | clean | distclean | cancel | help | up | down)
        if [ -z "$dry" ] || [ "$goal" = help ] || [ "$goal" = status ]; then MAKE=$make sh "$here/$goal" || return; else echo "would do: $goal"; fi
        ;;
      retry)
        again=$(failures)
        [ "$again" ] || echo 'nothing has failed'
        targets=$targets${again:+ $again}
        ;;
      *) target "${goal#data/processed/}" || wrong=2 ;;
    esac
  done
  return "${wrong:-0}"
}

# target NAME: adds it, or says what there is instead.
target() {
  name=${1%/.done} place=
  case /$name/ in
    /all/) targets="$targets all"; return ;;
    *[!A-Za-z0-9_.+/-]* | *//* | */./* | */../*) ;;
    *)
      if [ -e ".logobatch/batches/$name" ]; then targets="$targets $name"; return; fi
      if [ -f "data/processed/$name/jobfile.sh" ]; then targets="$targets data/processed/$name/.done"; return; fi
      place=${name%/*}
      ;;
  esac
  echo "there is no target $1; $(instead)" >&2
  return 2
}

# instead: what there is in the batch or the bbatch $place, or else in all.
instead() {
  of='there are' above=
  if [ -f ".logobatch/batches/$place" ]; then
    echo "$place has no such job, or its jobfile is missing: logobatch compile writes that again"
    return
  elif [ -n "$place" ] && [ -d ".logobatch/batches/$place" ]; then
    of="$place has" above=$place/
  fi
  set --
  for name in ".logobatch/batches/$above"*; do
    [ $# -lt 20 ] || break
    set -- "$@" "$above${name##*/}"
  done
  [ -n "$above" ] || set -- "$@" 'and what make help lists'
  echo "$of $*"
}

# failures: the targets of jobs that failed, but for those whose rows are gone.
failures() {
  {
    for leftover in data/processed/*/*/*.failed; do echo "${leftover%.failed}"; done
    # Those that never started have left nothing.
    cut -f 1 "$state/failed" 2>/dev/null
    "$make" -f Makefile LB_PASS=list list 2>/dev/null
  } | awk '
    NF == 1 { failed[$1] = 1 }
    { for (i = 2; i <= NF; i++) if (("data/processed/" $1 "/" $i) in failed) print "data/processed/" $1 "/" $i "/.done" }'
}
