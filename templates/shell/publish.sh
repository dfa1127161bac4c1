# publish.sh: from a stage to the job's folder, whole or not at all. Sourced by run and start.
#
# A stage holds  out/ (the job's {out})  scratch/  job.out  job.err  .done (the record, when all is well)  for (the folder it is for)  moving.
# The folder's own .done goes first and the new one comes last, so a folder with a .done is always whole. Every step can be repeated:
# until `moving` says so the old result is cleared, from then on things are only moved in. jobfile.sh never leaves its place.

# publish STAGE FOLDER
publish() {
  if [ ! -s "$1/moving" ]; then
    clear "$2" && echo moving >"$1/moving" || return
  fi
  bring "$1" "$2" && : >"$1/moving"
}

# clear FOLDER: removes what is left of an earlier result, its record first.
clear() {
  folder=$1
  [ ! -e "$folder/.done" ] || rm -f "$folder/.done" || return
  set --
  for entry in "$folder"/* "$folder"/.[!.]* "$folder"/..?*; do
    case ${entry##*/} in jobfile.sh) continue ;; esac
    [ ! -e "$entry" ] && [ ! -L "$entry" ] || set -- "$@" "$entry"
    [ $# -lt 500 ] || { rm -rf -- "$@" || return; set --; }
  done
  [ $# = 0 ] || rm -rf -- "$@"
}

# bring STAGE FOLDER: moves the results, the logs and last the record; what has been moved already is not there any more.
bring() {
  stage=$1 folder=$2
  set --
  for entry in "$stage"/out/* "$stage"/out/.[!.]* "$stage"/out/..?* "$stage/job.out" "$stage/job.err" "$stage/.done"; do
    [ ! -e "$entry" ] && [ ! -L "$entry" ] || set -- "$@" "$entry"
    [ $# -lt 500 ] || { mv -f -- "$@" "$folder/" || return; set --; }
  done
  [ $# = 0 ] || mv -f -- "$@" "$folder/"
}

# whole RECORD: true if it was written to its end.
whole() {
  last=
  { while IFS= read -r line; do last=$line; done <"$1"; } 2>/dev/null
  [ "$last" = end ]
}

# recover: finishes what a run that was killed had half published, and throws away what it had half computed. Only with the run lock held.
recover() {
  for old in data/processed/.stage/*; do
    [ -d "$old" ] || continue
    { IFS= read -r target <"$old/for"; } 2>/dev/null || target=
    [ -f "$target/jobfile.sh" ] || continue
    if [ -s "$old/moving" ] || whole "$old/.done"; then publish "$old" "$target"; fi
  done
  rm -rf data/processed/.stage
}
