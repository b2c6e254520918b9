"""A cluster for all tests, and a fresh namespace for each. Needs kubette on the PATH, or KUBETTE with its command."""

import json
import os
import shlex
import subprocess
import urllib.request

import pytest


class Cluster:
    def __init__(self, ready):
        self.kubeconfig = ready["kubeconfig"]
        self._control = ready["control"]

    def ask(self, method, path, **body):
        """Steers the cluster: docs/testing.md tells what may be asked for."""
        request = urllib.request.Request(
            self._control + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def kubectl(self, *args):
        environment = {**os.environ, "KUBECONFIG": self.kubeconfig}
        return subprocess.run(["kubectl", *args], env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def cluster():
    command = shlex.split(os.environ.get("KUBETTE", "kubette")) + ["test-server", "--nodes", "1"]
    # It ends when its standard input is closed, as it is however this process ends.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        yield Cluster(json.loads(server.stdout.readline()))
        server.stdin.close()


@pytest.fixture
def namespace(cluster):
    return cluster.ask("POST", "/namespace")["name"]
