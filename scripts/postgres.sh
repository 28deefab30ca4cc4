# shellcheck shell=bash
# The private PostgreSQL: $STATE/postgres holds its data, $STATE/log/postgres.log what it says.

PG_DATA=$STATE/postgres
PG_LOG=$STATE/log/postgres.log

postgres_port() { cat "$STATE/postgres.ports" 2>/dev/null || echo 0; }
postgres_url() { echo "postgres://postgres:postgres@127.0.0.1:$(postgres_port)/$1"; }

# psql DATABASE ARGUMENTS…: as scripts want it: no pager, no start-up file, the first error ends it.
psql_in() {
  local url
  url=$(postgres_url "$1")
  shift
  if [[ $SERVERS == docker ]]; then
    docker exec -i -e PAGER=cat "$DOCKER_NAME-postgres" psql "${url/:$(postgres_port)/:5432}" -X -q -v ON_ERROR_STOP=1 "$@"
  else
    PAGER=cat PGCONNECT_TIMEOUT=10 "$(postgres_bin)/psql" "$url" -X -q -v ON_ERROR_STOP=1 "$@"
  fi
}

# Ours, and answering to our password: a port number alone may be anyone's by now.
postgres_is_up() { [[ $(psql_in postgres -Atc 'show data_directory' 2>/dev/null) == "$PG_DATA" ]]; }

# At once or, on a busy machine, a while later.
postgres_answers() { postgres_is_up || { postgres_is_there && wait_until 60 PostgreSQL postgres_is_up; }; }
postgres_is_there() { is_process "$(head -n 1 "$PG_DATA/postmaster.pid" 2>/dev/null || echo 0)" "$PG_DATA"; }

postgres_start() {
  local bin
  bin=$(postgres_bin)
  postgres_stop
  keep_ports "$STATE/postgres.ports" 1
  install -d -m 700 "$PG_DATA"
  printf '' >"$PG_LOG"
  printf 'postgres\n' >"$STATE/password"
  chmod 644 "$STATE/password" "$PG_LOG"
  if is_root; then chown postgres: "$PG_DATA" "$PG_LOG"; fi
  (
    cd "$PG_DATA" # the caller's folder may be closed to the service user
    export LC_ALL=C.UTF-8
    as_user postgres "$bin/initdb" -D "$PG_DATA" -U postgres --pwfile="$STATE/password" -A scram-sha-256 \
      -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions
  ) >"$STATE/log/initdb.log" 2>&1 || die "initdb failed: $(tail -n 5 "$STATE/log/initdb.log")"
  postgres_settings >>"$PG_DATA/postgresql.conf"
  # pg_ctl gives the server a session of its own: a Ctrl-C at this terminal does not reach it.
  (cd "$PG_DATA" && as_user postgres "$bin/pg_ctl" -D "$PG_DATA" -l "$PG_LOG" -w -t 120 start) \
    >/dev/null 2>&1 </dev/null 9>&- || return 1
  psql_in postgres -c 'create database backend089'
}

postgres_settings() {
  cat <<SETTINGS
listen_addresses = '127.0.0.1'
port = $(postgres_port)
unix_socket_directories = ''
max_connections = 400
jit = off
# The data is thrown away after a crash: nothing is worth waiting for the disk.
fsync = off
synchronous_commit = ${PG_SYNCHRONOUS_COMMIT:-off}
full_page_writes = off
# No statement, no value and no parameter in the log: tests read it to prove that no caller's number is there.
log_statement = none
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
SETTINGS
}

postgres_stop() {
  if [[ -f $PG_DATA/postmaster.pid ]]; then
    # QUIT is PostgreSQL's immediate shutdown: no checkpoint of data that goes next.
    end_process "$PG_DATA/postmaster.pid" "$PG_DATA" QUIT
  fi
  rm -rf "$PG_DATA"
}
