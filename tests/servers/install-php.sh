#!/bin/sh
# Installs what tests/servers/wordpress.py needs from the system (Debian, Ubuntu): PHP with seven extensions. Needs root.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends \
    php-cli php-curl php-gd php-mbstring php-sqlite3 php-xml ca-certificates unzip
