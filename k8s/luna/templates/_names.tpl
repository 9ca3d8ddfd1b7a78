{{- define "luna.labels" -}}
app.kubernetes.io/name: luna
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "luna.selector" -}}
app.kubernetes.io/name: luna
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "luna.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}
