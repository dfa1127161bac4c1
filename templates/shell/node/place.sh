# place.sh: puts what has arrived into the view of the image. Sourced by agent and supplies.

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
