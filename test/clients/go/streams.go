package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
)

func streams(ctx context.Context, config *rest.Config, client kubernetes.Interface, pod string) {
	command := []string{"sh", "-c", "cat; echo err >&2; exit 3"}
	request := client.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: command, Stdin: true, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	for name, executor := range map[string]remotecommand.Executor{
		"WebSocket": got(remotecommand.NewWebSocketExecutor(config, "GET", request.URL().String())),
		"SPDY":      got(remotecommand.NewSPDYExecutor(config, "POST", request.URL())),
	} {
		var out, errors bytes.Buffer
		err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: strings.NewReader("typed\n"), Stdout: &out, Stderr: &errors})
		exit, is := err.(exec.ExitError)
		check(is && exit.ExitStatus() == 3, "%s: exit code 3, not %v", name, err)
		check(out.String() == "typed\n" && errors.String() == "err\n", "%s: %q %q", name, out.String(), errors.String())
	}
	proved("exec over WebSocket and SPDY with stdin, stdout, stderr, exit code")

	target := client.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name(pod).SubResource("portforward").URL()
	portForward("WebSocket", got(portforward.NewSPDYOverWebsocketDialer(target, config)))
	portForward("SPDY", spdyDialer(config, target))
	proved("port-forward over WebSocket and SPDY, several connections each")

	reading, stop := context.WithCancel(ctx)
	defer stop()
	log := got(client.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{Follow: true}).Stream(reading))
	for lines := bufio.NewScanner(log); ; {
		check(lines.Scan(), "the log ended: %v", lines.Err())
		if strings.Contains(lines.Text(), "/through-the-port") {
			break
		}
	}
	proved("a followed log")
}

func spdyDialer(config *rest.Config, target *url.URL) httpstream.Dialer {
	transport, upgrader, err := spdy.RoundTripperFor(config)
	must(err)
	return spdy.NewDialer(upgrader, &http.Client{Transport: transport}, "POST", target)
}

func portForward(name string, dialer httpstream.Dialer) {
	stop, ready := make(chan struct{}), make(chan struct{})
	forwarder := got(portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{"0:8080"}, stop, ready, io.Discard, io.Discard))
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-ended:
		panic(fmt.Errorf("%s: %w", name, err))
	}
	port := got(forwarder.GetPorts())[0].Local
	for range 3 {
		transport := &http.Transport{DisableKeepAlives: true}
		answer := got((&http.Client{Transport: transport}).Get(fmt.Sprintf("http://127.0.0.1:%d/through-the-port", port)))
		body := got(io.ReadAll(answer.Body))
		must(answer.Body.Close())
		check(answer.StatusCode == 200 && len(body) > 0, "%s: %s %q", name, answer.Status, body)
	}
	close(stop)
	must(<-ended)
}
