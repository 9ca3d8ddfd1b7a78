#!/bin/bash
# First start of Postgres: the owner of the tables, and the role of the box, which is neither superuser nor BYPASSRLS.
set -euo pipefail
psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname postgres \
  -v owner="$(cat /run/secrets-postgres/owner)" -v app="$(cat /run/secrets-postgres/app)" <<'SQL'
create role luna_owner login nosuperuser nobypassrls password :'owner';
create role luna_app login nosuperuser nobypassrls password :'app';
create database luna owner luna_owner;
SQL
