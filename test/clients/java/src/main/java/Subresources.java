import io.fabric8.kubernetes.api.model.EphemeralContainerBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Map;

/** What can be asked of a Pod beside reading and writing it. */
final class Subresources {
  private Subresources() {}

  /** {@code name} is a running Pod, one of two that have the labels; it is gone afterwards. */
  static void drive(KubernetesClient client, String namespace, String name, Map<String, String> labels) throws Exception {
    var pod = client.pods().inNamespace(namespace).withName(name);
    pod.ephemeralContainers().edit(found -> {
      found.getSpec().getEphemeralContainers().add(
          new EphemeralContainerBuilder().withName("debug").withImage("busybox").withCommand("sleep", "600").build());
      return found;
    });
    Main.eventually("the ephemeral container to run", () -> {
      var statuses = pod.get().getStatus().getEphemeralContainerStatuses();
      return !statuses.isEmpty() && statuses.get(0).getState().getRunning() != null;
    });
    Main.proved("an ephemeral container");

    var request = client.serviceAccounts().inNamespace(namespace).withName("default")
        .tokenRequest(new TokenRequestBuilder().withNewSpec().withExpirationSeconds(600L).endSpec().build());
    var review = client.resource(new TokenReviewBuilder()
        .withNewSpec().withToken(request.getStatus().getToken()).endSpec().build()).create();
    var user = review.getStatus().getUser().getUsername();
    Main.check(("system:serviceaccount:" + namespace + ":default").equals(user), "the token is of " + user);
    Main.proved("a token and its review");

    var budget = client.resource(new PodDisruptionBudgetBuilder()
        .withNewMetadata().withName("echo").withNamespace(namespace).endMetadata()
        .withNewSpec().withNewMaxUnavailable(0).withNewSelector().withMatchLabels(labels).endSelector().endSpec()
        .build());
    budget.create();
    // fabric8 answers false when the server refuses with 429.
    Main.check(!pod.evict(), "the budget did not refuse");
    budget.delete();
    Main.check(pod.evict(), "the eviction was refused");
    Main.eventually("the Pod to be gone", () -> pod.get() == null);
    Main.proved("eviction, refused by a budget and granted without");
  }
}
