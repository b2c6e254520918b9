package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

func ephemeralContainer(ctx context.Context, client kubernetes.Interface, name string) {
	pods := client.CoreV1().Pods(namespace)
	pod := got(pods.Get(ctx, name, metav1.GetOptions{}))
	pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{
		TargetContainerName:      "echo",
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "busybox", Command: []string{"sleep", "600"}},
	}}
	got(pods.UpdateEphemeralContainers(ctx, name, pod, metav1.UpdateOptions{}))
	eventually("the ephemeral container to run", func() bool {
		statuses := got(pods.Get(ctx, name, metav1.GetOptions{})).Status.EphemeralContainerStatuses
		return len(statuses) == 1 && statuses[0].State.Running != nil
	})
	proved("an ephemeral container")
}

// evict is refused while a budget wants every Pod, and granted when it does not.
func evict(ctx context.Context, client kubernetes.Interface, name string) {
	budgets := client.PolicyV1().PodDisruptionBudgets(namespace)
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "echo"}}
	none := intstr.FromInt32(0)
	budget.Spec = policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &none, Selector: &metav1.LabelSelector{MatchLabels: labels}}
	got(budgets.Create(ctx, budget, metav1.CreateOptions{}))
	eventually("the budget to count", func() bool {
		return got(budgets.Get(ctx, "echo", metav1.GetOptions{})).Status.ExpectedPods == 2
	})
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	pods := client.CoreV1().Pods(namespace)
	err := pods.EvictV1(ctx, eviction)
	check(apierrors.IsTooManyRequests(err) && apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause), "too many requests, not %v", err)
	must(budgets.Delete(ctx, "echo", metav1.DeleteOptions{}))
	must(pods.EvictV1(ctx, eviction))
	eventually("the Pod to be gone", func() bool {
		_, err := pods.Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	proved("eviction, refused by a budget and granted without")
}

// remove deletes an owner three ways, then all that is left with the namespace.
func remove(ctx context.Context, client kubernetes.Interface) {
	deployments, sets := client.AppsV1().Deployments(namespace), client.AppsV1().ReplicaSets(namespace)
	orphan, background, foreground := metav1.DeletePropagationOrphan, metav1.DeletePropagationBackground, metav1.DeletePropagationForeground
	must(deployments.Delete(ctx, "echo", metav1.DeleteOptions{PropagationPolicy: &orphan}))
	eventually("an orphan", func() bool {
		set := got(sets.List(ctx, metav1.ListOptions{LabelSelector: "app=echo"})).Items[0]
		return len(set.OwnerReferences) == 0 && set.Status.Replicas == 2
	})
	set := got(sets.List(ctx, metav1.ListOptions{LabelSelector: "app=echo"})).Items[0]
	stale := "other"
	err := sets.Delete(ctx, set.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &stale}})
	check(apierrors.IsConflict(err), "a failed precondition, not %v", err)
	must(sets.Delete(ctx, set.Name, metav1.DeleteOptions{PropagationPolicy: &foreground}))
	eventually("the ReplicaSet to go after its Pods", func() bool {
		_, err := sets.Get(ctx, set.Name, metav1.GetOptions{})
		pods := got(client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=echo"})).Items
		check(err == nil || len(pods) == 0, "it left %d Pods", len(pods))
		return apierrors.IsNotFound(err)
	})
	must(client.CoreV1().ConfigMaps(namespace).DeleteCollection(ctx, metav1.DeleteOptions{PropagationPolicy: &background}, metav1.ListOptions{LabelSelector: "counter"}))
	check(len(got(client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: "counter"})).Items) == 0, "counters are left")
	must(client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}))
	eventually("the namespace to be gone", func() bool {
		_, err := client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	proved("delete: orphaning, in the foreground, with a precondition, of a collection and of the namespace")
}
