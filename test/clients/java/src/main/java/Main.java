import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Drives a running Kubette with fabric8's client: a line for each thing proved, exit code 1 at the first that fails. */
public final class Main {
  private static final String NAMESPACE = "client-java";
  private static final Map<String, String> LABELS = Map.of("app", "echo");

  static void proved(String what) {
    System.out.println("ok " + what);
  }

  static void check(boolean holds, String what) {
    if (!holds) throw new IllegalStateException(what);
  }

  static void eventually(String what, BooleanSupplier holds) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    while (!holds.getAsBoolean()) {
      check(System.nanoTime() < end, what + ": not within a minute");
      Thread.sleep(100);
    }
  }

  static KubernetesClientException refusal(Runnable request) {
    try {
      request.run();
    } catch (KubernetesClientException error) {
      return error;
    }
    throw new IllegalStateException("the request succeeded");
  }

  public static void main(String[] arguments) throws Exception {
    try (KubernetesClient client = new KubernetesClientBuilder().build()) {
      client.namespaces().resource(
          new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata().build()).create();
      configMaps(client);
      leaderElection(client);
      String pod = deployment(client);
      streams(client, pod);
      Subresources.drive(client, NAMESPACE, pod, LABELS);
      var sets = client.apps().replicaSets().inNamespace(NAMESPACE).withLabels(LABELS);
      client.apps().deployments().inNamespace(NAMESPACE).withName("echo").withPropagationPolicy(DeletionPropagation.ORPHAN).delete();
      eventually("an orphan", () -> sets.list().getItems().get(0).getMetadata().getOwnerReferences().isEmpty());
      sets.withPropagationPolicy(DeletionPropagation.FOREGROUND).delete();
      eventually("the ReplicaSet to go", () -> sets.list().getItems().isEmpty());
      check(client.pods().inNamespace(NAMESPACE).withLabels(LABELS).list().getItems().isEmpty(), "it left Pods");
      client.namespaces().withName(NAMESPACE).delete();
      eventually("the namespace to be gone", () -> client.namespaces().withName(NAMESPACE).get() == null);
      proved("delete: orphaning, by label in the foreground, and of the namespace");
    } catch (Throwable failure) {
      failure.printStackTrace();
      System.exit(1);
    }
    System.exit(0);
  }

  private static ConfigMap settings(String mode) {
    return new ConfigMapBuilder()
        .withNewMetadata().withName("settings").withNamespace(NAMESPACE).withLabels(LABELS).endMetadata()
        .withData(Map.of("mode", mode))
        .build();
  }

  private static void configMaps(KubernetesClient client) throws Exception {
    List<String> seen = new CopyOnWriteArrayList<>();
    var informer = client.configMaps().inNamespace(NAMESPACE).withLabels(LABELS).inform(new ResourceEventHandler<ConfigMap>() {
      @Override
      public void onAdd(ConfigMap map) {
        seen.add("added " + map.getData().get("mode"));
      }

      @Override
      public void onUpdate(ConfigMap old, ConfigMap map) {
        seen.add("updated " + map.getData().get("mode"));
      }

      @Override
      public void onDelete(ConfigMap map, boolean unknown) {
        seen.add("deleted " + map.getData().get("mode"));
      }
    });
    Resource<ConfigMap> one = client.configMaps().inNamespace(NAMESPACE).withName("settings");
    ConfigMap made = client.resource(settings("first")).create();
    check("first".equals(one.get().getData().get("mode")), "read");
    proved("create and read");
    check(client.configMaps().inNamespace(NAMESPACE).withLabels(LABELS).list().getItems().size() == 1, "list");
    proved("list by label");
    eventually("the informer saw it", () -> seen.size() == 1);

    for (var patch : Map.of(
        PatchType.JSON, "[{\"op\":\"replace\",\"path\":\"/data/mode\",\"value\":\"JSON\"}]",
        PatchType.JSON_MERGE, "{\"data\":{\"mode\":\"JSON_MERGE\"}}",
        PatchType.STRATEGIC_MERGE, "{\"data\":{\"mode\":\"STRATEGIC_MERGE\"}}").entrySet()) {
      ConfigMap patched = one.patch(PatchContext.of(patch.getKey()), patch.getValue());
      check(patch.getKey().name().equals(patched.getData().get("mode")), "patched " + patched.getData());
    }
    one.edit(map -> new ConfigMapBuilder(map).addToData("mode", "edited").build());
    proved("JSON, merge and strategic merge patch, edit");
    KubernetesClientException contested = refusal(() -> client.resource(settings("applied")).fieldManager("java").serverSideApply());
    check(contested.getCode() == 409 && contested.getMessage().contains("Apply failed with 1 conflict"), contested.getMessage());
    client.resource(settings("applied")).fieldManager("java").forceConflicts().serverSideApply();
    check("applied".equals(one.get().getData().get("mode")), "applied");
    proved("server-side apply and its conflict");

    ConfigMap stale = new ConfigMapBuilder(made).withData(Map.of("mode", "stale")).build();
    KubernetesClientException conflict = refusal(() -> client.resource(stale).lockResourceVersion(made.getMetadata().getResourceVersion()).update());
    check(conflict.getCode() == 409 && "Conflict".equals(conflict.getStatus().getReason()), conflict.getMessage());
    proved("conflict of a stale resourceVersion");
    check(client.configMaps().inNamespace(NAMESPACE).withName("missing").get() == null, "not found is null");
    KubernetesClientException missing = refusal(() -> client.configMaps().inNamespace(NAMESPACE).withName("missing").patch(PatchContext.of(PatchType.JSON_MERGE), "{}"));
    check(missing.getCode() == 404 && "NotFound".equals(missing.getStatus().getReason()), missing.getMessage());
    proved("not found");

    one.delete();
    eventually("all events: " + seen, () -> seen.contains("deleted applied"));
    check(seen.get(0).equals("added first") && seen.contains("updated edited"), "informer " + seen);
    informer.close();
    proved("informer: added, updated, deleted");
  }

  private static void leaderElection(KubernetesClient client) throws Exception {
    CountDownLatch leads = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    var elector = client.leaderElector().withConfig(new LeaderElectionConfigBuilder()
        .withName("leader").withLock(new LeaseLock(NAMESPACE, "leader", "java-1"))
        .withLeaseDuration(Duration.ofSeconds(15)).withRenewDeadline(Duration.ofSeconds(10)).withRetryPeriod(Duration.ofSeconds(1))
        .withReleaseOnCancel()
        .withLeaderCallbacks(new LeaderCallbacks(leads::countDown, stopped::countDown, leader -> { }))
        .build()).build();
    var running = elector.start();
    check(leads.await(20, TimeUnit.SECONDS), "nobody leads");
    check("java-1".equals(client.leases().inNamespace(NAMESPACE).withName("leader").get().getSpec().getHolderIdentity()), "holder");
    running.cancel(true);
    check(stopped.await(20, TimeUnit.SECONDS), "the leader did not stop");
    proved("leader election");
  }

  private static String deployment(KubernetesClient client) throws Exception {
    client.resource(new DeploymentBuilder()
        .withNewMetadata().withName("echo").withNamespace(NAMESPACE).withLabels(LABELS).endMetadata()
        .withNewSpec().withReplicas(1).withNewSelector().withMatchLabels(LABELS).endSelector()
        .withNewTemplate().withNewMetadata().withLabels(LABELS).endMetadata()
        .withNewSpec().addNewContainer().withName("echo").withImage("echo").addNewPort().withContainerPort(8080).endPort().endContainer().endSpec()
        .endTemplate().endSpec().build()).create();
    var echo = client.apps().deployments().inNamespace(NAMESPACE).withName("echo");
    echo.waitUntilReady(1, TimeUnit.MINUTES);
    proved("a Deployment becomes ready");
    echo.scale(2);
    echo.waitUntilCondition(found -> Integer.valueOf(2).equals(found.getStatus().getAvailableReplicas()), 1, TimeUnit.MINUTES);
    check(echo.scale().getSpec().getReplicas() == 2, "scale");
    proved("scale");
    var pod = client.pods().inNamespace(NAMESPACE).withLabels(LABELS).list().getItems().get(0);
    int conditions = pod.getStatus().getConditions().size();
    var patched = client.pods().resource(pod).editStatus(found -> {
      found.getStatus().getConditions().add(new io.fabric8.kubernetes.api.model.PodConditionBuilder().withType("example.com/checked").withStatus("True").build());
      return found;
    });
    check(patched.getStatus().getConditions().size() == conditions + 1, "conditions " + patched.getStatus());
    proved("status subresource");
    return pod.getMetadata().getName();
  }

  private static void streams(KubernetesClient client, String name) throws Exception {
    var pod = client.pods().inNamespace(NAMESPACE).withName(name);
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    try (var exec = pod.redirectingInput().writingOutput(out).writingError(err).exec("sh", "-c", "read line; echo got $line; echo err >&2; exit 3")) {
      exec.getInput().write("typed\n".getBytes(StandardCharsets.UTF_8));
      exec.getInput().flush();
      check(exec.exitCode().get(30, TimeUnit.SECONDS) == 3, "exit code");
    }
    check(out.toString().equals("got typed\n") && err.toString().equals("err\n"), out + " " + err);
    proved("exec with stdin, stdout, stderr, exit code");

    try (var forward = pod.portForward(8080)) {
      var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + forward.getLocalPort() + "/through-the-port")).build();
      var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
      for (int i = 0; i < 3; i++) check(http.send(request, HttpResponse.BodyHandlers.ofString()).statusCode() == 200, "answer");
    }
    proved("port-forward");

    check(pod.getLog().contains("/through-the-port"), "log");
    var followed = new ByteArrayOutputStream();
    try (var watching = pod.watchLog(followed)) {
      eventually("the followed log", () -> followed.toString().contains("/through-the-port"));
    }
    proved("logs, read and followed");
  }
}
