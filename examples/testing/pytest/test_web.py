import pathlib
import subprocess

import pytest

WEB = str(pathlib.Path(__file__).parent.parent / "web.yaml")


def test_the_web_becomes_available(cluster, namespace):
    cluster.kubectl("apply", "-n", namespace, "-f", WEB)
    web = cluster.ask("POST", "/wait", object="deployment/web", condition="Available", namespace=namespace)
    assert web["status"]["readyReplicas"] == 2
    writes = cluster.ask("POST", "/requests", verb=["create", "patch"], resource="deployments", namespace=namespace)
    assert [write["status"] for write in writes] == [201]


def test_a_write_that_fails_once(cluster, namespace):
    cluster.ask("POST", "/faults", fault="next", resource="configmaps", verb="create", namespace=namespace, status=500)
    create = ["create", "configmap", "c", "-n", namespace]
    with pytest.raises(subprocess.CalledProcessError):
        cluster.kubectl(*create)
    assert "created" in cluster.kubectl(*create)
