// Installs, upgrades, rolls back and uninstalls a chart on Kubette with Helm's own library: a line for each thing proved,
// exit code 1 at the first that fails.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

const (
	namespace = "helm"
	name      = "shop"
	timeout   = time.Minute
)

var templates = map[string]string{
	"deployment.yaml": `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: web, image: {{ .Values.image }}}]}
`,
	"service.yaml": `
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80}]
{{- if .Capabilities.APIVersions.Has "networking.k8s.io/v1/Ingress" }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: {{ .Release.Name }}}
spec: {defaultBackend: {service: {name: {{ .Release.Name }}, port: {number: 80}}}}
{{- end }}
`,
	"migrate.yaml": `
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: migrate, image: busybox, command: [echo, migrated]}]}
`,
	"tests/answers.yaml": `
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-test, annotations: {helm.sh/hook: test}}
spec: {restartPolicy: Never, containers: [{name: test, image: busybox, command: [wget, -qO-, "http://{{ .Release.Name }}"]}]}
`,
}

func shop() *chart.Chart {
	made := &chart.Chart{
		Metadata: &chart.Metadata{APIVersion: "v2", Name: name, Version: "1.0.0", KubeVersion: ">=1.30.0-0"},
		Values:   map[string]any{"replicas": 1, "image": "nginx"},
	}
	for file, text := range templates {
		made.Templates = append(made.Templates, &chart.File{Name: "templates/" + file, Data: []byte(text)})
	}
	return made
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func proved(what string, made *release.Release, err error, version int, status release.Status) {
	must(err)
	if made.Version != version || made.Info.Status != status {
		panic(fmt.Errorf("%s: revision %d is %s", what, made.Version, made.Info.Status))
	}
	fmt.Println("ok", what)
}

func main() {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Fprintln(os.Stderr, failure)
			os.Exit(1)
		}
	}()
	flags := genericclioptions.NewConfigFlags(true)
	*flags.Namespace = namespace
	var config action.Configuration
	must(config.Init(flags, namespace, "secret", func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }))

	install := action.NewInstall(&config)
	install.ReleaseName, install.Namespace, install.CreateNamespace = name, namespace, true
	install.Wait, install.Timeout = true, timeout
	made, err := install.Run(shop(), nil)
	proved("install with a hook, waiting for what it made", made, err, 1, release.StatusDeployed)

	test := action.NewReleaseTesting(&config)
	test.Namespace, test.Timeout = namespace, timeout
	made, err = test.Run(name)
	proved("the chart's own test, through its Service", made, err, 1, release.StatusDeployed)

	upgrade := action.NewUpgrade(&config)
	upgrade.Namespace, upgrade.Wait, upgrade.Timeout, upgrade.Atomic = namespace, true, timeout, true
	made, err = upgrade.Run(name, shop(), map[string]any{"replicas": 2})
	proved("upgrade", made, err, 2, release.StatusDeployed)

	upgrade.Timeout = 2 * time.Second
	_, err = upgrade.Run(name, shop(), map[string]any{"replicas": -1})
	if err == nil {
		panic("the server took a negative number of replicas")
	}
	status, err := action.NewStatus(&config).Run(name)
	proved("an upgrade that is refused, rolled back", status, err, 4, release.StatusDeployed)

	rollback := action.NewRollback(&config)
	rollback.Version, rollback.Wait, rollback.Timeout = 1, true, timeout
	must(rollback.Run(name))
	status, err = action.NewStatus(&config).Run(name)
	proved("rollback", status, err, 5, release.StatusDeployed)

	revisions, err := action.NewHistory(&config).Run(name)
	must(err)
	if len(revisions) != 5 {
		panic(fmt.Errorf("%d revisions are stored", len(revisions)))
	}
	fmt.Println("ok history, kept in Secrets")

	uninstall := action.NewUninstall(&config)
	uninstall.Wait, uninstall.Timeout, uninstall.DeletionPropagation = true, timeout, "foreground"
	_, err = uninstall.Run(name)
	must(err)
	client, err := config.KubernetesClientSet()
	must(err)
	must(client.CoreV1().Namespaces().Delete(context.Background(), namespace, metav1.DeleteOptions{}))
	fmt.Println("ok uninstall")
}
