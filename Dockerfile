# The image of the appliance and the fleet. It brings no Postgres: LUNA_DATABASE names one (compose/compose.yaml does).
#   docker build -t luna-iems .                          the box
#   docker buildx build --platform linux/amd64,linux/arm64 .
#   docker build --target cuda -t luna-iems:cuda .       unverified: never ran on a GPU

FROM node:24-bookworm-slim AS installed
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund --loglevel=error

FROM installed AS packages
COPY compose/prune-packages.sh /tmp/
RUN sh /tmp/prune-packages.sh node_modules

# Debian without what installs packages and without translations: no apt, no perl. In a layer of its own, or nothing of
# it would be smaller.
FROM debian:bookworm-slim AS base
RUN rm -rf /usr/bin/perl* /usr/share/perl* /usr/lib/*/perl* /usr/lib/*/libperl* \
      /usr/bin/apt* /usr/lib/apt /usr/lib/*/libapt* /etc/apt /var/lib/apt /var/cache/* /var/lib/dpkg/info \
      /usr/lib/*/gconv /usr/bin/localedef /usr/share/locale /usr/share/i18n /usr/share/doc /usr/share/man /usr/share/info

# Node's program alone: no npm, no compiler, no headers.
FROM scratch AS luna
COPY --from=base / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Luna iEMS" \
      org.opencontainers.image.description="Local-first energy management appliance and edge gateway" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=packages /usr/local/bin/node /usr/local/bin/node
# Made here so that fresh volumes belong to the user of the box.
RUN mkdir -p /data /backups && chown 1000:1000 /data /backups
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY engine engine
COPY recommender recommender
COPY connectors connectors
COPY web web
COPY firmware-profiles firmware-profiles
COPY tariffs tariffs
COPY gateway gateway
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    LUNA_HOME=/data \
    LUNA_BACKUP_DIR=/backups
USER 1000:1000
VOLUME ["/data", "/backups"]
EXPOSE 8080 1883 8883
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=10s --start-period=120s --start-interval=1s --retries=3 \
  CMD ["node", "/app/gateway/healthcheck.ts"]
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=4", "/app/gateway/main.ts"]
CMD ["run"]

# Unverified until it ran on real hardware: tfjs-node-gpu needs Node 22 and CUDA 11.8 with cuDNN 8.
FROM node:22-bookworm-slim AS node22
FROM node22 AS packages-cuda
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=installed /app/node_modules node_modules
COPY package.json ./
RUN npm install --no-save --no-audit --no-fund @tensorflow/tfjs-node-gpu@4.22.0
FROM nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04 AS cuda
LABEL org.opencontainers.image.title="Luna iEMS (CUDA)" \
      org.opencontainers.image.licenses="MIT" \
      luna.verified="no: this target never ran on a GPU"
COPY --from=node22 /usr/local/bin/node /usr/local/bin/node
RUN mkdir -p /data /backups && chown 1000:1000 /data /backups
WORKDIR /app
COPY --from=packages-cuda /app/node_modules node_modules
COPY --from=luna /app/package.json /app/LICENSE ./
COPY --from=luna /app/engine engine
COPY --from=luna /app/recommender recommender
COPY --from=luna /app/connectors connectors
COPY --from=luna /app/web web
COPY --from=luna /app/firmware-profiles firmware-profiles
COPY --from=luna /app/tariffs tariffs
COPY --from=luna /app/gateway gateway
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 LUNA_HOME=/data LUNA_BACKUP_DIR=/backups
USER 1000:1000
VOLUME ["/data", "/backups"]
EXPOSE 8080 1883 8883
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 CMD ["node", "/app/gateway/healthcheck.ts"]
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "/app/gateway/main.ts"]
CMD ["run"]

# `docker build .` without a target makes the last stage.
FROM luna
