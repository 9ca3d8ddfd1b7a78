#!/bin/sh
# The appliance by one word: appliance.sh up|down|reset|logs|status|backup|restore|upgrade (make calls it).
# SMALL=1: for 2 cores and 4 GB. PROFILES=observability,automation: those besides. SERVICES: only these.
# Needs docker with compose 2.24 or newer; everything else runs in containers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ENV_FILE=${ENV_FILE:-$here/.env}
[ -f "$ENV_FILE" ] || cp "$here/.env.example" "$ENV_FILE"
WAIT_S=${WAIT_S:-180}

say() { echo "luna: $*" >&2; }
fail() { say "$*"; exit 1; }
dc() {
  set -- --env-file "$ENV_FILE" -f "$here/compose.yaml" ${SMALL:+-f "$here/compose.small.yaml"} "$@"
  COMPOSE_PROFILES=${PROFILES:-} docker compose "$@"
}
value() { sed -n "s/^$1=//p" "$ENV_FILE" | tail -1; }
image() { echo "${LUNA_IMAGE:-$(value LUNA_IMAGE)}" | grep . || echo luna-iems:0.1.0; }
toolbox() { dc run --rm -T --no-deps toolbox -c "$1"; }
ask() {
  [ "${YES:-}" != 1 ] || return 0
  printf '%s Type yes: ' "$1" >&2
  read -r answer && [ "$answer" = yes ] || fail 'nothing was done'
}
luna() { dc exec -T luna node --disable-warning=ExperimentalWarning gateway/main.ts "$@"; }

need_engine() {
  command -v docker >/dev/null 2>&1 || fail 'docker is missing: see https://docs.docker.com/engine/install/'
  docker version >/dev/null 2>&1 || fail 'no container engine answers: is docker running, and may you use it?'
}

up() {
  docker image inspect "$(image)" >/dev/null 2>&1 || dc build luna
  # shellcheck disable=SC2086
  dc up -d --wait --wait-timeout "$WAIT_S" ${SERVICES:-} || return 1
  say "the box is on port $(value HTTP_PORT). Until somebody has signed in, its set-up link is in: make logs"
}

# What a signed-out browser and a meter would find.
smoke() {
  [ "${SMOKE:-}" != fail ] || return 1
  luna doctor --json >/dev/null || return 1
  dc exec -T luna node -e '
    const get = async (path, wanted) => {
      const { status } = await fetch(`http://127.0.0.1:8080${path}`, { redirect: "manual" });
      if (!wanted.includes(status)) throw new Error(`${path} answered ${status}`);
    };
    Promise.all([get("/readyz", [200]), get("/metrics", [200]), get("/sign-in", [200, 303]), get("/api/v1/openapi.json", [200])])
      .catch((error) => { console.error(error.message); process.exit(1); });'
}

backup() {
  id=$(date -u +%Y%m%dT%H%M%SZ)
  to=/backups/appliance/$id
  say "backup $id: the box"
  box=$(luna backup --json | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
  [ -n "$box" ] || fail 'the box made no backup: make status says why'
  # Links: the box may drop its own backup earlier.
  toolbox "mkdir -p $to.part && cp -al /backups/$box $to.part/$box && echo $box > $to.part/box"
  say 'Postgres (base, with its log)'
  dc exec -T postgres pg_basebackup -U postgres -D - -Ft -X fetch -c fast | dc run --rm -T --no-deps toolbox -c "gzip -1 > $to.part/postgres.tar.gz"
  say 'QuestDB (checkpoint)'
  questdb 'checkpoint create'
  # Released again whatever becomes of the copy: a checkpoint that stays keeps files from being removed.
  copied=1
  toolbox "tar -C /series -czf $to.part/questdb.tar.gz . || [ \$? -eq 1 ]" || copied=0
  questdb 'checkpoint release'
  [ $copied = 1 ] || fail 'QuestDB could not be copied; nothing of this counts as a backup'
  say 'files and vectors'
  vectors save "$to.part/vectors" || fail 'Qdrant could not be copied; nothing of this counts as a backup'
  toolbox "tar -C /files -czf $to.part/files.tar.gz . \
    && cd $to.part && find . -type f ! -path './$box/*' ! -name SHA256SUMS -exec sha256sum {} + > SHA256SUMS && sync && mv $to.part $to && ls -1dt /backups/appliance/*Z | tail -n +${KEEP:-8} | xargs -r rm -rf"
  say "backup $id is whole. Keep its passphrase elsewhere too: make passphrase"
  echo "$id"
}

passages() { echo "${PASSAGES:-$(value PASSAGES)}" | grep . || echo qdrant://qdrant:6333; }
# Snapshots of Qdrant's collections; nothing where the passages are in the box itself.
vectors() {
  case "${SMALL:-}$(passages)" in qdrant*) dc run --rm -T --no-deps --entrypoint node toolbox --disable-warning=ExperimentalWarning \
    gateway/vectors.ts "$1" "$(passages)" "$2" >&2 ;; esac
}

questdb() {
  dc run --rm -T --no-deps --entrypoint node toolbox -e "
    fetch('http://questdb:9000/exec?query=' + encodeURIComponent('$1'), { signal: AbortSignal.timeout(120000) })
      .then((answer) => answer.json()).then((body) => { if (body.error) throw new Error(body.error); })
      .catch((error) => { console.error('QuestDB: ' + error.message); process.exit(1); });"
}

restore() {
  id=${1:-}
  [ -n "$id" ] || id=$(toolbox 'ls -1 /backups/appliance 2>/dev/null | grep "Z$" | tail -1')
  [ -n "$id" ] || fail 'there is no backup: make backup makes one'
  from=/backups/appliance/$id
  say "checking $id"
  toolbox "cd $from && sha256sum -c --quiet SHA256SUMS" || fail "the backup $id is not whole; nothing was restored"
  ask "Everything in the appliance is replaced by the backup $id."
  dc stop >/dev/null
  dc run --rm -T --no-deps prepare >/dev/null
  say 'volumes'
  toolbox "for volume in data db series files vectors; do find /\$volume -mindepth 1 -delete; done
    mkdir -p /db/18/docker && tar -C /db/18/docker -xzf $from/postgres.tar.gz && chown -R 999:999 /db && chmod 700 /db/18/docker
    tar -C /series -xzf $from/questdb.tar.gz && touch /series/_restore && chown -R 10001:10001 /series
    tar -C /files -xzf $from/files.tar.gz && chown 1000:1000 /data"
  say 'the box'
  box=$(toolbox "cat $from/box")
  dc run --rm -T --no-deps luna restore "$from/$box" --no-log >&2
  # The roles get the passwords of this appliance, which may be another than the one that was backed up.
  dc up -d --wait --wait-timeout "$WAIT_S" postgres
  dc exec -T postgres sh -c "psql -q -v ON_ERROR_STOP=1 -U postgres -v owner=\"\$(cat /run/secrets-postgres/owner)\" -v app=\"\$(cat /run/secrets-postgres/app)\"" <<'SQL'
alter role luna_owner password :'owner';
alter role luna_app password :'app';
SQL
  # Before the box asks for them.
  case "${SMALL:-}$(passages)" in qdrant*) dc up -d --wait --wait-timeout "$WAIT_S" qdrant ;; esac
  vectors restore "$from/vectors" || say 'the vectors could not be restored: ./luna index makes them anew from the documents'
  up
  smoke || fail 'the restored box does not pass the smoke test: make status, make logs'
  say "restored $id"
}

# The old image keeps the tag luna-iems:before until the next upgrade.
upgrade() {
  new=${TO:-$(image)}
  old=$(dc images -q luna | head -1)
  [ -n "$old" ] || old=$(docker image inspect -f '{{.Id}}' "$(image)")
  docker tag "$old" luna-iems:before
  id=$(backup)
  if [ -n "${TO:-}" ]; then docker image inspect "$TO" >/dev/null 2>&1 || docker pull "$TO"; else dc build luna; fi
  say "starting $new"
  if (export LUNA_IMAGE="$new"; up && smoke); then
    [ -z "${TO:-}" ] || sed -i "s#^LUNA_IMAGE=.*#LUNA_IMAGE=$TO#" "$ENV_FILE"
    say "upgraded to $new. The way back: make restore ID=$id"
    return 0
  fi
  say 'the new version does not work: going back to the old image and its data'
  docker tag luna-iems:before "$(image)"
  SMOKE= YES=1
  restore "$id"
  fail 'the upgrade was taken back; the box runs as before'
}

# Printed, or replaced by the one that opens the backups of another machine.
passphrase() {
  [ $# -gt 0 ] || { toolbox 'cat /run/secrets-luna/backup-passphrase'; return; }
  printf '%s\n' "$1" | dc run --rm -T --no-deps --entrypoint /bin/sh prepare -c 'cd /prepare/secrets/luna && umask 277 \
    && cat > new && chown 1000:1000 new && mv -f new backup-passphrase'
  say 'the passphrase is kept; the box reads it at its next start'
}

reset() {
  ask 'Every reading, document, account and secret of the appliance is removed (backups in a folder of your own stay).'
  COMPOSE_PROFILES='*' dc down -v --remove-orphans
}

command=${1:-}
[ $# -eq 0 ] || shift
need_engine
case $command in
  up) up ;;
  down) COMPOSE_PROFILES='*' dc down ;;
  reset) reset ;;
  logs) dc logs --tail "${TAIL:-200}" ${FOLLOW:+-f} "$@" ;;
  status) dc ps -a --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}' && luna doctor ;;
  backup) backup ;;
  restore) restore "$@" ;;
  upgrade) upgrade ;;
  smoke) smoke && say 'the smoke test passes' ;;
  passphrase) passphrase "$@" ;;
  compose) dc "$@" ;;
  *) fail 'usage: appliance.sh up|down|reset|logs|status|backup|restore [ID]|upgrade|smoke|passphrase [NEW]|compose …' ;;
esac
