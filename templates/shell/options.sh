# options.sh: how make was called, out of MAKEFLAGS. Sourced by start.
#
# GNU make hands its options down as "<letters> --long -jN … -- VAR=value …"; a first word that begins with '-', or a leading blank, means no letters.

# options: sets dry (-n), question (-q), silent (-s), force (-B) and cap (-j, empty for none or unlimited).
options() {
  dry='' question='' silent='' force='' cap=''
  flags=${MAKEFLAGS-}
  flags=${flags%% -- *}
  letters=${flags%% *}
  case $letters in -*) letters= ;; esac
  for flag in $flags; do
    case $flag in -j[0-9]*) cap=${flag#-j} ;; esac
  done
  case $letters in *[tie]*)
    echo 'make -t, -i and -e would make stamps lie, so they are not supported here; -k is how it works anyway' >&2
    exit 2
    ;;
  esac
  case $letters in *n*) dry=1 ;; esac
  case $letters in *q*) question=1 dry=1 ;; esac
  case $letters in *s*) silent=1 ;; esac
  case $letters in *B*) force=1 ;; esac
  unset MAKEFLAGS MFLAGS MAKELEVEL MAKE_TERMOUT MAKE_TERMERR MAKEOVERRIDES
}
