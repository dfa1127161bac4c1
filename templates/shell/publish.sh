# publish.sh: from a stage to the job's folder, whole or not at all; and what removes it again. Sourced by run, start, clean and distclean.
#
# A stage holds  out/ (the job's {out})  scratch/  job.out  job.err  .done (the record, when all is well); beside it, <stage>.journal says which
# folder it is for, and how far it has come. The folder's own .done goes first and the new one comes last, so a folder with a .done is always whole. Every step can
# be repeated: until the journal says `moving` an old result is cleared, from then on things are only moved in. jobfile.sh never leaves its place.
# (The journal is only ever appended to: emptying a file and filling it again is what costs most on some file systems.)

# publish STAGE FOLDER
publish() {
  clear "$2" && echo "moving $2" >>"$1.journal" && bring "$1" "$2" && echo "moved $2" >>"$1.journal"
}

# publish_record STAGE FOLDER: for a job that wrote nothing at all, into a folder without an old result: no process is needed for that.
publish_record() {
  echo "recording $2" >>"$1.journal" && : >"$2/job.out" && : >"$2/job.err" && record "$2/.done" && echo "moved $2" >>"$1.journal"
}

# fresh FOLDER: true if there is nothing but the jobfile.
fresh() {
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    case ${entry##*/} in jobfile.sh) continue ;; esac
    [ ! -e "$entry" ] && [ ! -L "$entry" ] || return 1
  done
}

# clear FOLDER: removes what is left of an earlier result, its record first.
clear() {
  folder=$1
  [ ! -e "$folder/.done" ] || rm -f "$folder/.done" || return
  set --
  for entry in "$folder"/* "$folder"/.[!.]* "$folder"/..?*; do
    case ${entry##*/} in jobfile.sh) continue ;; esac
    [ ! -e "$entry" ] && [ ! -L "$entry" ] || set -- "$@" "$entry"
    [ $# -lt 500 ] || { wipe "$@" || return; set --; }
  done
  [ $# = 0 ] || wipe "$@"
}

# wipe PATH...: removes what a job has made, also folders that it has closed to everybody.
wipe() {
  rm -rf -- "$@" 2>/dev/null || { find "$@" -type d ! -perm -700 -exec chmod u+rwx {} \; 2>/dev/null; rm -rf -- "$@"; }
}

# bring STAGE FOLDER: moves the results, the logs and last the record; what has been moved already is not there any more.
bring() {
  stage=$1 folder=$2
  set --
  for entry in "$stage"/out/* "$stage"/out/.[!.]* "$stage"/out/..?* "$stage/job.out" "$stage/job.err" "$stage/slurm.out" "$stage/sge.out" "$stage/.done"; do
    [ ! -e "$entry" ] && [ ! -L "$entry" ] || set -- "$@" "$entry"
    [ $# -lt 500 ] || { LC_ALL=C mv -f -- "$@" "$folder/" || return; set --; }
  done
  [ $# = 0 ] || LC_ALL=C mv -f -- "$@" "$folder/"
}

# whole RECORD: true if it was written to its end.
whole() {
  last=
  { while IFS= read -r line; do last=$line; done <"$1"; } 2>/dev/null
  [ "$last" = end ]
}

# recover: finishes what a run that was killed had half published, and throws away what it had half computed. Only with the run lock held.
recover() {
  [ -e data/processed/.stage ] || return 0
  # Those that came through need no look of their own.
  find data/processed/.stage -mindepth 2 -maxdepth 2 -name '*.journal' -exec awk '
    function tell() { if (step != "moved") print file }
    FNR == 1 && NR > 1 { tell() }
    { step = $1; file = FILENAME }
    END { if (NR > 0) tell() }' {} + | while IFS= read -r journal; do
    conclude "${journal%.journal}" || exit
  done || return
  wipe data/processed/.stage
}

# conclude STAGE: the same for one stage, whose visit is dead.
conclude() {
  [ -s "$1.journal" ] || return 0
  read -r step target <<END
$(tail -n 1 "$1.journal")
END
  [ -f "$target/jobfile.sh" ] || return 0
  case $step in
    for) ! whole "$1/.done" || publish "$1" "$target" ;;
    moving) bring "$1" "$target" ;;
    recording) whole "$target/.done" || rm -f "$target/.done" ;;
  esac
}
