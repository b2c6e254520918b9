module kubette.example/helm

go 1.25.0

require (
	k8s.io/apimachinery v0.35.0
	helm.sh/helm/v3 v3.20.0
	k8s.io/cli-runtime v0.35.0
)
