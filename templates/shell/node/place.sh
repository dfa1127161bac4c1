# place.sh: puts what has arrived into the view of the image. Sourced by agent, task, submit and supplies.

# place FROM PATH ROOT: moves a file, or what is in a folder, to the same path below ROOT. Each file changes at once, so that a job that is just
# reading an earlier copy is not disturbed.
place() {
  if [ -d "$1/$2" ] && [ ! -L "$1/$2" ]; then
    (
      cd "$1" || exit
      # shellcheck disable=SC2016 # for the inner sh
      find "./$2" -type d -exec sh -c 'root=$1; shift; for folder; do [ -d "$root/$folder" ] || mkdir -p "$root/$folder" || exit; done' sh "$3" {} + &&
        find "./$2" ! -type d -exec sh -c 'root=$1; shift; for file; do mv -f "$file" "$root/$file" || exit; done' sh "$3" {} +
    )
  else
    case $2 in */*) [ -d "$3/${2%/*}" ] || mkdir -p "$3/${2%/*}" || return ;; esac
    mv -f "$1/$2" "$3/$2"
  fi
}

# place_listed FROM LIST ROOT: the same for each path in the file LIST. Files of one folder that follow each other share a process.
place_listed() {
  list=$2 above=
  set -- "$1" "$3"
  while IFS= read -r path; do
    below=
    case $path in */*) below=${path%/*}/ ;; esac
    if [ -d "$1/$path" ] && [ ! -L "$1/$path" ]; then
      place "$1" "$path" "$2" || return
    elif [ $# -gt 2 ] && [ "$below" = "$above" ] && [ $# -lt 100 ]; then
      set -- "$@" "$1/$path"
    else
      place_together "$above" "$@" || return
      above=$below
      set -- "$1" "$2" "$1/$path"
    fi
  done <"$list"
  place_together "$above" "$@"
}

# place_together FOLDER FROM ROOT FILE...: moves these files, or none, to FOLDER below ROOT. FOLDER ends with a slash, or is empty.
place_together() {
  to=$3/$1
  shift 3
  [ $# -gt 0 ] || return 0
  [ -d "$to" ] || mkdir -p "$to" && mv -f "$@" "$to"
}
