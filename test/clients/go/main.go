// Drives a running Kubette with client-go: a line for each thing proved, exit code 1 at the first that fails.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const namespace = "client-go"

var labels = map[string]string{"app": "echo"}

func proved(what string) { fmt.Println("ok", what) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func got[T any](value T, err error) T {
	must(err)
	return value
}

func check(holds bool, format string, args ...any) {
	if !holds {
		panic(fmt.Errorf(format, args...))
	}
}

func eventually(what string, holds func() bool) {
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(100 * time.Millisecond) {
		check(time.Now().Before(end), "%s: not within a minute", what)
	}
}

func main() {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Fprintln(os.Stderr, failure)
			os.Exit(1)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	config := got(clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")))
	// What controller-runtime and the built-in controllers use; client-go's own default is JSON.
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.QPS, config.Burst = 100, 200
	client := got(kubernetes.NewForConfig(config))

	_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	must(err)
	discovery(client)
	configMaps(ctx, client)
	counters(ctx, client)
	dynamicClient(ctx, rest.CopyConfig(config))
	leaderElection(ctx, client)
	pod := deployment(ctx, client)
	streams(ctx, config, client, pod)
	ephemeralContainer(ctx, client, pod)
	token(ctx, config, client, pod)
	evict(ctx, client, pod)
	remove(ctx, client)
}
