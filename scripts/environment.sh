#!/bin/sh
# Makes a virtual environment in folder $1 with Python $2, or with the newest Python >= 3.11 on the PATH.
# Where that cannot be done it says what is missing and how to get it.
set -eu

folder=$1
wanted=${2:-}

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
usable() { recent "$1" && "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }

version() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])'; }

without_venv=
for python in ${wanted:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
    if usable "$python"; then
        echo "Making $folder with Python $(version "$python") ..."
        exec "$python" -m venv --clear "$folder"
    fi
    if [ -z "$without_venv" ] && recent "$python"; then without_venv=$python; fi
done

# uv brings venv and, where need be, a Python of its own.
if [ -z "$wanted" ] && command -v uv >/dev/null 2>&1; then
    echo "Making $folder with uv ..."
    exec uv venv --quiet --seed --clear --python '>=3.11' "$folder"
fi

if [ -n "$without_venv" ]; then
    cat >&2 <<WORDS
Frontispiece makes its own environment, and $without_venv ($(version "$without_venv")) came without what that needs (venv, ensurepip).
  Debian, Ubuntu:  sudo apt install python3-venv
WORDS
elif [ -n "$wanted" ]; then
    echo "PYTHON=$wanted is not a Python 3.11 or newer that runs." >&2
else
    cat >&2 <<WORDS
Frontispiece needs Python 3.11 or newer, and there is none on the PATH.
  Debian, Ubuntu:  sudo apt install python3 python3-venv
  macOS:           brew install python
  anywhere, without root:  uv (docs.astral.sh/uv), found by itself once it is on the PATH
If you have one elsewhere:  make demo PYTHON=/path/to/python3.12
WORDS
fi
exit 1
