#!/bin/sh
# prune-packages.sh node_modules: removes what no running box reads, so that the image stays small. The Dockerfile runs
# it after `npm ci`; `make test-appliance` then loads every package in the image.
set -eu
cd "$1"
arch=$(node -p process.arch)

# Other programs: a Postgres of its own (the appliance names one), a GPU's driver (the CUDA target has its own), drawing
# of PDF pages, the compiler of types.
rm -rf @embedded-postgres webgpu @tensorflow/tfjs-backend-webgpu @napi-rs/canvas* typescript @typescript @types

# Of TensorFlow.js Node loads one bundle a package, and the binaries of WebAssembly.
for package in tfjs-core tfjs-layers tfjs-backend-cpu tfjs-backend-wasm; do
  find "@tensorflow/$package/dist" -type f ! -name '*.node.js' ! -name '*.wasm' -delete
done

# Binaries of other systems.
for folder in onnxruntime-node/bin/*/*/* ; do
  case $folder in */linux/"$arch") ;; *) rm -rf "$folder" ;; esac
done
for folder in classic-level/prebuilds/* @serialport/bindings-cpp/prebuilds/* ; do
  case ${folder##*/} in linux-"$arch") ;; *) rm -rf "$folder" ;; esac
done

# The same again for browsers and bundlers, in CommonJS beside modules, as source beside what is built, fonts, tests.
rm -rf classic-level/deps \
  astronomia/src astronomia/data date-holidays/dist date-holidays/src date-holidays/data date-holidays-parser/dist \
  moment/dist moment/min moment/src moment-timezone/builds \
  lucide-static/dist lucide-static/font lucide-static/sprite.svg \
  pdfjs-dist/legacy pdfjs-dist/types pdfjs-dist/web pdfjs-dist/build/pdf.sandbox* \
  zod/src luxon/build/global luxon/build/amd luxon/build/cjs-browser \
  mqtt/dist mammoth/mammoth.browser*.js mammoth/test bintrees/test lodash/fp
find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \) -delete
find . -type d -empty -delete
