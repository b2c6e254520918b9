"""Drives a running Kubette with the official Python client: a line for each thing proved, exit code 1 at the first that fails."""

import threading
import time

import kubernetes.stream
from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock

NAMESPACE = "client-python"
LABELS = {"app": "echo"}


def proved(what):
    print("ok", what, flush=True)


def eventually(what, ask, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = ask()
        if value:
            return value
        time.sleep(0.1)
    raise TimeoutError(what)


def refusal(code, call):
    """The body of a request that must fail with a code."""
    try:
        call()
    except ApiException as error:
        assert error.status == code, error
        return error.body if isinstance(error.body, str) else error.body.decode()
    raise AssertionError(f"the request succeeded, {code} was expected")


def config_maps(core):
    events = []

    def follow():
        stream = watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, timeout_seconds=60)
        for event in stream:
            if event["object"].metadata.name != "settings":
                continue
            events.append((event["type"], event["object"].data["mode"]))
            if event["type"] == "DELETED":
                return

    watching = threading.Thread(target=follow, daemon=True)
    watching.start()
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="settings", labels=LABELS), data={"mode": "first"})
    made = core.create_namespaced_config_map(NAMESPACE, body)
    assert made.metadata.creation_timestamp.tzinfo is not None
    assert core.read_namespaced_config_map("settings", NAMESPACE).data == {"mode": "first"}
    proved("create and read")
    assert [m.metadata.name for m in core.list_namespaced_config_map(NAMESPACE, label_selector="app=echo").items] == ["settings"]
    proved("list by label")
    eventually("the watch to begin", lambda: events)

    # A list is a JSON patch; a dict is a strategic merge patch.
    patched = core.patch_namespaced_config_map("settings", NAMESPACE, [{"op": "replace", "path": "/data/mode", "value": "json"}])
    assert patched.data["mode"] == "json"
    assert core.patch_namespaced_config_map("settings", NAMESPACE, {"data": {"mode": "strategic"}}).data["mode"] == "strategic"
    proved("JSON and strategic merge patch")

    made.data["mode"] = "stale"
    assert "the object has been modified" in refusal(409, lambda: core.replace_namespaced_config_map("settings", NAMESPACE, made))
    proved("conflict of a stale resourceVersion")
    assert '"reason":"NotFound"' in refusal(404, lambda: core.read_namespaced_config_map("missing", NAMESPACE))
    proved("not found")

    core.delete_namespaced_config_map("settings", NAMESPACE)
    watching.join(30)
    assert events == [("ADDED", "first"), ("MODIFIED", "json"), ("MODIFIED", "strategic"), ("DELETED", "strategic")], events
    proved("watch: added, modified, deleted")


def dynamic_client(api):
    maps = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"mode": "one"}}
    maps.server_side_apply(body=body, namespace=NAMESPACE, field_manager="one")
    body["data"]["mode"] = "two"
    try:
        maps.server_side_apply(body=body, namespace=NAMESPACE, field_manager="two")
        raise AssertionError("no conflict")
    except dynamic.exceptions.ConflictError as error:
        assert "Apply failed with 1 conflict" in error.summary(), error.summary()
    forced = maps.server_side_apply(body=body, namespace=NAMESPACE, field_manager="two", force_conflicts=True)
    assert forced.data.mode == "two"
    proved("dynamic client: discovery, server-side apply, its conflict")


def deployment(api):
    apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
    container = client.V1Container(name="echo", image="echo", ports=[client.V1ContainerPort(container_port=8080)])
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=LABELS), spec=client.V1PodSpec(containers=[container])
    )
    spec = client.V1DeploymentSpec(replicas=1, selector=client.V1LabelSelector(match_labels=LABELS), template=template)
    apps.create_namespaced_deployment(NAMESPACE, client.V1Deployment(metadata=client.V1ObjectMeta(name="echo"), spec=spec))

    def available(count):
        eventually(
            f"{count} available replicas",
            lambda: apps.read_namespaced_deployment_status("echo", NAMESPACE).status.available_replicas == count,
        )

    available(1)
    proved("a Deployment becomes available (status)")
    scale = apps.read_namespaced_deployment_scale("echo", NAMESPACE)
    assert scale.spec.replicas == 1 and scale.status.selector == "app=echo", scale
    apps.patch_namespaced_deployment_scale("echo", NAMESPACE, {"spec": {"replicas": 2}})
    available(2)
    proved("scale")
    return core.list_namespaced_pod(NAMESPACE, label_selector="app=echo").items[0].metadata.name


def streams(core, pod):
    # stream() changes the client it is given into a WebSocket one, so each use has its own.
    connect = lambda call, *args, **kwargs: kubernetes.stream.stream(getattr(client.CoreV1Api(), call), *args, **kwargs)
    out = connect(
        "connect_get_namespaced_pod_exec", pod, NAMESPACE, command=["sh", "-c", "read line; echo got $line; echo err >&2; exit 3"],
        stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
    )
    out.write_stdin("typed\n")
    out.run_forever(timeout=30)
    assert (out.read_stdout(), out.read_stderr(), out.returncode) == ("got typed\n", "err\n", 3)
    text = connect("connect_get_namespaced_pod_exec", pod, NAMESPACE, command=["echo", "all"], stdout=True, stderr=True)
    assert text == "all\n", text
    proved("exec with stdin, stdout, stderr, exit code")

    forward = kubernetes.stream.portforward(client.CoreV1Api().connect_get_namespaced_pod_portforward, pod, NAMESPACE, ports="8080")
    socket = forward.socket(8080)
    socket.setblocking(True)
    socket.sendall(b"GET /through-the-port HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n")
    answer = b""
    while chunk := socket.recv(4096):
        answer += chunk
    socket.close()
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert forward.error(8080) is None, forward.error(8080)
    proved("port-forward, closed by the Pod")

    assert "/through-the-port" in core.read_namespaced_pod_log(pod, NAMESPACE)
    for line in watch.Watch().stream(core.read_namespaced_pod_log, pod, NAMESPACE):
        if "/through-the-port" in line:
            break
    proved("logs, read and followed")


def subresources(api, pod):
    core, policy = client.CoreV1Api(api), client.PolicyV1Api(api)
    condition = {"type": "example.com/checked", "status": "True"}
    patched = core.patch_namespaced_pod_status(pod, NAMESPACE, {"status": {"conditions": [condition]}})
    assert condition["type"] in [c.type for c in patched.status.conditions]
    proved("status subresource, patched")

    debug = {"name": "debug", "image": "busybox", "command": ["sleep", "600"]}
    core.patch_namespaced_pod_ephemeralcontainers(pod, NAMESPACE, {"spec": {"ephemeralContainers": [debug]}})

    def running():
        statuses = core.read_namespaced_pod(pod, NAMESPACE).status.ephemeral_container_statuses
        return statuses and statuses[0].state.running

    eventually("the ephemeral container to run", running)
    proved("an ephemeral container")

    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=600))
    token = core.create_namespaced_service_account_token("default", NAMESPACE, request).status.token
    review = client.V1TokenReview(spec=client.V1TokenReviewSpec(token=token))
    user = client.AuthenticationV1Api(api).create_token_review(review).status.user
    assert user.username == f"system:serviceaccount:{NAMESPACE}:default", user
    proved("a token and its review")

    selector = client.V1LabelSelector(match_labels=LABELS)
    budget = client.V1PodDisruptionBudget(
        metadata=client.V1ObjectMeta(name="echo"), spec=client.V1PodDisruptionBudgetSpec(max_unavailable=0, selector=selector)
    )
    policy.create_namespaced_pod_disruption_budget(NAMESPACE, budget)
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod, namespace=NAMESPACE))
    evict = lambda: core.create_namespaced_pod_eviction(pod, NAMESPACE, eviction)
    assert "disruption budget" in refusal(429, evict)
    policy.delete_namespaced_pod_disruption_budget("echo", NAMESPACE)
    evict()
    eventually("the Pod to be gone", lambda: pod not in [p.metadata.name for p in core.list_namespaced_pod(NAMESPACE).items])
    proved("eviction, refused by a budget and granted without")


def delete(api):
    apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
    apps.delete_namespaced_deployment("echo", NAMESPACE, propagation_policy="Orphan")
    sets = lambda: apps.list_namespaced_replica_set(NAMESPACE).items
    eventually("an orphan", lambda: [s for s in sets() if not s.metadata.owner_references])
    apps.delete_collection_namespaced_replica_set(NAMESPACE, propagation_policy="Foreground", label_selector="app=echo")
    eventually("the ReplicaSet to go", lambda: not sets())
    assert core.list_namespaced_pod(NAMESPACE, label_selector="app=echo").items == []
    core.delete_namespace(NAMESPACE)
    eventually("the namespace to be gone", lambda: NAMESPACE not in [n.metadata.name for n in core.list_namespace().items])
    proved("delete: orphaning, a collection in the foreground, and of the namespace")


def leader_election():
    led = threading.Event()
    lock = ConfigMapLock("leader", NAMESPACE, "python-1")
    chosen = electionconfig.Config(
        lock, lease_duration=15, renew_deadline=10, retry_period=1, onstarted_leading=led.set, onstopped_leading=None
    )
    threading.Thread(target=leaderelection.LeaderElection(chosen).run, daemon=True).start()
    assert led.wait(20)
    held = client.CoreV1Api().read_namespaced_config_map("leader", NAMESPACE).metadata.annotations
    assert "python-1" in held["control-plane.alpha.kubernetes.io/leader"], held
    proved("leader election")


def main():
    config.load_kube_config()
    api = client.ApiClient()
    core = client.CoreV1Api(api)
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
    config_maps(core)
    dynamic_client(api)
    pod = deployment(api)
    streams(core, pod)
    subresources(api, pod)
    leader_election()
    delete(api)


main()
