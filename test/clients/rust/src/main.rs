//! Drives a running Kubette with kube-rs: a line for each thing proved, exit code 1 at the first that fails.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::{AsyncBufReadExt, TryStreamExt};
use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    authentication::v1::{TokenRequest, TokenReview},
    core::v1::{ConfigMap, Namespace, Pod, ServiceAccount},
    policy::v1::PodDisruptionBudget,
};
use kube::{
    Api, Client, Config, Error, ResourceExt,
    api::{AttachParams, DeleteParams, EvictParams, ListParams, LogParams, Patch, PatchParams, PostParams},
    core::Status,
    runtime::{WatchStreamExt, reflector, wait::await_condition, watcher},
};
use serde_json::{Value, from_value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAMESPACE: &str = "client-rust";

fn proved(what: &str) {
    println!("ok {what}");
}

fn refusal<T>(result: kube::Result<T>) -> Result<Box<Status>> {
    match result {
        Err(Error::Api(status)) => Ok(status),
        Err(error) => Err(error.into()),
        Ok(_) => bail!("the request succeeded"),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    // Else kube-rs asks again when a disruption budget refuses an eviction.
    let mut config = Config::infer().await?;
    config.default_retry = false;
    let client = Client::try_from(config)?;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = from_value(json!({ "metadata": { "name": NAMESPACE } }))?;
    namespaces.create(&PostParams::default(), &namespace).await?;
    tokio::time::timeout(Duration::from_secs(30), config_maps(&client)).await??;
    let pod = tokio::time::timeout(Duration::from_secs(60), deployment(&client)).await??;
    tokio::time::timeout(Duration::from_secs(60), streams(&client, &pod)).await??;
    tokio::time::timeout(Duration::from_secs(60), subresources(&client, &pod)).await??;

    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    deployments.delete("echo", &DeleteParams::orphan()).await?;
    let sets: Api<ReplicaSet> = Api::namespaced(client.clone(), NAMESPACE);
    let set = sets.list(&ListParams::default().labels("app=echo")).await?.items[0].name_any();
    let orphan = |found: Option<&ReplicaSet>| found.is_some_and(|set| set.owner_references().is_empty());
    tokio::time::timeout(Duration::from_secs(60), await_condition(sets.clone(), &set, orphan)).await??;
    sets.delete_collection(&DeleteParams::foreground(), &ListParams::default().labels("app=echo")).await?;
    let gone = |found: Option<&ReplicaSet>| found.is_none();
    tokio::time::timeout(Duration::from_secs(60), await_condition(sets, &set, gone)).await??;
    namespaces.delete(NAMESPACE, &DeleteParams::default()).await?;
    let gone = |found: Option<&Namespace>| found.is_none();
    tokio::time::timeout(Duration::from_secs(60), await_condition(namespaces, NAMESPACE, gone)).await??;
    proved("delete: orphaning, a collection in the foreground, and of the namespace");
    Ok(())
}

fn config_map(mode: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "settings", "labels": { "app": "echo" } },
        "data": { "mode": mode },
    })
}

fn mode(map: &ConfigMap) -> Option<&str> {
    map.data.as_ref()?.get("mode").map(String::as_str)
}

async fn config_maps(client: &Client) -> Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    // One reflector begins with a list, the other with a streaming list.
    let (store, writer) = reflector::store();
    let listing = watcher::Config::default().labels("app=echo");
    let mut events = Box::pin(reflector(writer, watcher(maps.clone(), listing.clone())).default_backoff().touched_objects());
    let mut streaming = Box::pin(watcher(maps.clone(), listing.streaming_lists()).touched_objects());

    let plain = PatchParams::default();
    let made = maps.create(&PostParams::default(), &from_value(config_map("first"))?).await?;
    ensure!(mode(&maps.get("settings").await?) == Some("first"));
    proved("create and read");
    ensure!(maps.list(&ListParams::default().labels("app=echo")).await?.items.len() == 1);
    ensure!(maps.list_metadata(&ListParams::default().labels("app=echo")).await?.items[0].name_any() == "settings");
    proved("list by label, of objects and of their metadata");
    for stream in [&mut events as &mut (dyn futures::Stream<Item = _> + Unpin), &mut streaming] {
        let seen: Option<ConfigMap> = stream.try_next().await?;
        ensure!(seen.as_ref().and_then(mode) == Some("first"), "{seen:?}");
    }

    let merged = maps.patch("settings", &plain, &Patch::Merge(json!({ "data": { "mode": "merge" } }))).await?;
    ensure!(mode(&merged) == Some("merge"));
    let merged = maps.patch("settings", &plain, &Patch::Strategic(json!({ "data": { "mode": "strategic" } }))).await?;
    ensure!(mode(&merged) == Some("strategic"));
    proved("merge and strategic merge patch");
    let apply = PatchParams::apply("rust");
    let conflict = refusal(maps.patch("settings", &apply, &Patch::Apply(config_map("applied"))).await)?;
    ensure!(conflict.code == 409 && conflict.reason == "Conflict", "{conflict:?}");
    let applied = maps.patch("settings", &apply.force(), &Patch::Apply(config_map("applied"))).await?;
    ensure!(mode(&applied) == Some("applied"));
    proved("server-side apply and its conflict");

    let stale = refusal(maps.replace("settings", &PostParams::default(), &made).await)?;
    ensure!(stale.code == 409 && stale.message.contains("the object has been modified"), "{stale:?}");
    proved("conflict of a stale resourceVersion");
    let missing = refusal(maps.get("missing").await)?;
    ensure!(missing.code == 404 && missing.reason == "NotFound", "{missing:?}");
    ensure!(maps.get_opt("missing").await?.is_none());
    proved("not found");

    maps.delete("settings", &DeleteParams::default()).await?;
    let mut held = Vec::new();
    for expected in ["merge", "strategic", "applied", "applied"] {
        let seen = events.try_next().await?;
        ensure!(seen.as_ref().and_then(mode) == Some(expected), "{expected}: {seen:?}");
        streaming.try_next().await?;
        held.push(store.state().len());
    }
    ensure!(held == [1, 1, 1, 0], "the store held {held:?}");
    proved("reflectors by list and by streaming list: added, modified, deleted");
    Ok(())
}

async fn deployment(client: &Client) -> Result<String> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let spec = json!({
        "metadata": { "name": "echo", "labels": { "app": "echo" } },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": { "app": "echo" } },
            "template": {
                "metadata": { "labels": { "app": "echo" } },
                "spec": { "containers": [{ "name": "echo", "image": "echo", "ports": [{ "containerPort": 8080 }] }] },
            },
        },
    });
    deployments.create(&PostParams::default(), &from_value(spec)?).await?;
    let available = |count: i32| {
        move |found: Option<&Deployment>| {
            found.and_then(|d| d.status.as_ref()).and_then(|s| s.available_replicas) == Some(count)
        }
    };
    await_condition(deployments.clone(), "echo", available(1)).await?;
    ensure!(deployments.get_status("echo").await?.status.is_some());
    proved("a Deployment becomes available (status)");
    ensure!(deployments.get_scale("echo").await?.spec.and_then(|s| s.replicas) == Some(1));
    let two = Patch::Merge(json!({ "spec": { "replicas": 2 } }));
    deployments.patch_scale("echo", &PatchParams::default(), &two).await?;
    await_condition(deployments, "echo", available(2)).await?;
    proved("scale");
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    Ok(pods.list(&ListParams::default().labels("app=echo")).await?.items[0].name_any())
}

async fn streams(client: &Client, pod: &str) -> Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let wants = AttachParams::default().stdin(true);
    let mut process = pods.exec(pod, ["sh", "-c", "cat; echo err >&2; exit 3"], &wants).await?;
    let status = process.take_status().context("status")?;
    let (mut out, mut err) = (String::new(), String::new());
    let (mut stdout, mut stderr) = (process.stdout().context("stdout")?, process.stderr().context("stderr")?);
    let mut stdin = process.stdin().context("stdin")?;
    stdin.write_all(b"typed\n").await?;
    stdin.shutdown().await?;
    drop(stdin);
    tokio::try_join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err))?;
    ensure!((out.as_str(), err.as_str()) == ("typed\n", "err\n"), "{out:?} {err:?}");
    let status = status.await.context("no status")?;
    ensure!(status.reason.as_deref() == Some("NonZeroExitCode"), "{status:?}");
    process.join().await?;
    proved("exec with stdin to its end, stdout, stderr, exit code");

    let mut forwarder = pods.portforward(pod, &[8080]).await?;
    let mut port = forwarder.take_stream(8080).context("stream")?;
    port.write_all(b"GET /through-the-port HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n").await?;
    // kube-rs counts it as a failure when the server closes first: read the answer, not to the end of the stream.
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("Request: GET /through-the-port") {
        ensure!(port.read_buf(&mut answer).await? > 0, "no answer: {answer:?}");
    }
    ensure!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    drop(port);
    forwarder.join().await?;
    proved("port-forward");

    ensure!(pods.logs(pod, &LogParams::default()).await?.contains("/through-the-port"));
    let mut lines = pods.log_stream(pod, &LogParams { follow: true, ..LogParams::default() }).await?.lines();
    while !lines.try_next().await?.context("the log ended")?.contains("/through-the-port") {}
    proved("logs, read and followed");
    Ok(())
}

async fn subresources(client: &Client, name: &str) -> Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let plain = PatchParams::default();
    let checked = json!({ "status": { "conditions": [{ "type": "example.com/checked", "status": "True" }] } });
    let patched = pods.patch_status(name, &plain, &Patch::Strategic(checked)).await?;
    let conditions = patched.status.and_then(|status| status.conditions).unwrap_or_default();
    ensure!(conditions.iter().any(|c| c.type_ == "example.com/checked"), "{conditions:?}");
    proved("status subresource, patched");

    let debug = json!({ "spec": { "ephemeralContainers": [{ "name": "debug", "image": "busybox", "command": ["sleep", "600"] }] } });
    pods.patch_ephemeral_containers(name, &plain, &Patch::Strategic(debug)).await?;
    let runs = |found: Option<&Pod>| {
        let statuses = found.and_then(|pod| pod.status.as_ref()?.ephemeral_container_statuses.as_ref());
        statuses.is_some_and(|all| all.iter().any(|s| s.state.as_ref().is_some_and(|state| state.running.is_some())))
    };
    await_condition(pods.clone(), name, runs).await?;
    proved("an ephemeral container");

    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), NAMESPACE);
    let request: TokenRequest = from_value(json!({ "spec": { "audiences": [], "expirationSeconds": 600 } }))?;
    let issued = accounts.create_token_request("default", &PostParams::default(), &request).await?;
    let token = issued.status.context("no token")?.token;
    let reviews: Api<TokenReview> = Api::all(client.clone());
    let review = reviews.create(&PostParams::default(), &from_value(json!({ "spec": { "token": token } }))?).await?;
    let user = review.status.and_then(|status| status.user).and_then(|user| user.username);
    ensure!(user == Some(format!("system:serviceaccount:{NAMESPACE}:default")), "{user:?}");
    proved("a token and its review");

    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), NAMESPACE);
    let budget = json!({
        "metadata": { "name": "echo" },
        "spec": { "maxUnavailable": 0, "selector": { "matchLabels": { "app": "echo" } } },
    });
    budgets.create(&PostParams::default(), &from_value(budget)?).await?;
    let refused = refusal(pods.evict(name, &EvictParams::default()).await)?;
    ensure!(refused.code == 429 && refused.reason == "TooManyRequests", "{refused:?}");
    budgets.delete("echo", &DeleteParams::default()).await?;
    pods.evict(name, &EvictParams::default()).await?;
    await_condition(pods, name, |found: Option<&Pod>| found.is_none()).await?;
    proved("eviction, refused by a budget and granted without");
    Ok(())
}
