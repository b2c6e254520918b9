// go test: needs kubette on the PATH, or KUBETTE with its command, and kubectl.
package web

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

type cluster struct {
	Kubeconfig string `json:"kubeconfig"`
	Control    string `json:"control"`
}

var shared cluster

// ask steers the cluster: docs/testing.md tells what may be asked for.
func (c cluster) ask(t *testing.T, method, path string, body map[string]any, into any) {
	t.Helper()
	text, _ := json.Marshal(body)
	request, _ := http.NewRequest(method, c.Control+path, bytes.NewReader(text))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", method, path, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func (c cluster) kubectl(args ...string) (string, error) {
	command := exec.Command("kubectl", args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig)
	output, err := command.CombinedOutput()
	return string(output), err
}

func TestMain(m *testing.M) {
	os.Exit(withCluster(m.Run))
}

func withCluster(run func() int) int {
	words := strings.Fields(os.Getenv("KUBETTE"))
	if len(words) == 0 {
		words = []string{"kubette"}
	}
	server := exec.Command(words[0], append(words[1:], "test-server", "--nodes", "1")...)
	server.Stderr = os.Stderr
	// It ends when its standard input is closed, as it is however this process ends.
	input, _ := server.StdinPipe()
	output, _ := server.StdoutPipe()
	if err := server.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.Wait()
	defer input.Close()
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &shared)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

func TestWebBecomesAvailable(t *testing.T) {
	var namespace struct{ Name string }
	shared.ask(t, "POST", "/namespace", nil, &namespace)
	if output, err := shared.kubectl("apply", "-n", namespace.Name, "-f", "../web.yaml"); err != nil {
		t.Fatal(output)
	}
	var web struct{ Status struct{ ReadyReplicas int } }
	shared.ask(t, "POST", "/wait", map[string]any{
		"object": "deployment/web", "condition": "Available", "namespace": namespace.Name,
	}, &web)
	if web.Status.ReadyReplicas != 2 {
		t.Errorf("%d are ready", web.Status.ReadyReplicas)
	}
}
