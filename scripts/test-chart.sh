#!/bin/sh
# Lints the Helm chart, renders it in several ways, and checks what comes out against the schemas of Kubernetes where
# kubernetes-validate is there. HELM and KUBERNETES_VALIDATE name the programs; without helm it says so and ends with 0.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
helm=${HELM:-$(command -v helm || true)}
validate=${KUBERNETES_VALIDATE:-$(command -v kubernetes-validate || true)}
[ -n "$helm" ] || { echo 'skipped: helm is not here (HELM=/path/to/helm)'; exit 0; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$helm" lint --strict "$root/k8s/luna"
for values in '' 'ingress.enabled=true,ingress.tlsSecret=tls' 'questdb.enabled=false,networkPolicy=false' 'env.LUNA_DEMO=true,storage.class=fast'; do
  "$helm" template box "$root/k8s/luna" --kube-version 1.36 ${values:+--set "$values"} >"$out/rendered.yaml"
  if [ -n "$validate" ]; then
    "$validate" -k 1.36 --strict "$out/rendered.yaml" >"$out/said" 2>&1 || { cat "$out/said"; exit 1; }
    # It only warns of a kind that it does not know.
    ! grep -i warn "$out/said" || exit 1
  fi
done
for wrong in series=duckdb image.digest=latest env.PATH=x nonsense=1; do
  if "$helm" template box "$root/k8s/luna" --set "$wrong" >/dev/null 2>&1; then echo "the chart takes $wrong"; exit 1; fi
done
echo "the chart is well${validate:+, also by the schemas of Kubernetes 1.36}"
