"""An operator made with kopf, run against Kubette: a line for each thing proved, exit code 1 at the first that fails.

It keeps a Service for every ConfigMap with the label "site", and is held by kopf's own finalizer and annotations."""

import threading
import time

import kopf
from kubernetes import client, config
from kubernetes.client.rest import ApiException

NAMESPACE = "kopf"
events = []


@kopf.on.create("configmaps", labels={"site": kopf.PRESENT})
def made(name, namespace, body, **_):
    service = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}
    kopf.adopt(service, owner=body)
    client.CoreV1Api().create_namespaced_service(namespace, service)
    events.append("create")
    return {"service": service["metadata"].get("name", name)}


@kopf.on.update("configmaps", labels={"site": kopf.PRESENT}, field="data")
def changed(old, new, **_):
    events.append(f"update {old['mode']} {new['mode']}")


@kopf.on.delete("configmaps", labels={"site": kopf.PRESENT})
def removed(**_):
    events.append("delete")


@kopf.timer("configmaps", labels={"site": kopf.PRESENT}, interval=0.5)
def ticks(**_):
    if "tick" not in events:
        events.append("tick")


def eventually(what, ask, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ask():
            print("ok", what, flush=True)
            return
        time.sleep(0.1)
    raise TimeoutError(f"{what}: {events}")


def gone(read, name):
    try:
        read(name, NAMESPACE)
        return False
    except ApiException as error:
        return error.status == 404


def main():
    config.load_kube_config()
    core = client.CoreV1Api()
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    stop, ready = threading.Event(), threading.Event()
    operator = threading.Thread(
        target=lambda: kopf.run(standalone=True, namespaces=[NAMESPACE], stop_flag=stop, ready_flag=ready), daemon=True
    )
    operator.start()
    assert ready.wait(30)
    site = {"metadata": {"name": "shop", "labels": {"site": ""}}, "data": {"mode": "first"}}
    core.create_namespaced_config_map(NAMESPACE, site)
    eventually("a handler of creation, which makes an owned Service", lambda: "create" in events)
    owners = core.list_namespaced_service(NAMESPACE).items[0].metadata.owner_references
    assert [owner.name for owner in owners] == ["shop"], owners
    eventually("a timer", lambda: "tick" in events)
    core.patch_namespaced_config_map("shop", NAMESPACE, {"data": {"mode": "second"}})
    eventually("a handler of changes, with what was before", lambda: "update first second" in events)
    assert "kopf.zalando.org/KopfFinalizerMarker" in core.read_namespaced_config_map("shop", NAMESPACE).metadata.finalizers
    core.delete_namespaced_config_map("shop", NAMESPACE)
    eventually("a handler of deletion, held by a finalizer", lambda: "delete" in events)
    eventually("the ConfigMap is gone", lambda: gone(core.read_namespaced_config_map, "shop"))
    eventually("its Service follows", lambda: not core.list_namespaced_service(NAMESPACE).items)
    stop.set()
    operator.join(10)
    core.delete_namespace(NAMESPACE)


main()
